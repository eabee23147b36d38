// SPDX-License-Identifier: MIT
import { invariant, OneclockError } from '../../backend/errors.js';
import {
  addon,
  type Channel,
  createSharedMemory,
  type Hub,
  type NativeMachine,
  type OwnedMemory,
} from '../native/index.js';
import { kvmError } from './errors.js';
import { describeExit, ExitKind, ExitRecord, type Notification } from './exits.js';
import { CLOCKS, LAST_INSTANT, type PlatformOptions, POWER, type Power } from './platform.js';
import { describeRegisters, namedRegisters, type Registers } from './registers.js';

const FIRST_VECTOR = 32;
const LAST_VECTOR = 255;

/**
 * What a guest does that somebody has to see. The guest stands still while a handler is called. After an access or an
 * operation it goes on when the handler returns, unless that calls {@link Machine.hold}; after onWait it waits for
 * {@link Machine.run}, and after all else for {@link Machine.resume}.
 */
export interface MachineHandler {
  /**
   * An access to a guest-physical address where there is no memory; with a platform, to a page of a virtio device.
   *
   * @param size 1 to 8 bytes
   */
  onWrite(address: bigint, size: number, value: bigint): void;
  /** @returns what the guest reads */
  onRead(address: bigint, size: number): bigint;
  /** It was running when {@link Machine.kick} was called. */
  onKick(): void;
  /** It is no more. Called once at most, and not for {@link Machine.stop}. */
  onEnd(end: MachineEnd): void;

  // Without a platform:

  /** @param size 1, 2 or 4 bytes */
  onOut?(port: number, size: number, value: number): void;
  /** @returns what the guest reads; all ones where there is no handler */
  onIn?(port: number, size: number): number;
  /** It has nothing to do until an interrupt comes; nothing ever comes where it has `interrupts` off. */
  onHalt?(interrupts: boolean): void;

  // With a platform:

  /** It has nothing to do, or may do nothing, before the end of its time but what {@link Machine.request} says. */
  onWait?(): void;
  /**
   * An operation that is not the platform's own: `Op` in protocols/hypercall.
   *
   * @returns the result
   */
  onBell?(operation: number, args: readonly [bigint, bigint, bigint]): bigint;
  /**
   * It has notified queues ({@link Machine.setPatience}), and gone on since; told before all else.
   *
   * @param notifications in their order
   */
  onNotified?(notifications: readonly Notification[]): void;
  /** A line, or a part of one, that it has written to its serial port. */
  onSerial?(bytes: Uint8Array): void;
  /** It has ended by itself, and is no more. */
  onPower?(how: Power): void;
}

/** How a guest died. */
export interface MachineEnd {
  /** One line that names the guest, with its registers and what it did last. */
  readonly message: string;
  /** The same for those who name it themselves. */
  readonly detail: string;
  readonly registers: Registers;
}

export interface MachineOptions {
  /** For messages. */
  readonly name: string;
  /** In bytes. */
  readonly memory: number;
  readonly device?: string;
  readonly platform?: PlatformOptions;
}

/** Where the indices of a virtqueue are: see {@link Machine.setQueue}. */
export interface QueueIndices {
  readonly available: number;
  readonly event?: number | undefined;
}

/** Where a guest begins, in 64-bit mode with interrupts off: see src/long_mode.hh. */
export interface Entry {
  readonly address: number;
  readonly stack?: number;
  /** In RDI and RSI. */
  readonly argument?: number;
}

/** A KVM guest with one processor, which a thread of its own runs. */
export class Machine {
  /** The lowest address that {@link load} takes. */
  static readonly IMAGE_BASE = addon.Machine.IMAGE_BASE;
  /** Where the pages of virtio devices begin. */
  static readonly VIRTIO_BASE = addon.Machine.VIRTIO_BASE;
  /** The size of such a page. */
  static readonly VIRTIO_BYTES = addon.Machine.VIRTIO_BYTES;

  /** Guest-physical address of a virtio device. */
  static virtioBase(slot: number): number {
    return Machine.VIRTIO_BASE + slot * Machine.VIRTIO_BYTES;
  }

  /** Its interrupt line. */
  static virtioLine(slot: number): number {
    return addon.Machine.virtioLine(slot);
  }

