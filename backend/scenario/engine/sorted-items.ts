// SPDX-License-Identifier: MIT

/** Items in an order, and among equals as they came. */
export class SortedItems<T> {
  /** The first is last, so that taking it moves nothing. */
  readonly #items: T[] = [];

  /** @param order negative where its first argument comes first */
  constructor(private readonly order: (a: T, b: T) => number) {}

  get size(): number {
    return this.#items.length;
  }

  add(item: T): void {
    this.#insert(item, (other) => this.order(item, other) >= 0);
  }

  /** Puts `item` back in front of its equals. */
  restore(item: T): void {
    this.#insert(item, (other) => this.order(item, other) > 0);
  }

  find(accepts: (item: T) => boolean): number {
    const last = this.#items.length - 1;
    for (let at = last; at >= 0; at--) if (accepts(this.#items[at] as T)) return last - at;
    return -1;
  }

  takeAt(at: number): T {
    return this.#items.splice(this.#items.length - 1 - at, 1)[0] as T;
  }

  toArray(): T[] {
    return this.#items.toReversed();
  }

  #insert(item: T, isBehind: (other: T) => boolean): void {
    let low = 0;
    let high = this.#items.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (isBehind(this.#items[middle] as T)) high = middle;
      else low = middle + 1;
    }
    this.#items.splice(low, 0, item);
  }
}
