// SPDX-License-Identifier: MIT

/** Why a guest stopped; the numbers are `ExitKind` in src/exit.hh. */
export const ExitKind = {
  OUT: 0,
  IN: 1,
  WRITE: 2,
  READ: 3,
  HYPERCALL: 4,
  BELL: 5,
  SERIAL: 6,
  WAIT: 7,
  HALT: 8,
  KICKED: 9,
  POWER: 10,
  BREACH: 11,
  SHUTDOWN: 12,
  ENTRY_FAILURE: 13,
  INTERNAL_ERROR: 14,
  UNKNOWN: 15,
  FAILURE: 16,
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

/** A notification of a virtio queue that the guest went on from: see src/notifications.hh. */
export interface Notification {
  /** When it came; nanoseconds of virtual time. */
  readonly at: bigint;
  readonly slot: number;
  readonly queue: number;
  /** The index of the queue's available ring by then. */
  readonly available: number;
}

const NO_NOTIFICATIONS: readonly Notification[] = [];

const hex = (value: bigint) => `0x${value.toString(16)}`;

/** What a guest may not do, from what was found and what that was held against; the order is `Breach` in src/exit.hh. */
const BREACHES: readonly ((found: bigint, against: bigint) => string)[] = [
  () => 'it halts for ever: interrupts are off',
  (size) => `an access of ${size} bytes to a port of the clock, which takes writes of 4 bytes only`,
  (operation) => `operation ${operation} before START`,
  (frame, frames) => `the clock page is frame ${hex(frame)} of a memory of ${hex(frames)}`,
  (frame, first) => `START with page frame ${hex(frame)}, after one with ${hex(first)}`,
  (vector) => `the timer interrupt has vector ${vector}, which is none of 32 to 255`,
  (found, before) => `its clock goes back from ${before} ns to ${found} ns`,
  (found, until) => `its clock is at ${found} ns, where it may not reach ${until} ns`,
  (operation) => `operation ${operation}, which there is not`,
  (instant, now) => `ADVANCE to ${instant} ns, where ${now} ns to 2^63-1 ns are possible`,
  (how) => `END with ${how}, where 0 to 2 are possible`,
  () => 'it does not know of real time: its kernel does not ask for ONECLOCK_HC_FEATURE_REAL',
];

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
    case ExitKind.HYPERCALL:
      return `hypercall ${address} with ${hex(value)}`;
    case ExitKind.BELL:
      return `operation ${address}`;
    case ExitKind.SERIAL:
      return 'output of the serial port';
    case ExitKind.WAIT:
      return 'wait';
    case ExitKind.HALT:
      return value === 0n ? 'halt with interrupts off' : 'halt';
    case ExitKind.KICKED:
      return 'kick';
    case ExitKind.POWER:
      return 'its own end';
    case ExitKind.BREACH:
      return BREACHES[size]?.(address, value) ?? `breach ${size}`;
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

/** Places in an `ExitRecord` of src/exit.hh, in words of 64 bits. */
const Word = {
  NOW: 0,
  BEFORE: 3,
  ARGS: 6,
  COUNT: 9,
  TIME: 10,
  REQUEST: 11,
  RUN_AT: 12,
  FREE_UNTIL: 13,
  PAGE: 14,
  THREAD: 15,
  SERIAL: 16,
  NOTIFIED: 48,
  NOTIFICATIONS: 49,
} as const;
const NOTIFICATION_WORDS = 2;
const NO_PAGE = 0xffff_ffff_ffff_ffffn;

/** The exit record that the addon shares. */
export class ExitRecord {
  readonly #words: BigUint64Array;
  readonly #halves: Uint32Array;
  readonly #bytes: Uint8Array;

  constructor(record: ArrayBuffer) {
    this.#words = new BigUint64Array(record);
    this.#halves = new Uint32Array(record);
    this.#bytes = new Uint8Array(record);
  }

  get kind(): number {
    return this.#halves[0] as number;
  }

  get size(): number {
    return this.#halves[1] as number;
  }

  /** The address without its upper half: all of a port or an operation. */
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
    return this.#at(Word.NOW);
  }

  /** The exit before this one, whoever has seen it. */
  before(): Exit {
    return this.#at(Word.BEFORE);
  }

  /** Of an operation. */
  get args(): [bigint, bigint, bigint] {
    return [0, 1, 2].map((i) => this.#words[Word.ARGS + i]) as [bigint, bigint, bigint];
  }

  /** How many exits there were, also those that came no further than the addon. */
  get count(): bigint {
    return this.#words[Word.COUNT] as bigint;
  }

  get time(): bigint {
    return this.#words[Word.TIME] as bigint;
  }

  set time(instant: bigint) {
    this.#words[Word.TIME] = instant;
  }

  get request(): bigint {
    return this.#words[Word.REQUEST] as bigint;
  }

  set runAt(instant: bigint) {
    this.#words[Word.RUN_AT] = instant;
  }

  set freeUntil(instant: bigint) {
    this.#words[Word.FREE_UNTIL] = instant;
  }

  /** Guest-physical; undefined before the guest has named it. */
  get page(): number | undefined {
    const page = this.#words[Word.PAGE] as bigint;
    return page === NO_PAGE ? undefined : Number(page);
  }

  /** 0 before there is one. */
  get thread(): number {
    return this.#halves[Word.THREAD * 2] as number;
  }

  /** Takes away what the guest has written to its serial port. */
  takeSerial(): Uint8Array {
    const count = Word.THREAD * 2 + 1;
    const from = Word.SERIAL * 8;
    const bytes = this.#bytes.slice(from, from + (this.#halves[count] as number));
    this.#halves[count] = 0;
    return bytes;
  }

  /** Takes away what notifications there are, in their order. */
  takeNotifications(): readonly Notification[] {
    const count = this.#halves[Word.NOTIFIED * 2] as number;
    if (count === 0) return NO_NOTIFICATIONS;
    this.#halves[Word.NOTIFIED * 2] = 0;
    return Array.from({ length: count }, (_, place) => {
      const word = Word.NOTIFICATIONS + place * NOTIFICATION_WORDS;
      const [low, high] = [this.#halves[word * 2 + 2] as number, this.#halves[word * 2 + 3] as number];
      const at = this.#words[word] as bigint;
      return { at, slot: low & 0xffff, queue: low >>> 16, available: high & 0xffff };
    });
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
