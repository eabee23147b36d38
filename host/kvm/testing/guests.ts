// SPDX-License-Identifier: MIT
import { readdirSync, readlinkSync } from 'node:fs';
import { beforeEach, onTestFinished } from 'vitest';
import { NativeHub } from '../../native/index.js';
import { Machine, type MachineEnd, type MachineHandler, type PlatformOptions, whyNoKvm } from '../index.js';
import { assemble } from './bare-metal.js';

export const LIMIT_MS = 10_000;
export const MEMORY = 2 << 20;
export const missing = whyNoKvm() ?? '';

// For the summary: every test of a file that has guests from here needs KVM.
beforeEach(({ task }) => {
  task.meta.kvm = 'on /dev/kvm';
});

/** What a guest did, one line each: `out 0x10/1 0x2a`. */
export interface Guest {
  readonly machine: Machine;
  readonly log: string[];
  readonly ends: MachineEnd[];
}

const hex = (value: number | bigint) => `0x${value.toString(16)}`;

export function newHub(): NativeHub {
  const hub = new NativeHub();
  onTestFinished(() => hub.close());
  return hub;
}

/** Makes a guest of assembly, and starts it. */
export function start(
  hub: NativeHub,
  source: string,
  own: Partial<MachineHandler> = {},
  name = 'g',
  platform?: PlatformOptions,
): Guest {
  const log: string[] = [];
  const ends: MachineEnd[] = [];
  const machine = new Machine(
    hub,
    { name, memory: MEMORY, ...(platform && { platform }) },
    {
      onOut: (port, size, value) => log.push(`out ${hex(port)}/${size} ${hex(value)}`),
      onIn: (port, size) => {
        log.push(`in ${hex(port)}/${size}`);
        return 0;
      },
      onWrite: (address, size, value) => log.push(`write ${hex(address)}/${size} ${hex(value)}`),
      onRead: (address, size) => {
        log.push(`read ${hex(address)}/${size}`);
        return 0n;
      },
      onHalt: (interrupts) => log.push(`halt ${interrupts}`),
      onKick: () => log.push('kick'),
      onEnd: (end) => ends.push(end),
      ...own,
    },
  );
  onTestFinished(() => machine.stop());
  machine.load(Machine.IMAGE_BASE, assemble(source));
  machine.start({ address: Machine.IMAGE_BASE, argument: 0x1234 });
  return { machine, log, ends };
}

export function wait(hub: NativeHub, what: string, until: () => boolean): void {
  const end = performance.now() + LIMIT_MS;
  while (!until()) {
    if (performance.now() > end) throw new Error(`not within ${LIMIT_MS} ms: ${what}`);
    hub.poll(100);
  }
}

/** A machine of which nobody wants to know anything. */
export function quiet(hub: NativeHub): Machine {
  const nothing = () => undefined;
  const handler = { onOut: nothing, onIn: () => 0, onWrite: nothing, onRead: () => 0n };
  return new Machine(
    hub,
    { name: 'quiet', memory: MEMORY },
    { ...handler, onHalt: nothing, onKick: nothing, onEnd: nothing },
  );
}

/** Polls until the guest has halted, died or was kicked. */
export function untilIdle(hub: NativeHub, { log, ends }: Guest): void {
  const before = log.length;
  const idle = () => log.slice(before).some((line) => /^(halt|kick)/.test(line));
  wait(hub, 'an idle guest', () => idle() || ends.length > 0);
}

/** Runs a guest until it halts or dies, and stops it. */
export function run(source: string, own: Partial<MachineHandler> = {}): Guest {
  const hub = newHub();
  const guest = start(hub, source, own);
  untilIdle(hub, guest);
  guest.machine.stop();
  return guest;
}

export function threads(): string[] {
  return readdirSync('/proc/self/task');
}

/** What descriptors of this process lead to, without the numbers. */
export function openFiles(): string[] {
  return readdirSync('/proc/self/fd')
    .flatMap((fd) => {
      try {
        return [readlinkSync(`/proc/self/fd/${fd}`).replace(/\d+/g, '')];
      } catch {
        return []; // the folder's own
      }
    })
    .sort();
}

export function mappings(): string[] {
  const kinds = /kvm-vcpu|memfd:oneclock/;
  return readdirSync('/proc/self/map_files').flatMap((entry) => {
    try {
      const file = readlinkSync(`/proc/self/map_files/${entry}`);
      return kinds.test(file) ? [file] : [];
    } catch {
      return [];
    }
  });
}
