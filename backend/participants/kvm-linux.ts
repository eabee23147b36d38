// SPDX-License-Identifier: MIT
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type JiffiesRole, kvmCommandLine } from '../../host/kvm/command-line.js';
import {
  type Entry,
  loadLinux,
  Machine,
  type Notification,
  type PlatformOptions,
} from '../../host/kvm/index.js';
import type { Hub } from '../../host/native/index.js';
import { MmioRegister } from '../../protocols/virtio/index.js';
import { type VirtioDevice, VirtioMmio } from '../devices/index.js';
import { OneclockError } from '../errors.js';

/** What is read where nothing is. */
const ALL_ONES = 0xffff_ffff_ffff_ffffn;
const POWER = { off: 'powered itself off', reboot: 'rebooted', panic: 'stopped in a panic' } as const;

export interface KvmOptions {
  readonly id: number;
  readonly name: string;
  /** A kernel for x86-64: an ELF file or a bzImage. */
  readonly kernel: string;
  /** The file with its initial file system. */
  readonly initramfs: string;
  /** Bytes. */
  readonly memory: number;
  /** What the guest's randomness comes from. */
  readonly seed: bigint;
  /** The time of day at virtual time 0, in nanoseconds since 1970. */
  readonly timeOfDay: bigint;
  /** Whether its kernel knows of virtual time, or has the timers of a PC; or its time is real. */
  readonly clock: PlatformOptions['clock'];
  /** Whether its init inserts modules. */
  readonly modules: boolean;
  /** What of `jiffies` it shares; undefined: nothing. */
  readonly jiffies: JiffiesRole | undefined;
  /** Bits of ONECLOCK_HC_FEATURE. */
  readonly features: number;
  readonly devices: readonly VirtioDevice[];
}

export interface KvmLinuxOwner {
  /** It has just been heard of. */
  sign(): void;
  /** It has nothing to do before the end of its time. */
  waits(): void;
  /** It stands still because of a kick. */
  kicked(): void;
  /** @returns the result, or an error below zero @throws OneclockError for what the guest may not do */
  bell(operation: number, args: readonly [bigint, bigint, bigint]): bigint;
  /** Its device at `place` has interrupts for {@link KvmLinux.interrupt}. */
  raise(place: number, bits: number): void;
  /** It notified a device at `at`, and has gone on since; what comes of it `act` does. */
  notified?(at: bigint, act: () => void): void;
  /** All that it had notified devices of is done. */
  caughtUp?(): void;
  /** A driver broke the rules. */
  failed(error: OneclockError): void;
  /** It is no more. */
  ended(reason: string): void;
}

/** A machine of KVM with Linux in it, and its virtio devices. */
export class KvmLinux {
  readonly machine: Machine;
  readonly #devices: readonly VirtioMmio[];
  #closed = false;
  /** What it wrote to its serial port last: where it boots, before it has its console. */
  #lastWords = '';

