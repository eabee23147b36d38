// SPDX-License-Identifier: MIT
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type JiffiesRole, kvmCommandLine } from '../../host/kvm/command-line.js';
import { type Entry, loadLinux, Machine, type PlatformOptions } from '../../host/kvm/index.js';
import type { Hub } from '../../host/native/index.js';
import { MmioRegister } from '../../protocols/virtio/index.js';
import { type Instant, type Interrupt, instant, later, NEVER, ZERO } from '../calendar/index.js';
import { type VirtioDevice, VirtioMmio } from '../devices/index.js';
import { OneclockError } from '../errors.js';
import type { Guest, GuestOwner } from './guest.js';
import { HangWatch } from './hang-watch.js';

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
  /** Whether its kernel knows of virtual time, or has the timers of a PC. */
  readonly clock: PlatformOptions['clock'];
  /** Whether its init inserts modules. */
  readonly modules: boolean;
  /** What of `jiffies` it shares; undefined: nothing. */
  readonly jiffies: JiffiesRole | undefined;
  /** Bits of ONECLOCK_HC_FEATURE. */
  readonly features: number;
  readonly devices: readonly VirtioDevice[];
}

/** Operations of the guest that are not the machine's own. */
export interface KvmOwner extends GuestOwner {
  /** @returns the result, or an error below zero @throws OneclockError for what the guest may not do */
  bell(operation: number, args: readonly [bigint, bigint, bigint]): bigint;
}

/** A Linux guest of KVM, with a thread of this process and virtio devices in its memory. */
export class KvmParticipant implements Guest {
  readonly id: number;
  readonly name: string;
  /** It has none of its own. */
  readonly pid = undefined;
  readonly #machine: Machine;
  readonly #devices: readonly VirtioMmio[];
  readonly #watch: HangWatch;
  /** The grant under way; undefined while the guest is quiet. */
  #grant: { readonly at: Instant; until: Instant } | undefined;
  /** When it wants to run, while it is quiet. */
  #wake: Instant = ZERO;
  /** How far its domain has come, when it was told last. */
  #reached: Instant = ZERO;
  #closed = false;
  #cpuMs = 0;
  /** What it wrote to its serial port last: where it boots, before it has its console. */
  #lastWords = '';

