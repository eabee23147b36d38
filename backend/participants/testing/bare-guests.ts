// SPDX-License-Identifier: MIT
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { assemble } from '../../../host/kvm/testing/bare-metal.js';
import { CLOCK } from '../../../host/kvm/testing/clock-guests.js';
import { newHub, wait } from '../../../host/kvm/testing/guests.js';
import { elf } from '../../../host/kvm/testing/kernel-files.js';
import { Feature, featureBit } from '../../../protocols/virtio/index.js';
import { type Instant, type Interrupt, instant, ZERO } from '../../calendar/index.js';
import type { VirtioDevice, VirtioTransport } from '../../devices/index.js';
import type { OneclockError } from '../../errors.js';
import { KvmParticipant } from '../kvm.js';

const KERNEL = 0x20_0000;
const MEMORY = 4 << 20;

/** Assembly: the driver of a {@link TestDevice} in slot 0, whose line has vector 0x35 of PICS. */
const DRIVER = `${CLOCK}
  .macro SET offset, value
    mov $0xd0000000 + \\offset, %edx
    movl $\\value, (%rdx)
  .endm
  .macro DRIVE
    .irp status, 0, 1, 3
      SET 0x70, \\status
    .endr
    SET 0x24, 1
    SET 0x20, 1
    SET 0x70, 11
    SET 0x30, 0
    SET 0x38, 4
    SET 0x80, 0x110000
    SET 0x84, 0
    SET 0x90, 0x111000
    SET 0x94, 0
    SET 0xa0, 0x112000
    SET 0xa4, 0
    SET 0x44, 1
    SET 0x70, 15
  .endm
  .macro KICK
    SET 0x50, 0
  .endm
  # Of an interrupt of the device.
  .macro TAKEN
    SET 0x64, 3
    PUT 0x20, 0x20
  .endm
`;

/** A device with one queue, in which there is never anything. */
export class TestDevice implements VirtioDevice {
  readonly type = 1000;
  readonly name = 'test';
  readonly features = featureBit(Feature.VERSION_1);
  readonly queues = [{ name: 'test', fromDriver: true }];
  readonly config = new Uint8Array();
  transport: VirtioTransport | undefined;
  resets = 0;

  constructor(private readonly kicked: (device: TestDevice) => void) {}

  activate(transport: VirtioTransport): void {
    this.transport = transport;
  }

  reset(): void {
    this.transport = undefined;
    this.resets++;
  }

  notify(): boolean {
    this.kicked(this);
    return false;
  }

  interrupt(): void {
    this.transport?.interrupt(0);
  }
}

/** A bare-metal guest, in the hands of the test in place of a calendar. */
export interface BareGuest {
  readonly guest: KvmParticipant;
  readonly device: TestDevice;
  /** What it did and what became of it, with its time. */
  readonly log: string[];
  /** Interrupts that it is to get when it is quiet. */
  readonly raised: Interrupt[];
  readonly failures: { readonly error: OneclockError; readonly hung: boolean }[];
  /** Grants it time, and waits until it is quiet or has gone. */
  run(at: bigint, until: bigint): void;
  /** Gives it its interrupts at an instant, as its domain does. */
  deliver(at: bigint): void;
  /** Polls until the condition holds. */
  wait(what: string, until: () => boolean): void;
}

export interface BareOptions {
  readonly clock?: 'page' | 'timers';
  readonly name?: string;
  readonly hub?: ReturnType<typeof newHub>;
  /** Called by a kick, while the guest stands still. */
  kicked?(guest: BareGuest): void;
  /** @returns the result */
  bell?(operation: number): bigint;
}

/** The file of a kernel in assembly; RBX is the clock page after START. */
export function bareKernel(source: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'bare-guest-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'kernel');
  writeFileSync(file, elf([{ address: KERNEL, bytes: assemble(`${DRIVER}\n${source}`, KERNEL) }]));
  return file;
}

export function bareGuest(source: string, options: BareOptions = {}): BareGuest {
  const { clock = 'page', name = 'g', hub = newHub() } = options;
  const log: string[] = [];
  const raised: Interrupt[] = [];
  const failures: BareGuest['failures'] = [];
  let quiet = true;
  let now: Instant = ZERO;
  const device = new TestDevice(() => {
    log.push(`${guest.now}: kick`);
    options.kicked?.(made);
  });
  const guest = new KvmParticipant(
    {
      id: 0,
      name,
      kernel: bareKernel(source),
      initramfs: '/dev/null',
      memory: MEMORY,
      seed: 1n,
      timeOfDay: 0n,
      clock,
      modules: false,
      jiffies: undefined,
      features: 0xff,
      devices: [device],
    },
    {
      quiet: () => {
        quiet = true;
        log.push(
          `${guest.now}: quiet${guest.wake === instant(2n ** 63n - 1n) ? '' : ` until ${guest.wake}`}`,
        );
      },
      rescheduled: () => undefined,
      now: () => now,
      raise: (interrupt) => raised.push(interrupt),
      broadcast: () => undefined,
      failed: (error, hung) => {
        failures.push({ error, hung });
        log.push(`failed: ${error.message}`);
      },
      bell: (operation) => options.bell?.(operation) ?? 0n,
    },
    hub,
  );
  onTestFinished(() => guest.close());
  const made: BareGuest = {
    guest,
    device,
    log,
    raised,
    failures,
    run: (at, until) => {
      quiet = false;
      now = instant(at);
      guest.run(instant(at), instant(until));
      made.wait('a quiet guest', () => quiet || failures.length > 0);
    },
    deliver: (at) => {
      guest.reach(instant(at));
      for (const { deliver } of raised.splice(0)) deliver(() => undefined);
    },
    wait: (what, until) => wait(hub, what, until),
  };
  return made;
}