  /** @throws OneclockError `MACHINE` where this machine cannot have KVM guests */
  constructor(
    private readonly options: KvmOptions,
    private readonly owner: KvmLinuxOwner,
    hub: Hub,
  ) {
    const { name, memory, clock, timeOfDay, features, devices } = options;
    this.machine = new Machine(
      hub,
      { name, memory, platform: { clock, timeOfDay, features, devices: devices.length } },
      {
        onRead: (address, size) => this.#read(address, size),
        onWrite: (address, size, value) => this.#write(address, size, value),
        onWait: () => owner.waits(),
        onNotified: (notifications) => this.#notified(notifications),
        onBell: (operation, args) => this.#bell(operation, args),
        onSerial: (bytes) => {
          const words = Buffer.from(bytes)
            .toString('latin1')
            .replace(/[^ -~]+/g, ' ')
            .trim();
          this.#lastWords = words || this.#lastWords;
        },
        onPower: (how) => owner.ended(`it ${POWER[how]}`),
        onKick: () => owner.kicked(),
        onEnd: ({ detail }) => owner.ended(detail),
      },
    );
    this.#devices = devices.map(
      (device, place) =>
        new VirtioMmio(device, this.machine.memory, {
          raise: (bits) => owner.raise(place, bits),
          ready: (queue, indices) => this.machine.setQueue(place, queue, indices),
          failed: (error) => owner.failed(error),
        }),
    );
  }

  /** Puts Linux into its memory; it begins as {@link Machine.start} says. @throws OneclockError `INPUT`, `MACHINE` */
  start(): void {
    const { name, kernel, initramfs, clock, devices, seed, jiffies, modules } = this.options;
    const pages = devices.map((_, slot) => ({
      base: Machine.virtioBase(slot),
      line: Machine.virtioLine(slot),
    }));
    let entry: Entry;
    try {
      entry = loadLinux({
        memory: this.machine.memory.bytes,
        kernel: readFileSync(kernel),
        initrd: readFileSync(initramfs),
        commandLine: kvmCommandLine({ clock, jiffies, modules, devices: devices.length }),
        ...(clock === 'timers' && { acpi: pages }),
        seed: createHash('sha256').update(`oneclock kvm ${seed}`).digest(),
      });
    } catch (cause) {
      const { message } = cause as Error;
      throw new OneclockError('INPUT', `guest ${name}: ${kernel}: ${message}`, { cause });
    }
    this.machine.start(entry);
  }

  /** Gives the guest what its device at `place` still wants of `bits`. @returns whether that is anything */
  interrupt(place: number, bits: number): boolean {
    // The driver may have gone meanwhile.
    const due = this.#devices[place]?.lower(bits) ?? 0;
    if (this.#closed || due === 0) return false;
    this.machine.interruptVirtio(place, due);
    return true;
  }

  /** `error`, with what the guest said last where it has no console. */
  explain(error: OneclockError): OneclockError {
    const told = this.#lastWords === '' ? error.message : `${error.message}; it said: ${this.#lastWords}`;
    return new OneclockError(error.code, told, { cause: error });
  }

  /** Safe to call twice. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const device of this.#devices) device.close();
    this.machine.stop();
  }

  #bell(operation: number, args: readonly [bigint, bigint, bigint]): bigint {
    this.owner.sign();
    return this.#guarded(() => this.owner.bell(operation, args)) ?? 0n;
  }

  #read(address: bigint, size: number): bigint {
    this.owner.sign();
    const found = this.#find(address);
    if (!found) return ALL_ONES;
    return this.#guarded(() => BigInt(found.device.read(found.offset, size))) ?? 0n;
  }

  #write(address: bigint, size: number, value: bigint): void {
    this.owner.sign();
    const found = this.#find(address);
    // Its drivers are there: what it has to say it says on its console.
    if (found?.offset === MmioRegister.QUEUE_NOTIFY) this.#lastWords = '';
    if (found) this.#guarded(() => found.device.write(found.offset, size, Number(value)));
  }

  #notified(notifications: readonly Notification[]): void {
    this.owner.sign();
    this.#lastWords = '';
    for (const { at, slot, queue, available } of notifications) {
      if (this.#closed) return;
      this.owner.notified?.(at, () => {
        this.#guarded(() => this.#devices[slot]?.notified(queue, available));
      });
    }
    this.owner.caughtUp?.();
  }

  #find(address: bigint): { readonly device: VirtioMmio; readonly offset: number } | undefined {
    const from = Number(address) - Machine.VIRTIO_BASE;
    const device = this.#devices[Math.floor(from / Machine.VIRTIO_BYTES)];
    return device && { device, offset: from % Machine.VIRTIO_BYTES };
  }

  /** What a guest does wrong costs it its life; what we do wrong does not. */
  #guarded<T>(action: () => T): T | undefined {
    try {
      return action();
    } catch (error) {
      if (!(error instanceof OneclockError) || error.code !== 'PARTICIPANT') throw error;
      this.machine.fail(error.message);
      return undefined;
    }
  }
}
