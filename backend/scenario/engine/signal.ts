// SPDX-License-Identifier: MIT

import type { Source, Wait } from './wait.js';
import type { Waiter } from './waiter.js';

/** Tells all who wait at that moment, as often as it is fired. What is fired while nobody waits is lost. */
export class Signal<T = void> implements Source<T> {
  #waits: Wait<T>[] = [];

  constructor(
    private readonly waiter: Waiter,
    readonly name: string,
  ) {}

  /** How many wait. */
  get waiting(): number {
    return this.#waits.length;
  }

  /** The value of the next {@link fire}. */
  wait(): Promise<T> {
    return this.waiter.wait(this, (wait) => this.#waits.push(wait));
  }

  /** Gives `value` to all who wait now, in the order in which they began to. */
  fire(value: T): void {
    const waits = this.#waits;
    this.#waits = [];
    for (const wait of waits) wait.give(value);
  }

  describe(): string {
    return `signal ${this.name}`;
  }

  withdraw(wait: Wait<T>): void {
    this.#waits.splice(this.#waits.indexOf(wait), 1);
  }
}

/** Happens once, and has then happened for ever; it can be awaited before and after. */
export class SimulationEvent<T = void> implements Source<T>, PromiseLike<T> {
  readonly #waits: Wait<T>[] = [];
  #outcome: { readonly value: T } | { readonly error: unknown } | undefined;

  constructor(
    private readonly waiter: Waiter,
    readonly name: string,
  ) {}

  /** Whether it has happened. */
  get happened(): boolean {
    return this.#outcome !== undefined;
  }

  /** Its value, where it has happened and did not fail. */
  get value(): T | undefined {
    return this.#outcome !== undefined && 'value' in this.#outcome ? this.#outcome.value : undefined;
  }

  /** It happens. False, and without effect, where it has. */
  succeed(value: T): boolean {
    if (this.happened) return false;
    this.#outcome = { value };
    for (const wait of this.#waits.splice(0)) wait.give(value);
    return true;
  }

  /** It happens, and all who await it get `error` thrown. False, and without effect, where it has. */
  fail(error: unknown): boolean {
    if (this.happened) return false;
    this.#outcome = { error };
    for (const wait of this.#waits.splice(0)) wait.fail(error);
    return true;
  }

  /** Its value, as soon as it has happened. */
  wait(): Promise<T> {
    if (this.#outcome === undefined) return this.waiter.wait(this, (wait) => this.#waits.push(wait));
    return 'value' in this.#outcome
      ? Promise.resolve(this.#outcome.value)
      : Promise.reject(this.#outcome.error);
  }

  // biome-ignore lint/suspicious/noThenProperty: an event is awaited as it is.
  then<A = T, B = never>(
    fulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    rejected?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.wait().then(fulfilled, rejected);
  }

  describe(): string {
    return `event ${this.name}`;
  }

  withdraw(wait: Wait<T>): void {
    this.#waits.splice(this.#waits.indexOf(wait), 1);
  }
}
