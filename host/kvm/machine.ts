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
import { describeExit, ExitKind, ExitReader } from './exits.js';
import { describeRegisters, namedRegisters, type Registers } from './registers.js';

const FIRST_VECTOR = 32;
const LAST_VECTOR = 255;

/**
 * What a guest does that somebody has to see. The guest stands still while a handler is called. After an access it goes
 * on when the handler returns, unless that calls {@link Machine.hold}; after all else it waits for
 * {@link Machine.resume}.
 */
export interface MachineHandler {
  /** @param size 1, 2 or 4 bytes */
  onOut(port: number, size: number, value: number): void;
  /** @returns what the guest reads */
  onIn(port: number, size: number): number;
  /**
   * An access to a guest-physical address where there is no memory.
   *
   * @param size 1 to 8 bytes
   */
  onWrite(address: bigint, size: number, value: bigint): void;
  /** @returns what the guest reads */
  onRead(address: bigint, size: number): bigint;
  /** It has nothing to do until an interrupt comes; nothing ever comes where it has `interrupts` off. */
  onHalt(interrupts: boolean): void;
  /** It was running when {@link Machine.kick} was called. */
  onKick(): void;
  /** It is no more. Called once at most, and not for {@link Machine.stop}. */
  onEnd(end: MachineEnd): void;
}

/** How a guest died. */
export interface MachineEnd {
  /** One line that names the guest, with its registers and what it did last. */
  readonly message: string;
  readonly registers: Registers;
}

export interface MachineOptions {
  /** For messages. */
  readonly name: string;
  /** In bytes. */
  readonly memory: number;
  readonly device?: string;
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

  readonly name: string;
  /** The guest's memory, whose descriptor others may map. */
  readonly memory: OwnedMemory;
  readonly #device: string;
  readonly #native: NativeMachine;
  readonly #handler: MachineHandler;
  readonly #exit: ExitReader;
  readonly #event: Channel;
  #stopped = true;
  #dispatching = false;
  #held = false;
  #closed = false;

  /** @throws OneclockError `MACHINE` where this machine cannot have KVM guests, `INPUT` for a wrong size */
  constructor(hub: Hub, options: MachineOptions, handler: MachineHandler) {
    const { name, memory, device = '/dev/kvm' } = options;
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
    this.memory = createSharedMemory(memory);
    let native: NativeMachine | undefined;
    try {
      native = new addon.Machine(device, this.memory.descriptor, memory);
      this.#event = hub.watch(native.event(), () => this.#onExit());
    } catch (cause) {
      native?.stop();
      this.memory.close();
      throw kvmError(device, cause as Error);
    }
    this.#native = native;
    this.#exit = new ExitReader(this.#native.record);
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

  start({ address, stack = addon.Machine.STACK, argument = 0 }: Entry): void {
    invariant(this.#stopped && !this.#closed, () => `guest ${this.name} is started twice`);
    try {
      this.#native.start(address, stack, argument);
    } catch (cause) {
      throw kvmError(this.#device, cause as Error);
    }
    this.#stopped = false;
  }

  /** Called by the handler of an access: the guest does not go on before {@link resume}. */
  hold(): void {
    this.#held = true;
  }

  /** Lets a guest that has stopped go on. A halted one goes on behind its HLT, with or without an interrupt. */
  resume(): void {
    if (this.#dispatching) {
      this.#held = false;
    } else if (this.#stopped && !this.#closed) {
      this.#stopped = false;
      this.#native.resume();
    }
  }

  /** An interrupt that the guest takes as soon as it can; while it stands still, once it is resumed. */
  interrupt(vector: number): void {
    invariant(
      Number.isInteger(vector) && vector >= FIRST_VECTOR && vector <= LAST_VECTOR,
      () => `an interrupt's vector is ${FIRST_VECTOR} to ${LAST_VECTOR}, not ${vector}`,
    );
    this.#native.interrupt(vector);
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
    if (!this.#closed) this.#end(reason, describeExit(this.#exit.now()));
  }

  /** Ends the guest and gives everything back. Safe to call twice. */
  stop(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#event.close();
    this.memory.close();
    try {
      this.#native.stop();
    } catch (cause) {
      throw new OneclockError('MACHINE', `guest ${this.name}: ${(cause as Error).message}`, { cause });
    }
  }

  #onExit(): void {
    this.#stopped = true;
    const kind = this.#exit.kind;
    if (kind >= ExitKind.SHUTDOWN) {
      this.#end(describeExit(this.#exit.now()), describeExit(this.#exit.before()));
      return;
    }
    // An interrupt that was raised while the halt was on its way ends it.
    this.#held = kind > ExitKind.READ && !(kind === ExitKind.HALT && this.#awake());
    if (this.#held || kind <= ExitKind.READ) {
      this.#dispatching = true;
      try {
        this.#dispatch(kind);
      } finally {
        this.#dispatching = false;
      }
    }
    if (!this.#held) this.resume();
  }

  #awake(): boolean {
    return this.#exit.value !== 0n && this.#native.interruptPending();
  }

  #dispatch(kind: number): void {
    const exit = this.#exit;
    switch (kind) {
      case ExitKind.OUT:
        return this.#handler.onOut(exit.port, exit.size, exit.portValue);
      case ExitKind.IN:
        exit.value = BigInt(this.#handler.onIn(exit.port, exit.size) >>> 0);
        return;
      case ExitKind.WRITE:
        return this.#handler.onWrite(exit.address, exit.size, exit.value);
      case ExitKind.READ:
        exit.value = this.#handler.onRead(exit.address, exit.size);
        return;
      case ExitKind.HALT:
        return this.#handler.onHalt(exit.value !== 0n);
      default:
        return this.#handler.onKick();
    }
  }

  #end(reason: string, last: string): void {
    const registers = this.registers();
    const message = `guest ${this.name}: ${reason}; last exit: ${last}; ${describeRegisters(registers)}`;
    this.stop();
    this.#handler.onEnd({ message, registers });
  }
}
