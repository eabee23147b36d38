// SPDX-License-Identifier: MIT
import type { Wait } from './wait.js';

const KEPT = 256;

/** Who waits for something: the least priority first, and among equals who came first. */
export class WaitLine<T> {
  readonly #waits: Wait<T>[] = [];
  #head = 0;

  get size(): number {
    return this.#waits.length - this.#head;
  }

  get first(): Wait<T> | undefined {
    return this.#waits[this.#head];
  }

  add(wait: Wait<T>): void {
    const waits = this.#waits;
    let at = waits.length;
    while (at > this.#head && (waits[at - 1] as Wait<T>).priority > wait.priority) at--;
    if (at === waits.length) waits.push(wait);
    else waits.splice(at, 0, wait);
  }

  /** Takes the first. */
  take(): Wait<T> | undefined {
    const first = this.#waits[this.#head];
    if (first === undefined) return undefined;
    this.#head++;
    if (this.#head === this.#waits.length || this.#head > KEPT) {
      this.#waits.splice(0, this.#head);
      this.#head = 0;
    }
    return first;
  }

  /** Takes the first that `accepts`. */
  find(accepts: (wait: Wait<T>) => boolean): Wait<T> | undefined {
    for (let at = this.#head; at < this.#waits.length; at++) {
      const wait = this.#waits[at] as Wait<T>;
      if (!accepts(wait)) continue;
      if (at === this.#head) return this.take();
      this.#waits.splice(at, 1);
      return wait;
    }
    return undefined;
  }

  remove(wait: Wait<T>): void {
    const at = this.#waits.indexOf(wait, this.#head);
    if (at >= 0) this.#waits.splice(at, 1);
  }
}
