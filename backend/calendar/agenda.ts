// SPDX-License-Identifier: MIT
import { type Instant, NEVER } from './time.js';

/** Somebody's next instant; in one agenda at a time. */
export interface Entry<T> {
  readonly owner: T;
  /** Orders the entries of one instant. */
  readonly rank: number;
  at: Instant;
  /** Its place in the agenda; -1: it is in none. */
  place: number;
}

export function entry<T>(owner: T, rank: number): Entry<T> {
  return { owner, rank, at: NEVER, place: -1 };
}

/** The next instants of some owners, the earliest on top: a binary heap whose entries can be moved. */
export class Agenda<T> {
  readonly #entries: Entry<T>[] = [];

  /** The earliest instant; NEVER where there is none. */
  get next(): Instant {
    return this.#entries[0]?.at ?? NEVER;
  }

  peek(): Entry<T> | undefined {
    return this.#entries[0];
  }

  /** Puts `item` where its instant, from now on `at`, belongs. O(log n). */
  set(item: Entry<T>, at: Instant): void {
    const entries = this.#entries;
    item.at = at;
    if (item.place < 0) {
      item.place = entries.length;
      entries.push(item);
    }
    this.#settle(item);
  }

  /** Takes `item` out, where it is in. O(log n). */
  delete(item: Entry<T>): void {
    const { place } = item;
    if (place < 0) return;
    item.place = -1;
    const last = this.#entries.pop() as Entry<T>;
    if (last === item) return;
    last.place = place;
    this.#entries[place] = last;
    this.#settle(last);
  }

  /**
   * The two that may come directly after `item` in time. Whoever begins with {@link peek} and goes on to these, always
   * from the earliest that is left, gets all in order, without touching the rest.
   */
  followers({ place }: Entry<T>): readonly [Entry<T> | undefined, Entry<T> | undefined] {
    return [this.#entries[2 * place + 1], this.#entries[2 * place + 2]];
  }

  /** Calls `visit` for all that are earlier than `limit()`, in no particular order; what it gives may come down meanwhile. */
  before(limit: () => Instant, visit: (item: Entry<T>) => void): void {
    this.#visit(this.#entries[0], limit, visit);
  }

  #visit(item: Entry<T> | undefined, limit: () => Instant, visit: (item: Entry<T>) => void): void {
    if (item === undefined || item.at >= limit()) return;
    visit(item);
    for (const follower of this.followers(item)) this.#visit(follower, limit, visit);
  }

  /** Moves `item`, whose neighbours are in order but for it, up or down. */
  #settle(item: Entry<T>): void {
    const entries = this.#entries;
    let { place } = item;
    while (place > 0) {
      const parent = entries[(place - 1) >> 1] as Entry<T>;
      if (!isBefore(item, parent)) break;
      this.#put(parent, place);
      place = (place - 1) >> 1;
    }
    for (;;) {
      let child = 2 * place + 1;
      if (child >= entries.length) break;
      if (child + 1 < entries.length && isBefore(entries[child + 1] as Entry<T>, entries[child] as Entry<T>))
        child++;
      if (!isBefore(entries[child] as Entry<T>, item)) break;
      this.#put(entries[child] as Entry<T>, place);
      place = child;
    }
    this.#put(item, place);
  }

  #put(item: Entry<T>, place: number): void {
    this.#entries[place] = item;
    item.place = place;
  }
}

function isBefore<T>(a: Entry<T>, b: Entry<T>): boolean {
  return a.at < b.at || (a.at === b.at && a.rank < b.rank);
}
