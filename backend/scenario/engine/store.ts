// SPDX-License-Identifier: MIT
import { OneclockError } from '../../errors.js';
import { FirstInFirstOut } from './first-in-first-out.js';
import { SortedItems } from './sorted-items.js';
import { Tally, TimeWeighted } from './statistics.js';
import type { Source } from './wait.js';
import { WaitLine } from './wait-line.js';
import type { Waiter } from './waiter.js';

export interface StoreOptions<T> {
  readonly name?: string;
  /** How many items it has room for; without bound where it is absent. */
  readonly capacity?: number;
  /** Negative where its first argument is to be taken first; without it, items are taken as they came. */
  readonly order?: (a: T, b: T) => number;
}

type Accepts<T> = (item: T) => boolean;

interface Items<T> {
  readonly size: number;
  add(item: T): void;
  restore(item: T): void;
  find(accepts: Accepts<T>): number;
  takeAt(at: number): T;
  toArray(): T[];
}

/** Items on their way between processes: a mailbox, a buffer, the queue of a network card. */
export class Store<T> {
  readonly name: string;
  readonly capacity: number;
  /** How many items are in it. */
  readonly level: TimeWeighted;
  /** How long those waited who have got an item, in seconds. */
  readonly waited = new Tally();
  /** How many {@link offer} found no room for. */
  dropped = 0;
  readonly #items: Items<T>;
  readonly #getters = new WaitLine<T>();
  readonly #putters = new WaitLine<void>();
  readonly #asGet: Source<T>;
  readonly #asPut: Source<void>;

  constructor(
    private readonly waiter: Waiter,
    options: StoreOptions<T> = {},
  ) {
    this.name = options.name ?? 'a store';
    this.capacity = options.capacity ?? Number.POSITIVE_INFINITY;
    if (!(this.capacity >= 1)) {
      throw new OneclockError(
        'INPUT',
        `the capacity of ${this.name} must be 1 or more; found ${this.capacity}`,
      );
    }
    this.level = new TimeWeighted(waiter.engine);
    this.#items = options.order === undefined ? new FirstInFirstOut<T>() : new SortedItems(options.order);
    this.#asGet = {
      describe: () => `an item of ${this.name}`,
      withdraw: (wait) => this.#getters.remove(wait),
      refuse: (_wait, item) => {
        if (!this.#handOver(item)) {
          this.#items.restore(item);
          this.level.set(this.#items.size);
        }
      },
    };
    this.#asPut = {
      describe: () => `room in ${this.name}`,
      withdraw: (wait) => this.#putters.remove(wait),
    };
  }

  get size(): number {
    return this.#items.size;
  }

  /** The items, in the order in which they will be taken. */
  get items(): T[] {
    return this.#items.toArray();
  }

  /** Puts `item` in, as soon as there is room. Who waits for room and is cancelled has not put it. */
  put(item: T): Promise<void> {
    if (this.#accept(item)) return Promise.resolve();
    return this.waiter.wait(this.#asPut, (wait) => {
      wait.note = item;
      this.#putters.add(wait);
    });
  }

  /** Puts `item` in where there is room; else drops it, and says false. */
  offer(item: T): boolean {
    if (this.#accept(item)) return true;
    this.dropped++;
    return false;
  }

  /** Takes the first item, or the first that `accepts`, as soon as there is one. */
  get(accepts?: Accepts<T>): Promise<T> {
    const at = this.#find(accepts);
    if (at >= 0) {
      this.waited.record(0);
      return Promise.resolve(this.#take(at));
    }
    return this.waiter.wait(this.#asGet, (wait) => {
      wait.note = accepts;
      wait.since = this.waiter.engine.nanoseconds;
      this.#getters.add(wait);
    });
  }

  /** Takes the first item, or the first that `accepts`, where there is one. */
  poll(accepts?: Accepts<T>): T | undefined {
    const at = this.#find(accepts);
    return at < 0 ? undefined : this.#take(at);
  }

  #find(accepts: Accepts<T> | undefined): number {
    if (this.#items.size === 0) return -1;
    return accepts === undefined ? 0 : this.#items.find(accepts);
  }

  #take(at: number): T {
    const item = this.#items.takeAt(at);
    while (this.#items.size < this.capacity) {
      const putter = this.#putters.take();
      if (putter === undefined) break;
      this.#accept(putter.note as T);
      putter.give();
    }
    this.level.set(this.#items.size);
    return item;
  }

  #accept(item: T): boolean {
    if (this.#handOver(item)) return true;
    if (this.#items.size >= this.capacity) return false;
    this.#items.add(item);
    this.level.set(this.#items.size);
    return true;
  }

  /** Gives `item` to the first who waits for such a one. */
  #handOver(item: T): boolean {
    const getter = this.#getters.find(({ note }) => note === undefined || (note as Accepts<T>)(item));
    if (getter === undefined) return false;
    this.waited.record((this.waiter.engine.nanoseconds - getter.since) / 1e9);
    getter.give(item);
    return true;
  }
}
