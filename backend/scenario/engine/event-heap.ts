// SPDX-License-Identifier: MIT

/** Something that will happen, at most once. */
export abstract class Pending {
  /** Its place among those of the same instant: the order in which they were made. */
  sequence = 0;
  /** It does not happen any more; it is passed over where it is found. */
  dropped = false;

  /** Lets it happen. True where promise jobs may be left behind. */
  abstract fire(): boolean;
}

const FIRST_CAPACITY = 64;

/**
 * The least by (key, sequence) is on top. Keys are in an array of doubles of their own, which is four times as
 * fast in V8 as comparing 64-bit integers in objects.
 */
export class EventHeap {
  #keys = new Float64Array(FIRST_CAPACITY);
  readonly #events: Pending[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The least key; Infinity where there is none. */
  get key(): number {
    return this.#size === 0 ? Number.POSITIVE_INFINITY : (this.#keys[0] as number);
  }

  get top(): Pending | undefined {
    return this.#events[0];
  }

  /** @param event has a greater sequence than every event here that has the same key */
  push(event: Pending, key: number): void {
    let at = this.#size++;
    if (at === this.#keys.length) this.#grow();
    const keys = this.#keys;
    const events = this.#events;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const other = keys[parent] as number;
      if (other <= key) break;
      keys[at] = other;
      events[at] = events[parent] as Pending;
      at = parent;
    }
    keys[at] = key;
    events[at] = event;
  }

  /** Takes the first; there is one. */
  pop(): Pending {
    const top = this.#events[0] as Pending;
    const last = this.#events.pop() as Pending;
    const size = --this.#size;
    if (size > 0) this.#sink(0, last, this.#keys[size] as number);
    return top;
  }

  /** Forgets those that are dropped. */
  sweep(): void {
    const events = this.#events;
    const keys = this.#keys;
    let kept = 0;
    for (let at = 0; at < this.#size; at++) {
      const event = events[at] as Pending;
      if (event.dropped) continue;
      events[kept] = event;
      keys[kept++] = keys[at] as number;
    }
    events.length = kept;
    this.#size = kept;
    for (let at = (kept >> 1) - 1; at >= 0; at--) this.#sink(at, events[at] as Pending, keys[at] as number);
  }

  #sink(from: number, event: Pending, key: number): void {
    const keys = this.#keys;
    const events = this.#events;
    const size = this.#size;
    let at = from;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= size) break;
      let least = keys[child] as number;
      if (child + 1 < size) {
        const right = keys[child + 1] as number;
        if (right < least || (right === least && this.#before(child + 1, events[child] as Pending))) {
          child++;
          least = right;
        }
      }
      if (least > key || (least === key && !this.#before(child, event))) break;
      keys[at] = least;
      events[at] = events[child] as Pending;
      at = child;
    }
    keys[at] = key;
    events[at] = event;
  }

  #before(at: number, event: Pending): boolean {
    return (this.#events[at] as Pending).sequence < event.sequence;
  }

  #grow(): void {
    const larger = new Float64Array(2 * this.#keys.length);
    larger.set(this.#keys);
    this.#keys = larger;
  }
}