  /**
   * Its thread waits for the first grant from now on.
   *
   * @throws OneclockError `MACHINE` where this machine cannot have KVM guests, `INPUT` where it cannot boot the kernel
   */
  constructor(
    private readonly options: KvmOptions,
    private readonly owner: KvmOwner,
    hub: Hub,
  ) {
    const { id, name, memory, clock, timeOfDay, features, devices } = options;
    this.id = id;
    this.name = name;
    this.#machine = new Machine(
      hub,
      { name, memory, platform: { clock, timeOfDay, features, devices: devices.length } },
      {
        onOut: () => undefined,
        onIn: () => 0xffff_ffff,
        onRead: (address, size) => this.#read(address, size),
        onWrite: (address, size, value) => this.#write(address, size, value),
        onHalt: () => undefined,
        onWait: () => this.#waits(),
        onBell: (operation, args) => this.#bell(operation, args),
        onSerial: (bytes) => {
          const words = Buffer.from(bytes)
            .toString('latin1')
            .replace(/[^ -~]+/g, ' ')
            .trim();
          this.#lastWords = words || this.#lastWords;
        },
        onPower: (how) => this.#ended(`it ${POWER[how]}`, false),
        onKick: () => this.#machine.fail(this.#watch.reason),
        onEnd: ({ message }) => this.#ended(message, this.#watch.stopping),
      },
    );
    this.#devices = devices.map(
      (device, place) =>
        new VirtioMmio(device, this.#machine.memory, {
          raise: (bits) => this.owner.raise(this.#interrupt(place, bits)),
          failed: (error) => this.fail(error),
        }),
    );
    this.#watch = new HangWatch({
      // One without a page goes by timers, and each look at one is an exit.
      pulse: () => (clock === 'page' ? this.#machine.liveNow : this.#machine.exits),
      kick: () => this.#machine.kick(),
    });
    try {
      this.#start();
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** All of the guest's memory, while it is there. */
  get memory(): Uint8Array {
    return this.#machine.memory.bytes;
  }

  /** Where in it the page of its clock is; undefined: it has none yet. */
  get page(): number | undefined {
    return this.#machine.page;
  }

  get thread(): number | undefined {
    return this.#machine.thread;
  }

  get cpuMs(): number {
    return this.#closed ? this.#cpuMs : this.#machine.cpuMs;
  }

  get alive(): boolean {
    return !this.#closed;
  }

  get ending(): boolean {
    return this.#watch.stopping && !this.#closed;
  }

  /** A kick is seen at once. */
  setPatience(): void {}

  get wake(): Instant {
    if (this.#closed || this.#grant !== undefined) return NEVER;
    return this.#wake;
  }

  get now(): Instant {
    return later(instant(this.#machine.now), this.#grant?.at ?? ZERO);
  }

  run(at: Instant, until: Instant): void {
    // The run is being taken down, and nothing may be started any more.
    if (this.#closed) return;
    this.#grant = { at, until };
    this.#wake = NEVER;
    this.sign();
    this.#machine.run(at, until);
  }

  curtail(until: Instant): void {
    if (!this.#grant || until >= this.#grant.until || this.#closed) return;
    this.#grant.until = until;
    this.#machine.curtail(until);
  }

  reach(at: Instant): void {
    this.#reached = at;
  }

  /** Nobody has marks for it. */
  notify(): Interrupt {
    return { participant: this, deliver: (done) => done() };
  }

  /** It stands still between its activations: there is nothing that it could do. */
  acts(): boolean {
    return !this.#closed;
  }

  /** It has just been heard of. */
  sign(): void {
    this.#watch.sign();
  }

  checkHang(limitMs: number): void {
    if (this.#grant === undefined || this.#closed) return;
    if (this.#watch.check(limitMs)) this.#ended(this.#watch.reason, true);
  }

  fail(error: OneclockError, hung = false): void {
    if (this.#closed) return;
    this.close();
    this.owner.rescheduled();
    const told = this.#lastWords === '' ? error.message : `${error.message}; it said: ${this.#lastWords}`;
    this.owner.failed(new OneclockError(error.code, told, { cause: error }), hung);
  }

  close(): void {
    if (this.#closed) return;
    this.#cpuMs = this.#machine.cpuMs;
    this.#grant = undefined;
    this.#closed = true;
    for (const device of this.#devices) device.close();
    this.#machine.stop();
  }

  #start(): void {
    const { kernel, initramfs, clock, devices, seed, jiffies, modules } = this.options;
    const pages = devices.map((_, slot) => ({
      base: Machine.virtioBase(slot),
      line: Machine.virtioLine(slot),
    }));
    let entry: Entry;
    try {
      entry = loadLinux({
        memory: this.#machine.memory.bytes,
        kernel: readFileSync(kernel),
        initrd: readFileSync(initramfs),
        commandLine: kvmCommandLine({ clock, jiffies, modules, devices: devices.length }),
        ...(clock === 'timers' && { acpi: pages }),
        seed: createHash('sha256').update(`oneclock kvm ${seed}`).digest(),
      });
    } catch (cause) {
      const { message } = cause as Error;
      throw new OneclockError('INPUT', `guest ${this.name}: ${kernel}: ${message}`, { cause });
    }
    this.#machine.start(entry);
  }

  /** It has nothing to do before the end of its grant, or is in need of more. */
  #waits(): void {
    this.sign();
    this.#grant = undefined;
    const { request } = this.#machine;
    this.#wake = request >= NEVER ? NEVER : later(instant(request), instant(this.#machine.now));
    this.owner.quiet();
  }

  #bell(operation: number, args: readonly [bigint, bigint, bigint]): bigint {
    this.sign();
    return this.#guarded(() => this.owner.bell(operation, args)) ?? 0n;
  }

  #read(address: bigint, size: number): bigint {
    this.sign();
    const found = this.#find(address);
    if (!found) return ALL_ONES;
    return this.#guarded(() => BigInt(found.device.read(found.offset, size))) ?? 0n;
  }

  #write(address: bigint, size: number, value: bigint): void {
    this.sign();
    const found = this.#find(address);
    // Its drivers are there: what it has to say it says on its console.
    if (found?.offset === MmioRegister.QUEUE_NOTIFY) this.#lastWords = '';
    if (found) this.#guarded(() => found.device.write(found.offset, size, Number(value)));
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
      this.#machine.fail(error.message);
      return undefined;
    }
  }

  #interrupt(place: number, bits: number): Interrupt {
    return {
      participant: this,
      deliver: (done) => {
        const due = this.#devices[place]?.lower(bits) ?? 0;
        // The driver may have gone meanwhile.
        if (!this.#closed && due !== 0) {
          this.#machine.interruptVirtio(place, due);
          if (this.#reached < this.#wake) this.#wake = this.#reached;
        }
        done();
      },
    };
  }

  #ended(reason: string, hung: boolean): void {
    this.fail(new OneclockError('PARTICIPANT', reason), hung);
  }
}
