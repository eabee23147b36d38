// SPDX-License-Identifier: MIT
import type { Instant } from '../calendar/time.js';

const FIRST_CAPACITY = 16;

/** A first-in first-out queue of instants in a ring that doubles when it is full: eight bytes an entry. */
export class InstantQueue {
  private ring = new BigInt64Array(FIRST_CAPACITY);
  private head = 0;
  private length = 0;

  get size(): number {
    return this.length;
  }

  /** The instant that was pushed first; undefined when the queue is empty. */
  peek(): Instant | undefined {
    return this.length === 0 ? undefined : (this.ring[this.head] as Instant);
  }

  shift(): void {
    if (this.length === 0) return;
    this.head = (this.head + 1) & (this.ring.length - 1);
    this.length--;
  }

  push(at: Instant): void {
    if (this.length === this.ring.length) this.grow();
    // The capacity is a power of two, so that the mask wraps the index.
    this.ring[(this.head + this.length) & (this.ring.length - 1)] = at;
    this.length++;
  }

  private grow(): void {
    const grown = new BigInt64Array(this.ring.length * 2);
    grown.set(this.ring.subarray(this.head));
    grown.set(this.ring.subarray(0, this.head), this.ring.length - this.head);
    this.ring = grown;
    this.head = 0;
  }
}
