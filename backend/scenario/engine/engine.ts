// SPDX-License-Identifier: MIT
import { Heap } from '../../calendar/heap.js';
import { formatInstant, type Instant, instant, NEVER } from '../../calendar/time.js';
import { invariant, OneclockError } from '../../errors.js';
import { EventHeap, Pending } from './event-heap.js';
import { FirstInFirstOut } from './first-in-first-out.js';

/** Integers below it are exact in a `number`: 104 days of nanoseconds. */
const EXACT = 2 ** 53;
/** So many events may happen before the event loop gets a turn, for signals and watchdogs. */
const TURN = 1 << 16;
const SETTLED = Promise.resolve();
/** Dropped events stay in the heap until there are so many, and most of it is of them. */
const SWEEP = 256;
export const DEFAULT_INSTANT_LIMIT = 10_000_000;

/** Something that can be called off. */
export interface Cancellable {
  /** It does not happen; without effect where it has happened. */
  cancel(): void;
}

export interface EngineOptions {
  /** So many events may happen at one instant; more is a script that never lets time pass. */
  readonly instantLimit?: number;
}

class Action extends Pending implements Cancellable {
  #action: (() => void) | undefined;

  constructor(
    private readonly engine: Engine,
    action: () => void,
  ) {
    super();
    this.#action = action;
  }

  fire(): boolean {
    const action = this.#action;
    this.#action = undefined;
    this.engine.owner = undefined;
    action?.();
    return true;
  }

  cancel(): void {
    if (this.#action === undefined) return;
    this.#action = undefined;
    this.engine.drop(this);
  }
}

interface Far {
  readonly at: Instant;
  readonly event: Pending;
}

/**
 * A discrete-event engine: events in the order (time, sequence), with promise jobs of any depth drained after each
 * of them, so that an event happens when all that follows from the one before it has come to rest.
 *
 * An instant is kept as nanoseconds after a base, which is a double and exact up to 2^53; what is later than that
 * waits in a heap of its own, and the base moves on when time comes there.
 */
export class Engine {
  /** On whose behalf code runs; for those who build on the engine. Undefined between the events. */
  owner: object | undefined;

  readonly #instantLimit: number;
  readonly #near = new EventHeap();
  readonly #far = new Heap<Far>(
    (a, b) => a.at < b.at || (a.at === b.at && a.event.sequence < b.event.sequence),
  );
  /** What happens at this instant, after what was made for it before time came to it. */
  readonly #ready = new FirstInFirstOut<Pending>();
  #base = 0n;
  #baseNumber = 0;
  #now = 0;
  /** Now, made when it is asked for: most events do not. */
  #instant = 0n as Instant;
  #instantMade = 0;
  #sequence = 0;
  #dropped = 0;
  #events = 0;
  #atInstant = 0;

  #until = 0n as Instant;
  /** `until` after the base; Infinity where that is not exact. */
  #limit = 0;
  #done: ((failure: unknown) => void) | undefined;
  #stopping = false;
  #failure: unknown;
  #holds = 0;
  #held = false;

  constructor(options: EngineOptions = {}) {
    this.#instantLimit = options.instantLimit ?? DEFAULT_INSTANT_LIMIT;
  }

  get now(): Instant {
    if (this.#instantMade !== this.#now) {
      this.#instant = (this.#base + BigInt(this.#now)) as Instant;
      this.#instantMade = this.#now;
    }
    return this.#instant;
  }

  /** Now, in nanoseconds, as near as a double comes; for statistics. */
  get nanoseconds(): number {
    return this.#baseNumber + this.#now;
  }

  /** How many events have happened. */
  get events(): number {
    return this.#events;
  }