  readonly name: string;
  /** The guest's memory, whose descriptor others may map. */
  readonly memory: OwnedMemory;
  readonly #device: string;
  readonly #native: NativeMachine;
  readonly #handler: MachineHandler;
  readonly #exit: ExitRecord;
  readonly #platform: boolean;
  /** Its time is real. */
  readonly #live: boolean;
  readonly #event: Channel;
  /** The first eight bytes of the clock page. */
  #clock: BigUint64Array | undefined;
  #stopped = true;
  #started = false;
  #waiting = false;
  #dispatching = false;
  #seen = 0;
  #held = false;
  #closed = false;

  /** @throws OneclockError `MACHINE` where this machine cannot have KVM guests, `INPUT` for a wrong size */
  constructor(hub: Hub, options: MachineOptions, handler: MachineHandler) {
    const { name, memory, device = '/dev/kvm', platform } = options;
    const { MIN_MEMORY, MAX_MEMORY } = addon.Machine;
    if (!(memory >= MIN_MEMORY && memory <= MAX_MEMORY && memory % 4096 === 0)) {
      throw new OneclockError(
        'INPUT',
        `guest ${name}: memory must be ${MIN_MEMORY} to ${MAX_MEMORY} bytes in pages of 4096, found ${memory}`,
      );
    }
    this.name = name;
    this.#device = device;
    this.#handler = handler;
    this.#platform = platform !== undefined;
    this.#live = platform?.clock === 'real';
    this.memory = createSharedMemory(memory);
    let native: NativeMachine | undefined;
    try {
      native = platform
        ? new addon.Machine(
            device,
            this.memory.descriptor,
            memory,
            CLOCKS[platform.clock],
            platform.timeOfDay,
            platform.features,
            platform.devices,
          )
        : new addon.Machine(device, this.memory.descriptor, memory);
      this.#event = hub.watchEdges(native.event(), () => this.#onExit());
    } catch (cause) {
      native?.stop();
      this.memory.close();
      throw kvmError(device, cause as Error);
    }
    this.#native = native;
    this.#exit = new ExitRecord(this.#native.record);
  }

  /** Copies an image into the guest's memory. */
  load(address: number, image: Uint8Array): void {
    const end = address + image.length;
    if (!(address >= Machine.IMAGE_BASE && end <= this.memory.bytes.length)) {
      throw new OneclockError(
        'INPUT',
        `guest ${this.name}: an image at ${address} to ${end} does not fit between ${Machine.IMAGE_BASE} and ${this.memory.bytes.length}`,
      );
    }
    this.memory.bytes.set(image, address);
  }

