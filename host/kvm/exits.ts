// SPDX-License-Identifier: MIT

/** Why a guest stopped; the numbers are `ExitKind` in src/exit.hh. */
export const ExitKind = {
  OUT: 0,
  IN: 1,
  WRITE: 2,
  READ: 3,
  HALT: 4,
  KICKED: 5,
  SHUTDOWN: 6,
  ENTRY_FAILURE: 7,
  INTERNAL_ERROR: 8,
  UNKNOWN: 9,
  FAILURE: 10,
} as const;

/** One exit: see `Exit` in src/exit.hh. */
export interface Exit {
  readonly kind: number;
  /** Of an access, in bytes. */
  readonly size: number;
  /** A port or a guest-physical address. */
  readonly address: bigint;
  readonly value: bigint;
}

const hex = (value: bigint) => `0x${value.toString(16)}`;

/** An exit in words, for messages. */
export function describeExit({ kind, size, address, value }: Exit): string {
  switch (kind) {
    case ExitKind.OUT:
      return `out of ${hex(value)} (${size} bytes) to port ${hex(address)}`;
    case ExitKind.IN:
      return `in of ${size} bytes from port ${hex(address)}`;
    case ExitKind.WRITE:
      return `write of ${hex(value)} (${size} bytes) to ${hex(address)}`;
    case ExitKind.READ:
      return `read of ${size} bytes from ${hex(address)}`;
    case ExitKind.HALT:
      return value === 0n ? 'halt with interrupts off' : 'halt';
    case ExitKind.KICKED:
      return 'kick';
    case ExitKind.SHUTDOWN:
      return 'triple fault';
    case ExitKind.ENTRY_FAILURE:
      return `the processor does not enter it (reason ${hex(value)})`;
    case ExitKind.INTERNAL_ERROR:
      return `KVM cannot go on with it (internal error ${value})`;
    case ExitKind.FAILURE:
      return `KVM_RUN fails (errno ${value})`;
    default:
      return `KVM stops it for an unknown reason (${value})`;
  }
}

/** Words of an `ExitRecord` by their place, in 64 bits and in 32 bits. */
const WORDS = 3;
const BEFORE = WORDS;

/** Reads the exit record that the addon shares. */
export class ExitReader {
  readonly #words: BigUint64Array;
  readonly #halves: Uint32Array;

  constructor(record: ArrayBuffer) {
    this.#words = new BigUint64Array(record);
    this.#halves = new Uint32Array(record);
  }

  get kind(): number {
    return this.#halves[0] as number;
  }

  get size(): number {
    return this.#halves[1] as number;
  }

  /** The address without its upper half: all of a port. */
  get port(): number {
    return this.#halves[2] as number;
  }

  get address(): bigint {
    return this.#words[1] as bigint;
  }

  /** The value without its upper half: all of what a port takes. */
  get portValue(): number {
    return this.#halves[4] as number;
  }

  get value(): bigint {
    return this.#words[2] as bigint;
  }

  /** The answer to what the guest asked for. */
  set value(answer: bigint) {
    this.#words[2] = answer;
  }

  now(): Exit {
    return this.#at(0);
  }

  /** The exit before this one. */
  before(): Exit {
    return this.#at(BEFORE);
  }

  #at(word: number): Exit {
    return {
      kind: this.#halves[word * 2] as number,
      size: this.#halves[word * 2 + 1] as number,
      address: this.#words[word + 1] as bigint,
      value: this.#words[word + 2] as bigint,
    };
  }
}