  /** The instant of the first event; NEVER where there is none. */
  get next(): Instant {
    while (this.#ready.first?.dropped) this.#ready.take();
    if (this.#ready.size > 0) return this.now;
    this.#passDropped();
    if (this.#near.size > 0) return instant(this.#base + BigInt(this.#near.key));
    while (this.#far.peek()?.event.dropped) this.#far.pop();
    return this.#far.peek()?.at ?? NEVER;
  }

  /**
   * Calls `action` at `at`, and then lets all promise jobs come to rest.
   *
   * @throws INPUT where `at` is past
   */
  schedule(at: Instant, action: () => void): Cancellable {
    const event = new Action(this, action);
    this.putAt(event, at);
    return event;
  }

  /** As {@link schedule}, for an event of any kind. */
  putAt(event: Pending, at: Instant): void {
    if (at < this.now) {
      throw new OneclockError(
        'INPUT',
        `an event cannot be at ${formatInstant(at)} s: it is ${formatInstant(this.now)} s already`,
      );
    }
    event.sequence = this.#sequence++;
    if (at === this.now) return this.#ready.add(event);
    const offset = at - this.#base;
    if (offset < EXACT) this.#near.push(event, Number(offset));
    else this.#far.push({ at: instant(at), event });
  }

  /** Puts `event` `nanoseconds`, a whole number from 0 below 2^53, after now. */
  putAfter(event: Pending, nanoseconds: number): void {
    if (nanoseconds === 0) return this.put(event);
    const key = this.#now + nanoseconds;
    if (key >= EXACT) return this.putAt(event, instant(this.now + BigInt(nanoseconds)));
    event.sequence = this.#sequence++;
    this.#near.push(event, key);
  }

  /** Puts `event` at this instant, behind all that is due at it. */
  put(event: Pending): void {
    event.sequence = this.#sequence++;
    this.#ready.add(event);
  }

  /** Calls off `event`, which was put and has not happened. */
  drop(event: Pending): void {
    event.dropped = true;
    if (++this.#dropped < SWEEP || 2 * this.#dropped < this.#near.size) return;
    this.#near.sweep();
    this.#dropped = 0;
  }

  /** Time has come to `at` by itself; without effect where it is there. It may not pass an event. */
  reach(at: Instant): void {
    if (at <= this.now) return;
    const { next } = this;
    invariant(
      at <= next,
      () => `time cannot come to ${formatInstant(at)} s: an event waits at ${formatInstant(next)} s`,
    );
    if (at - this.#base >= EXACT) this.#rebase(at);
    else {
      this.#now = Number(at - this.#base);
      this.#atInstant = 0;
    }
  }

  /**
   * Runs everything that is before `until`, and promise jobs that are there already, and calls `done` from the
   * event loop when all is quiet: with what was thrown, if anything was, in which case the rest did not happen.
   */
  run(until: Instant, done: (failure: unknown) => void): void {
    invariant(this.#done === undefined, () => 'the engine runs already');
    this.#until = until;
    this.#setLimit();
    this.#done = done;
    this.#drain();
  }

  /** Ends the run with `failure`, when what happens now has come to rest. */
  fail(failure: unknown): void {
    if (this.#failure === undefined) this.#failure = failure ?? new Error(`${failure} was thrown`);
    this.stop();
  }

  /** Ends the run when what happens now has come to rest. */
  stop(): void {
    this.#stopping = true;
    this.#resume();
  }

  /** Time stands still, and a run does not end, until `release` is called as often. */
  hold(): void {
    this.#holds++;
  }

  release(): void {
    invariant(this.#holds > 0, () => 'the engine was let go more often than it was held');
    this.#holds--;
    this.#resume();
  }

  /** An event has come from outside, while time is held. */
  #resume(): void {
    if (!this.#held) return;
    this.#held = false;
    this.#drain();
  }

  /**
   * The tick queue of Node.js goes on only when no microtask is left, however many follow from each other. Here
   * `then` is `queueMicrotask`, which costs twice as much, for its async hooks.
   */
  #drain(): void {
    SETTLED.then(this.#tick);
  }

  readonly #tick = () => process.nextTick(this.#step);

  readonly #step = () => {
    try {
      while (!this.#stopping) {
        const event = this.#take();
        if (event === undefined) break;
        const turn = ++this.#events % TURN === 0;
        if (++this.#atInstant > this.#instantLimit) this.#standsStill();
        const jobs = event.fire();
        if (turn) return void setImmediate(this.#tick);
        if (jobs) return void this.#drain();
      }
    } catch (error) {
      this.fail(error);
    }
    if (this.#holds > 0 && !this.#stopping) this.#held = true;
    else this.#finish();
  };

  #finish(): void {
    const done = this.#done;
    const failure = this.#failure;
    this.#done = undefined;
    this.#stopping = false;
    this.#failure = undefined;
    this.owner = undefined;
    done?.(failure);
  }

  /** The next event that is before `until`; time comes to it. */
  #take(): Pending | undefined {
    if (this.#now >= this.#limit) return undefined;
    this.#passDropped();
    const { key } = this.#near;
    if (key === this.#now) return this.#near.pop();
    for (let event = this.#ready.take(); event !== undefined; event = this.#ready.take()) {
      if (!event.dropped) return event;
    }
    if (this.#holds > 0) return undefined;
    if (this.#near.size === 0) return this.#takeFar();
    if (key >= this.#limit) return undefined;
    // T1: what is put is never before now, so this is never backward.
    invariant(key > this.#now, () => `time ran backward: from ${this.#now} to ${key}`);
    this.#now = key;
    this.#atInstant = 0;
    return this.#near.pop();
  }

  #takeFar(): Pending | undefined {
    while (this.#far.peek()?.event.dropped) this.#far.pop();
    const at = this.#far.peek()?.at;
    if (at === undefined || at >= this.#until) return undefined;
    this.#rebase(at);
    return this.#near.pop();
  }

  /** Makes `at` the base, and the time. The near heap is empty, and time goes on to `at`. */
  #rebase(at: Instant): void {
    this.#base = at;
    this.#baseNumber = Number(at);
    this.#now = 0;
    this.#instant = at;
    this.#instantMade = 0;
    this.#atInstant = 0;
    this.#setLimit();
    for (;;) {
      const far = this.#far.peek();
      if (far === undefined || far.at - at >= EXACT) return;
      this.#far.pop();
      if (!far.event.dropped) this.#near.push(far.event, Number(far.at - at));
    }
  }

  #setLimit(): void {
    const offset = this.#until - this.#base;
    this.#limit = offset < EXACT ? Number(offset) : Number.POSITIVE_INFINITY;
  }

  #passDropped(): void {
    while (this.#near.top?.dropped) this.#near.pop();
  }

  #standsStill(): never {
    throw new OneclockError(
      'PARTICIPANT',
      `time stands still at ${formatInstant(this.now)} s: ${this.#instantLimit} events happened at this ` +
        'instant; is there a loop that never sleeps?',
    );
  }
}