  /** With a platform, the guest does not begin before {@link run}; in real time, before {@link thaw}. */
  start({ address, stack = addon.Machine.STACK, argument = 0 }: Entry): void {
    invariant(!this.#started && !this.#closed, () => `guest ${this.name} is started twice`);
    try {
      this.#native.start(address, stack, argument);
    } catch (cause) {
      throw kvmError(this.#device, cause as Error);
    }
    this.#started = true;
    this.#stopped = this.#waiting = this.#platform && !this.#live;
  }

  /** Called by the handler of an access or an operation: the guest does not go on before {@link resume}. */
  hold(): void {
    this.#held = true;
  }

  /** Lets a guest that has stopped go on. A halted one goes on behind its HLT, with or without an interrupt. */
  resume(): void {
    if (this.#dispatching) {
      this.#held = false;
    } else if (this.#stopped && this.#started && !this.#closed) {
      invariant(!this.#waiting, () => `guest ${this.name} waits: it goes on by run()`);
      this.#go();
    }
  }

  /**
   * Lets a guest begin, or go on from where it waits, with a platform: it is `at`, and the guest may move its time to
   * instants before `until`.
   */
  run(at: bigint, until: bigint): void {
    if (this.#closed) return;
    invariant(this.#waiting, () => `guest ${this.name} is run, and does not wait`);
    invariant(
      at >= this.now && at <= LAST_INSTANT,
      () => `guest ${this.name} is run at ${at}, and is at ${this.now}`,
    );
    this.#exit.time = this.#exit.runAt = at;
    this.#limit(until);
    this.#waiting = false;
    if (this.#dispatching) this.#held = false;
    else this.#go();
  }

  /** Only while the guest stands still: it may move its time to instants before `until`. */
  curtail(until: bigint): void {
    if (this.#closed) return;
    invariant(this.#stopped, () => `guest ${this.name} is curtailed while it runs`);
    this.#limit(until);
  }

  /**
   * In real time: the guest does not run any more when this returns, and its time stands still. It is so from the start.
   *
   * @throws OneclockError `MACHINE` where KVM does not let go of it
   */
  freeze(): void {
    if (this.#closed) return;
    try {
      this.#native.freeze();
    } catch (cause) {
      throw new OneclockError('MACHINE', `guest ${this.name}: ${(cause as Error).message}`, { cause });
    }
  }

  /** The end of {@link freeze}. */
  thaw(): void {
    if (!this.#closed) this.#native.thaw();
  }

  /** The guest's time in nanoseconds: where it is virtual, as of its last stop. */
  get now(): bigint {
    return this.#live ? this.#native.now() : this.#exit.time;
  }

  /** What the guest's clock page says, also while it runs; 0 before there is one. */
  get liveNow(): bigint {
    if (this.#closed) return this.now;
    if (!this.#clock) {
      const { page } = this;
      if (page === undefined) return 0n;
      const { buffer, byteOffset } = this.memory.bytes;
      this.#clock = new BigUint64Array(buffer, byteOffset + page, 1);
    }
    return Atomics.load(this.#clock, 0);
  }

  /** When a guest that waits wants to go on; NO_REQUEST where an interrupt alone can help it. */
  get request(): bigint {
    return this.#exit.request;
  }

  get waiting(): boolean {
    return this.#waiting;
  }

  /** Where the clock page is in the memory, once the guest has said so. */
  get page(): number | undefined {
    return this.#exit.page;
  }

  /** How often the guest has left its processor so far. */
  get exits(): bigint {
    return this.#exit.count;
  }

  /** How many of those JavaScript has seen. */
  get seenExits(): number {
    return this.#seen;
  }

  /** The number of the guest's thread, from its start on. */
  get thread(): number | undefined {
    return this.#exit.thread || undefined;
  }

  /** What that thread has used of a processor. */
  get cpuMs(): number {
    return this.#native.cpuMs();
  }

  /** An interrupt that the guest takes as soon as it can; while it stands still, once it is resumed. */
  interrupt(vector: number): void {
    invariant(
      Number.isInteger(vector) && vector >= FIRST_VECTOR && vector <= LAST_VECTOR,
      () => `an interrupt's vector is ${FIRST_VECTOR} to ${LAST_VECTOR}, not ${vector}`,
    );
    this.#native.interrupt(vector);
  }

  /**
   * Only while the guest stands still: whether it has an interrupt to take, or that of the vector. Vectors are those of
   * {@link interrupt}.
   */
  interruptPending(vector?: number): boolean {
    return vector === undefined ? this.#native.interruptPending() : this.#native.interruptPending(vector);
  }

  /**
   * Sets bits of a virtio device's InterruptStatus. In virtual time only while the guest stands still: one that waits takes
   * the interrupt when it is run.
   */
  interruptVirtio(slot: number, bits: number): void {
    if (!this.#closed) this.#native.interruptVirtio(slot, bits);
  }

  /**
   * For how long after a notification of a virtio device's queue nothing can come of it, in nanoseconds. The guest does not
   * stop for it then: the handler is told of it with the next exit that somebody has to see, which is before that time is
   * over. 0, as it is at first: it stops each time. Only in virtual time, while the guest stands still.
   */
  setPatience(slot: number, nanoseconds: bigint): void {
    if (!this.#closed) this.#native.setPatience(slot, nanoseconds);
  }

  /**
   * A queue of a device is ready, or with undefined is not any more; guest-physical addresses of the index of its available
   * ring, and of that for which the driver is to notify, if that is negotiated. Only while the guest stands still.
   */
  setQueue(slot: number, queue: number, indices: QueueIndices | undefined): void {
    if (this.#closed) return;
    if (indices) this.#native.openQueue(slot, queue, indices.available, indices.event ?? 0);
    else this.#native.closeQueue(slot, queue);
  }

  /** Stops a running guest, wherever it is, with `onKick`. Nothing happens where it stops by itself first. */
  kick(): void {
    this.#native.kick();
  }

  /** Only while the guest stands still. */
  registers(): Registers {
    return namedRegisters(this.#native.registers());
  }

  /** Ends a guest that stands still for what it did, as if it had died of it. */
  fail(reason: string): void {
    if (this.#closed) return;
    const last = this.#exit.now();
    this.#end(reason, describeExit(last.kind === ExitKind.KICKED ? this.#exit.before() : last));
  }

  /** Ends the guest and gives everything back. Safe to call twice. */
  stop(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#waiting = false;
    this.#event.close();
    // A handler may be at work in it.
    if (!this.#dispatching) this.memory.close();
    try {
      this.#native.stop();
    } catch (cause) {
      throw new OneclockError('MACHINE', `guest ${this.name}: ${(cause as Error).message}`, { cause });
    }
  }

  #limit(until: bigint): void {
    this.#exit.freeUntil = until > LAST_INSTANT ? LAST_INSTANT : until;
  }

  #go(): void {
    this.#stopped = false;
    this.#native.resume();
  }

  #onExit(): void {
    this.#stopped = true;
    this.#seen++;
    const kind = this.#exit.kind;
    if (!this.#guarded(() => this.#tellNotifications())) return;
    if (kind >= ExitKind.POWER) return this.#over(kind);
    this.#waiting = kind === ExitKind.WAIT;
    // An interrupt that was raised while the halt was on its way ends it.
    this.#held = kind > ExitKind.SERIAL && !(kind === ExitKind.HALT && this.#awake());
    if (this.#held || kind <= ExitKind.SERIAL) {
      this.#guarded(() => this.#dispatch(kind));
    }
    if (!this.#held && !this.#closed) this.#go();
  }

  /** Calls handlers. @returns false where the guest is no more */
  #guarded(action: () => void): boolean {
    this.#dispatching = true;
    try {
      action();
    } finally {
      this.#dispatching = false;
      if (this.#closed) this.memory.close();
    }
    return !this.#closed;
  }

  /** The guest has ended. */
  #over(kind: number): void {
    this.#tellSerial();
    if (this.#closed) return;
    if (kind === ExitKind.POWER) {
      const how = POWER[this.#exit.port] as Power;
      this.stop();
      this.#handler.onPower?.(how);
    } else {
      this.#end(describeExit(this.#exit.now()), describeExit(this.#exit.before()));
    }
  }

  #tellNotifications(): void {
    const notifications = this.#exit.takeNotifications();
    if (notifications.length > 0) this.#handler.onNotified?.(notifications);
  }

  #tellSerial(): void {
    const bytes = this.#exit.takeSerial();
    if (bytes.length > 0) this.#handler.onSerial?.(bytes);
  }

  #awake(): boolean {
    return this.#exit.value !== 0n && this.#native.interruptPending();
  }

  #dispatch(kind: number): void {
    const exit = this.#exit;
    switch (kind) {
      case ExitKind.OUT:
        return this.#handler.onOut?.(exit.port, exit.size, exit.portValue);
      case ExitKind.IN:
        exit.value = BigInt((this.#handler.onIn?.(exit.port, exit.size) ?? -1) >>> 0);
        return;
      case ExitKind.WRITE:
        return this.#handler.onWrite(exit.address, exit.size, exit.value);
      case ExitKind.READ:
        exit.value = this.#handler.onRead(exit.address, exit.size);
        return;
      case ExitKind.HALT:
        return this.#handler.onHalt?.(exit.value !== 0n);
      case ExitKind.WAIT:
        this.#tellSerial();
        return this.#closed ? undefined : this.#handler.onWait?.();
      case ExitKind.BELL:
        return this.#ring(exit.port);
      case ExitKind.SERIAL:
        return this.#tellSerial();
      default:
        return this.#handler.onKick();
    }
  }

  #ring(operation: number): void {
    if (!this.#handler.onBell) return this.fail(`operation ${operation}, which nobody takes`);
    this.#exit.value = this.#handler.onBell(operation, this.#exit.args);
  }

  #end(reason: string, last: string): void {
    const registers = this.registers();
    const detail = `${reason}; last exit: ${last}; ${describeRegisters(registers)}`;
    this.stop();
    this.#handler.onEnd({ message: `guest ${this.name}: ${detail}`, detail, registers });
  }
}
