// SPDX-License-Identifier: MIT
import { Doubles } from './lists.js';
import { joined, type Origin, Times } from './times.js';

/** Spans of virtual time, in order, that do not overlap. The last one may be open: it goes on. */
export class Spans {
  readonly starts = new Times();
  readonly ends = new Times();
  /** Nanoseconds in all spans before the one at the index. */
  readonly before = new Doubles();
  /** Whether the last one has no end yet. */
  open = false;

  get length(): number {
    return this.starts.length;
  }

  /** A span begins; one that is open ends there. */
  begin(hi: number, lo: number): void {
    if (this.open) this.end(hi, lo);
    const last = this.length - 1;
    this.before.push(last < 0 ? 0 : this.before.at(last) + this.duration(last));
    this.starts.push(hi, lo);
    this.ends.push(hi, lo);
    this.open = true;
  }

  /** The last span lasts up to here, or longer. */
  extend(hi: number, lo: number): void {
    this.ends.set(this.length - 1, hi, lo);
  }

  /** The open span ends. */
  end(hi: number, lo: number): void {
    this.extend(hi, lo);
    this.open = false;
  }

  duration(index: number): number {
    return this.ends.since({ hi: this.starts.hi.at(index), lo: this.starts.lo.at(index) }, index);
  }

  /** Nanoseconds in all spans. */
  get total(): number {
    const last = this.length - 1;
    return last < 0 ? 0 : this.before.at(last) + this.duration(last);
  }

  /** The first span that ends at `offset` after `origin`, or later. */
  firstEndingFrom(origin: Origin, offset: number): number {
    return this.ends.gallop(origin, offset, 0);
  }

  /** The span that `at` is in. */
  find(at: bigint): { readonly start: bigint; readonly end: bigint } | undefined {
    const index = this.ends.firstFrom(at);
    if (index === this.length || this.starts.at(index) > at) return undefined;
    return {
      start: joined(this.starts.hi.at(index), this.starts.lo.at(index)),
      end: this.ends.at(index),
    };
  }
}
