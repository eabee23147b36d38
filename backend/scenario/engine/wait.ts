// SPDX-License-Identifier: MIT
import type { Engine } from './engine.js';
import { Pending } from './event-heap.js';

/** What can be waited for. */
export interface Source<T> {
  /** What is waited for, for people: `a request of server`. */
  describe(wait: Wait<T>): string;
  /** `wait`, which has not got what it waits for, does not wait any more. */
  withdraw(wait: Wait<T>): void;
  /** `wait` was given `value`, and does not take it: who waited is gone. */
  refuse?(wait: Wait<T>, value: T): void;
}

/** Who waits, which is an event itself: its beginning; the head of the list of what it waits for. */
export abstract class Owner extends Pending {
  /** The last begun. */
  last: Wait<unknown> | undefined;

  constructor(readonly name: string) {
    super();
  }

  /** What is thrown at the next wait; taken by it. */
  takeInterruption(): Error | undefined {
    return undefined;
  }
}

let capturedResolve: (value: never) => void;
let capturedReject: (error: unknown) => void;
/** One function for all promises: making a closure for each costs as much as the promise. */
function capture(resolve: (value: never) => void, reject: (error: unknown) => void): void {
  capturedResolve = resolve;
  capturedReject = reject;
}

/** A promise that somebody waits for, and the event that lets it go on. */
export class Wait<T> extends Pending {
  readonly promise: Promise<T>;
  /** What waited for earlier, and not yet got, by the same owner; and later. */
  earlier: Wait<unknown> | undefined;
  later: Wait<unknown> | undefined;
  // What follows is free for the source.
  /** The least is served first. */
  priority = 0;
  /** Since when it waits, or until when, in nanoseconds. */
  since = 0;
  /** What it waits with: an item, a filter, an amount. */
  note: unknown;
  /** Of T or a promise of it; so written, a wait for something can stand for a wait for anything. */
  readonly #resolve: (value: never) => void;
  readonly #reject: (error: unknown) => void;
  #value: T | undefined;
  #error: unknown;
  #state: 'waiting' | 'given' | 'failed' | 'over' = 'waiting';

  constructor(
    private readonly engine: Engine,
    readonly owner: Owner,
    readonly source: Source<T>,
  ) {
    super();
    this.promise = new Promise<T>(capture);
    this.#resolve = capturedResolve;
    this.#reject = capturedReject;
    const { last } = owner;
    this.earlier = last;
    this.later = undefined;
    if (last !== undefined) last.later = this;
    owner.last = this;
  }

  /** Whether it waits for its source still. */
  get open(): boolean {
    return this.#state === 'waiting';
  }

  /** It goes on with `value` when it happens as an event that its source puts, and withdraws as one. */
  arm(value: T): void {
    this.#value = value;
  }

  /** Who waits goes on with `value`, at this instant, in its turn. */
  give(value: T): void {
    this.#value = value;
    this.#state = 'given';
    this.engine.put(this);
  }

  /** Who waits gets `error` thrown, at this instant, in its turn. */
  fail(error: unknown): void {
    this.#error = error;
    this.#state = 'failed';
    this.engine.put(this);
  }

  fire(): boolean {
    this.engine.owner = this.owner;
    this.unlink();
    if (this.#state === 'failed') this.#reject(this.#error);
    else this.#resolve(this.#value as never);
    this.#state = 'over';
    return true;
  }

  /** Nobody waits for it any more; what it was given goes back to the source. */
  abandon(): void {
    if (this.#state === 'over') return;
    const state = this.#state;
    this.#state = 'over';
    this.unlink();
    if (state === 'waiting') return this.source.withdraw(this);
    this.engine.drop(this);
    if (state === 'given') this.source.refuse?.(this, this.#value as T);
  }

  /** Throws `error` at who waited; after {@link abandon}. */
  reject(error: unknown): void {
    this.promise.catch(() => undefined);
    this.#reject(error);
  }

  /** Waits for `other` instead, whatever comes; to find out where it was awaited. */
  follow(other: Promise<never>): void {
    this.#resolve(other as never);
  }

  private unlink(): void {
    const { earlier, later } = this;
    if (earlier !== undefined) earlier.later = later;
    if (later !== undefined) later.earlier = earlier;
    else this.owner.last = earlier;
  }
}
