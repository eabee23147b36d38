// SPDX-License-Identifier: MIT
import { OneclockError } from '../../errors.js';
import { TimeWeighted } from './statistics.js';
import type { Source, Wait } from './wait.js';
import { WaitLine } from './wait-line.js';
import type { Waiter } from './waiter.js';

export interface ContainerOptions {
  readonly name?: string;
  /** How much it holds at most; without bound where it is absent. */
  readonly capacity?: number;
  /** How much is in it at the beginning; nothing where it is absent. */
  readonly initial?: number;
}

/** An amount of something that cannot be told apart: bytes of a buffer, energy, tokens. */
export class Container {
  readonly name: string;
  readonly capacity: number;
  /** How much is in it. */
  readonly level: TimeWeighted;
  readonly #getters = new WaitLine<void>();
  readonly #putters = new WaitLine<void>();
  readonly #asGet: Source<void>;
  readonly #asPut: Source<void>;

  constructor(
    private readonly waiter: Waiter,
    options: ContainerOptions = {},
  ) {
    this.name = options.name ?? 'a container';
    this.capacity = options.capacity ?? Number.POSITIVE_INFINITY;
    const { initial = 0 } = options;
    if (!(this.capacity > 0) || !(initial >= 0 && initial <= this.capacity)) {
      throw new OneclockError(
        'INPUT',
        `${this.name} must have a capacity above 0, and begin with 0 up to that; found ${this.capacity} and ${initial}`,
      );
    }
    this.level = new TimeWeighted(waiter.engine, initial);
    const amount = (wait: Wait<void>) => wait.note as number;
    this.#asGet = {
      describe: (wait) => `${amount(wait)} from ${this.name}, which has ${this.level.value}`,
      withdraw: (wait) => {
        this.#getters.remove(wait);
        this.#serve();
      },
      refuse: (wait) => {
        this.level.add(amount(wait));
        this.#serve();
      },
    };
    this.#asPut = {
      describe: (wait) => `room for ${amount(wait)} in ${this.name}, which has ${this.level.value}`,
      withdraw: (wait) => {
        this.#putters.remove(wait);
        this.#serve();
      },
    };
  }

  /** Takes `amount` out as soon as that much is there. Who waits is served in the order of coming. */
  get(amount: number): Promise<void> {
    this.#check(amount);
    if (this.#getters.size === 0 && this.level.value >= amount) {
      this.level.add(-amount);
      this.#serve();
      return Promise.resolve();
    }
    return this.waiter.wait(this.#asGet, (wait) => {
      wait.note = amount;
      this.#getters.add(wait);
    });
  }

  /** Puts `amount` in as soon as there is room for it. Who waits is served in the order of coming. */
  put(amount: number): Promise<void> {
    this.#check(amount);
    if (this.#putters.size === 0 && this.level.value + amount <= this.capacity) {
      this.level.add(amount);
      this.#serve();
      return Promise.resolve();
    }
    return this.waiter.wait(this.#asPut, (wait) => {
      wait.note = amount;
      this.#putters.add(wait);
    });
  }

  /** Lets those go on who can, each the first of its line. */
  #serve(): void {
    for (;;) {
      const getter = this.#getters.first;
      const putter = this.#putters.first;
      if (getter !== undefined && this.level.value >= (getter.note as number)) {
        this.level.add(-(getter.note as number));
        this.#getters.take()?.give();
      } else if (putter !== undefined && this.level.value + (putter.note as number) <= this.capacity) {
        this.level.add(putter.note as number);
        this.#putters.take()?.give();
      } else return;
    }
  }

  #check(amount: number): void {
    if (amount > 0 && amount <= this.capacity) return;
    throw new OneclockError(
      'INPUT',
      `an amount of ${this.name} must be above 0 and no more than its capacity, ${this.capacity}; found ${amount}`,
    );
  }
}
