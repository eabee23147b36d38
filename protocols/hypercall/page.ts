// SPDX-License-Identifier: MIT
import { invariant } from '../../backend/errors.js';
import {
  ARGS,
  HYPERCALL_VERSION,
  PageLayout as L,
  LINES,
  MAX_VECTOR,
  MIN_VECTOR,
  NO_REQUEST,
  ResultError,
  WarpLayout as W,
} from './constants.js';

/** 2^63-1: later than every instant. */
const NEVER = 0x7fff_ffff_ffff_ffffn;
const MAX_PENDING = 0xffff_ffff;

/** What the VMM tells a guest at START. */
export interface StartAnswer {
  /** Nanoseconds. */
  readonly now: bigint;
  /** The time of day at now = 0, in nanoseconds since 1970. */
  readonly tod: bigint;
  /** Bits of {@link Feature} that the run has. */
  readonly features: number;
}

/** What a guest has at START. */
export interface Started {
  /** Bits of {@link Feature} that the guest can use and the run has. */
  readonly features: number;
  /** The vector of its timer interrupt; 0: line 0 of the 8259. */
  readonly vector: number;
}

/** What a partition has missed; hypercall.h says what each is. */
export interface Warp {
  readonly sequence: bigint;
  readonly left: bigint;
  readonly entered: bigint;
  readonly slotEnd: bigint;
  readonly ticks: bigint;
  /** For each line, from line 0 on; what a line has no room for is cut off. */
  readonly pending: readonly number[];
}

/**
 * `struct oneclock_hc_page` in the memory of a guest, which may have written anything into it. What the VMM has to know
 * it keeps here and reads from there only what is the guest's to write, once, with a check. To be used while the guest
 * is stopped.
 */
export class HypercallPage {
  readonly #words: Uint32Array;
  readonly #longs: BigUint64Array;
  /** As they were set or checked, whatever the guest has made of them. */
  #now = 0n;
  #freeUntil = 0n;

  /** @param bytes the page, in place */
  constructor(bytes: Uint8Array) {
    invariant(bytes.length === L.BYTES, () => `expected ${L.BYTES} bytes, found ${bytes.length}`);
    this.#words = new Uint32Array(bytes.buffer, bytes.byteOffset, L.BYTES >> 2);
    this.#longs = new BigUint64Array(bytes.buffer, bytes.byteOffset, L.BYTES >> 3);
  }

  /**
   * Answers START.
   *
   * @returns undefined where the guest has another version, which is told to it
   * @throws Error where it asks for a vector that is none
   */
  start({ now, tod, features }: StartAnswer): Started | undefined {
    const version = this.#word(L.VERSION);
    this.#words[L.VERSION >> 2] = HYPERCALL_VERSION;
    if (version !== HYPERCALL_VERSION) {
      this.answer(-BigInt(ResultError.VERSION));
      return undefined;
    }
    const vector = this.#word(L.VECTOR);
    if (vector !== 0 && (vector < MIN_VECTOR || vector > MAX_VECTOR)) {
      throw new Error(`expected a vector from ${MIN_VECTOR} to ${MAX_VECTOR} or 0, found ${vector}`);
    }
    // Bits of no meaning to us are in neither.
    const common = (this.#word(L.FEATURES) & features) >>> 0;
    this.#words[L.FEATURES >> 2] = common;
    this.#longs[L.TOD >> 3] = tod;
    this.run(now, now);
    this.answer(0n);
    return { features: common, vector };
  }

  /**
   * Reads how far the guest has come by itself. A fault leaves the time as it was.
   *
   * @throws Error where it has gone back, or as far as it may not go
   */
  takeNow(): bigint {
    const now = this.#long(L.NOW);
    // At one and the same instant it may always stay: `free_until` can be earlier.
    if (now < this.#now || (now > this.#now && now >= this.#freeUntil)) {
      throw new Error(`expected a time from ${this.#now} to before ${this.#freeUntil}, found ${now}`);
    }
    this.#now = now;
    return now;
  }

  /** The time as it was last read or set, in nanoseconds. */
  get now(): bigint {
    return this.#now;
  }

  /**
   * RUN and FREE_UNTIL: sets both times, before the guest goes on.
   *
   * @param now not before {@link now}
   * @param freeUntil at most 2^63-1
   */
  run(now: bigint, freeUntil: bigint): void {
    invariant(
      now >= this.#now && now <= NEVER && freeUntil >= 0n && freeUntil <= NEVER,
      () => `expected times from ${this.#now} to ${NEVER}, found ${now} and ${freeUntil}`,
    );
    this.#now = now;
    this.#freeUntil = freeUntil;
    this.#longs[L.NOW >> 3] = now;
    this.#longs[L.FREE_UNTIL >> 3] = freeUntil;
  }

  /** REQUEST: when the guest wants its timer interrupt, not before {@link now}; undefined: never. */
  request(): bigint | undefined {
    const at = this.#long(L.REQ);
    if (at >= NEVER) return undefined;
    return at < this.#now ? this.#now : at;
  }

  /** The timer interrupt is raised. */
  clearRequest(): void {
    this.#longs[L.REQ >> 3] = NO_REQUEST;
  }

  /** What goes with an operation that was rung by the port; each an unsigned 64-bit number, not checked. */
  args(): bigint[] {
    return Array.from({ length: ARGS }, (_, place) => this.#long(L.ARG + 8 * place));
  }

  /** The result of START, or of an operation that was rung by the port. */
  answer(result: bigint): void {
    this.#longs[L.RET >> 3] = result;
  }

  /** Tells a partition what it has missed. */
  warp({ sequence, left, entered, slotEnd, ticks, pending }: Warp): void {
    this.#longs[(L.WARP + W.SEQUENCE) >> 3] = sequence;
    this.#longs[(L.WARP + W.LEFT) >> 3] = left;
    this.#longs[(L.WARP + W.ENTERED) >> 3] = entered;
    this.#longs[(L.WARP + W.SLOT_END) >> 3] = slotEnd;
    this.#longs[(L.WARP + W.TICKS) >> 3] = ticks;
    for (let line = 0; line < LINES; line++) {
      this.#words[((L.WARP + W.PENDING) >> 2) + line] = Math.min(pending[line] ?? 0, MAX_PENDING);
    }
  }

  #word(offset: number): number {
    return this.#words[offset >> 2] as number;
  }

  #long(offset: number): bigint {
    return this.#longs[offset >> 3] as bigint;
  }
}
