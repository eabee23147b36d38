// SPDX-License-Identifier: MIT
import { Uints } from './lists.js';

/** 2^32 */
export const WORD = 4_294_967_296;

/**
 * Instants in two words of 32 bits each: exact over the whole of virtual time, and their differences cost no memory as
 * those of bigints do. A difference is exact up to 2^53 ns, which is 104 days.
 */
export class Times {
  readonly hi: Uints;
  readonly lo: Uints;

  /** @param room for how many instants, to begin with */
  constructor(room?: number) {
    this.hi = new Uints(room);
    this.lo = new Uints(room);
  }

  get length(): number {
    return this.hi.length;
  }

  push(hi: number, lo: number): void {
    this.hi.push(hi);
    this.lo.push(lo);
  }

  /** Puts another instant in the place of one. */
  set(index: number, hi: number, lo: number): void {
    this.hi.array[index] = hi;
    this.lo.array[index] = lo;
  }

  at(index: number): bigint {
    return joined(this.hi.at(index), this.lo.at(index));
  }

  /** Nanoseconds from `origin` to the instant at `index`. */
  since(origin: Origin, index: number): number {
    return (this.hi.at(index) - origin.hi) * WORD + (this.lo.at(index) - origin.lo);
  }

  /** The first index from `from` on whose instant is `at` or later; the times are in order. */
  firstFrom(at: bigint, from = 0): number {
    return this.search(originOf(at), 0, from, this.length);
  }

  /**
   * The first index from `from` on that is `offset` ns or more after `origin`. It looks near `from` first: what is drawn
   * next is mostly not far.
   */
  gallop(origin: Origin, offset: number, from: number): number {
    const { length } = this;
    let step = 1;
    let low = from;
    while (low + step < length && this.since(origin, low + step) < offset) {
      low += step;
      step *= 2;
    }
    return this.search(origin, offset, low, Math.min(length, low + step + 1));
  }

  private search(origin: Origin, offset: number, from: number, to: number): number {
    let [low, high] = [from, to];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.since(origin, middle) < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** An instant that others are measured from. It may be before 0. */
export interface Origin {
  readonly hi: number;
  readonly lo: number;
}

export function originOf(at: bigint): Origin {
  return { hi: Number(at >> 32n), lo: Number(at & 0xffff_ffffn) };
}

export function joined(hi: number, lo: number): bigint {
  return (BigInt(hi) << 32n) | BigInt(lo);
}
