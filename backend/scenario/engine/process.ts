// SPDX-License-Identifier: MIT
import type { Engine } from './engine.js';
import { Pending } from './event-heap.js';
import { Cancelled } from './interruptions.js';
import { Owner, type Source, type Wait } from './wait.js';
import type { Waiter } from './waiter.js';

/** What a process needs of the simulation that it is in. */
export interface ProcessHost {
  readonly engine: Engine;
  readonly waiter: Waiter;
  /** A process has begun, or ended. */
  enter(process: Process<unknown>): void;
  leave(process: Process<unknown>): void;
  /** Ends the run. */
  fail(error: unknown): void;
}

/** What a process does. It is given the process, to know its name and to cancel itself. */
export type Body<T> = (process: Process<unknown>) => T | PromiseLike<T>;

/**
 * - `starting`: it was made, and has not had its turn yet;
 * - `running`: it runs, or waits;
 * - `ended`, `failed`, `cancelled`: it is over, with a value, an error, or because it was cancelled.
 */
export type ProcessState = 'starting' | 'running' | 'ended' | 'failed' | 'cancelled';

/** Cancels what a process waits for, in its turn. */
class Interruption extends Pending {
  constructor(
    private readonly engine: Engine,
    private readonly process: Process<unknown>,
    private readonly waits: readonly Wait<unknown>[],
  ) {
    super();
  }

  fire(): boolean {
    this.engine.owner = this.process;
    const error = this.process.takeInterruption();
    for (const wait of this.waits) wait.reject(error);
    return true;
  }
}

/**
 * Something that goes on beside others in virtual time. It can be awaited for its result; where it fails and nobody
 * awaits it, the run ends with its error.
 */
export class Process<T> extends Owner implements PromiseLike<T>, Source<T> {
  /** Neighbours in the list of those that are not over. */
  earlier: Process<unknown> | undefined;
  later: Process<unknown> | undefined;
  #state: ProcessState = 'starting';
  #value: T | undefined;
  #error: unknown;
  /** What it is about to get thrown. */
  #interruption: Error | undefined;
  /** What `cancel` last threw. */
  #cancelled: Error | undefined;
  #waits: Wait<T>[] | undefined;

  constructor(
    private readonly host: ProcessHost,
    name: string,
    private readonly body: Body<T>,
  ) {
    super(name);
    host.enter(this);
    host.engine.put(this);
  }

  get state(): ProcessState {
    return this.#state;
  }

  /** Whether it is over. */
  get over(): boolean {
    return this.#state !== 'starting' && this.#state !== 'running';
  }

  /**
   * Throws {@link Cancelled} at whatever it waits for, in its turn at this instant; at the next thing that it waits
   * for, where it runs just now. One that has not begun does not begin. Without effect where it is over, or where
   * it has not yet seen an earlier call.
   */
  cancel(reason?: unknown): void {
    if (this.over || this.#interruption !== undefined) return;
    this.#cancelled = new Cancelled(reason);
    this.interrupt(this.#cancelled);
  }

  /** As {@link cancel}, with an error of any kind. */
  interrupt(error: Error): void {
    if (this.over || this.#interruption !== undefined) return;
    if (this.#state === 'starting') {
      this.host.engine.drop(this);
      return this.end('cancelled', undefined, error);
    }
    this.#interruption = error;
    const waits: Wait<unknown>[] = [];
    for (let wait = this.last; wait !== undefined; wait = this.last) {
      wait.abandon();
      waits.unshift(wait);
    }
    if (waits.length > 0) this.host.engine.put(new Interruption(this.host.engine, this, waits));
  }

  override takeInterruption(): Error | undefined {
    const error = this.#interruption;
    this.#interruption = undefined;
    return error;
  }

  // biome-ignore lint/suspicious/noThenProperty: a process is awaited for its result.
  then<A = T, B = never>(
    fulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    rejected?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.result().then(fulfilled, rejected);
  }

  describe(): string {
    return `the end of process ${this.name}`;
  }

  withdraw(wait: Wait<T>): void {
    const at = this.#waits?.indexOf(wait) ?? -1;
    if (at >= 0) this.#waits?.splice(at, 1);
  }

  private result(): Promise<T> {
    if (this.#state === 'ended') return Promise.resolve(this.#value as T);
    if (this.over) return Promise.reject(this.#error);
    return this.host.waiter.wait(this, (wait) => {
      this.#waits ??= [];
      this.#waits.push(wait);
    });
  }

  /** It begins. */
  fire(): boolean {
    this.#state = 'running';
    this.host.engine.owner = this;
    let result: T | PromiseLike<T>;
    try {
      const { body } = this;
      result = body(this);
    } catch (error) {
      this.fail(error);
      return true;
    }
    if (isPromiseLike(result)) {
      result.then(
        (value) => this.end('ended', value, undefined),
        (error) => this.fail(error),
      );
    } else this.end('ended', result, undefined);
    return true;
  }

  // These are not #private: V8 would mark each process with them, which takes a tenth of the time of a short one.

  private fail(error: unknown): void {
    this.end(error === this.#cancelled ? 'cancelled' : 'failed', undefined, error);
  }

  private end(state: ProcessState, value: T | undefined, error: unknown): void {
    this.#state = state;
    this.#value = value;
    this.#error = error;
    this.host.leave(this);
    const waits = this.#waits;
    this.#waits = undefined;
    if (waits === undefined || waits.length === 0) {
      if (state === 'failed') this.host.fail(error);
      return;
    }
    for (const wait of waits) {
      if (state === 'ended') wait.give(value as T);
      else wait.fail(error);
    }
  }
}

export function isPromiseLike<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return typeof (value as PromiseLike<T> | null | undefined)?.then === 'function';
}
