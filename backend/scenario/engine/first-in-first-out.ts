// SPDX-License-Identifier: MIT

const KEPT = 1024;

/** A queue whose ends both cost nothing, however long it is. */
export class FirstInFirstOut<T> {
  #items: (T | undefined)[] = [];
  #head = 0;

  get size(): number {
    return this.#items.length - this.#head;
  }

  get first(): T | undefined {
    return this.#items[this.#head];
  }

  add(item: T): void {
    this.#items.push(item);
  }

  take(): T | undefined {
    const items = this.#items;
    if (this.#head === items.length) return undefined;
    const item = items[this.#head];
    items[this.#head++] = undefined;
    if (this.#head === items.length) {
      items.length = 0;
      this.#head = 0;
    } else if (this.#head > KEPT && 2 * this.#head > items.length) {
      this.#items = items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }

  /** Where the first item is that `accepts`, for {@link takeAt}; -1 where none is. */
  find(accepts: (item: T) => boolean): number {
    for (let at = 0; at < this.size; at++) if (accepts(this.#items[this.#head + at] as T)) return at;
    return -1;
  }

  takeAt(at: number): T {
    return (at === 0 ? this.take() : this.#items.splice(this.#head + at, 1)[0]) as T;
  }

  /** Puts `item` back in front of all. */
  restore(item: T): void {
    if (this.#head > 0) this.#items[--this.#head] = item;
    else this.#items.unshift(item);
  }

  toArray(): T[] {
    return this.#items.slice(this.#head) as T[];
  }
}
