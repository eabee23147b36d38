// SPDX-License-Identifier: MIT

import type { Instant } from '../../calendar/time.js';
import { duration } from '../../calendar/time.js';
import { OneclockError } from '../../errors.js';
import { Preempted } from './interruptions.js';
import { Process } from './process.js';
import { Tally, TimeWeighted } from './statistics.js';
import type { Owner, Source, Wait } from './wait.js';
import { WaitLine } from './wait-line.js';
import type { Waiter } from './waiter.js';

export interface ResourceOptions {
  readonly name?: string;
  /** How many may hold it at once; 1 where it is absent. */
  readonly capacity?: number;
}

export interface RequestOptions {
  /** The least is served first; 0 where it is absent. */
  readonly priority?: number;
  /** Whether it takes from a holder of a greater priority number what is not free. */
  readonly preempt?: boolean;
}

/** A unit of a resource in somebody's hands. */
export class Grant {
  #state: 'held' | 'released' | 'preempted' = 'held';

  constructor(
    private readonly resource: Resource,
    readonly owner: Owner,
    readonly priority: number,
    readonly since: Instant,
  ) {}

  get held(): boolean {
    return this.#state === 'held';
  }

  get preempted(): boolean {
    return this.#state === 'preempted';
  }

  /** Gives it back, to the first who waits. Without effect where it was taken away; twice is an error. */
  release(): void {
    if (this.#state === 'released') {
      throw new OneclockError('INPUT', `${this.resource.name} was released twice with the same grant`);
    }
    if (this.#state === 'held') this.resource.takeBack(this);
    this.#state = 'released';
  }

  /** For the resource: it is somebody else's now. */
  preempt(): void {
    this.#state = 'preempted';
  }
}

/** Something that a limited number of processes can have at once: a server, a bus, a lock. */
export class Resource implements Source<Grant> {
  readonly name: string;
  readonly capacity: number;
  /** How many units are held. */
  readonly busy: TimeWeighted;
  /** How many requests wait. */
  readonly queue: TimeWeighted;
  /** How long those waited that were granted, in seconds. */
  readonly waited = new Tally();
  readonly #line = new WaitLine<Grant>();
  readonly #grants = new Set<Grant>();

  constructor(
    private readonly waiter: Waiter,
    options: ResourceOptions = {},
  ) {
    this.name = options.name ?? 'a resource';
    this.capacity = options.capacity ?? 1;
    if (!(this.capacity >= 1) || (Number.isFinite(this.capacity) && !Number.isInteger(this.capacity))) {
      throw new OneclockError(
        'INPUT',
        `the capacity of ${this.name} must be 1 or more; found ${this.capacity}`,
      );
    }
    this.busy = new TimeWeighted(waiter.engine);
    this.queue = new TimeWeighted(waiter.engine);
  }

  /** How much of it was used, 0 … 1. */
  get utilization(): number {
    return this.busy.mean / this.capacity;
  }

  /** Waits for a unit. Who has it must release it; {@link use} does so by itself. */
  request(options: RequestOptions = {}): Promise<Grant> {
    const { priority = 0, preempt = false } = options;
    const grant = this.#grantNow(priority, preempt);
    if (grant !== undefined) {
      this.waited.record(0);
      return Promise.resolve(grant);
    }
    return this.waiter.wait(this, (wait) => {
      wait.priority = priority;
      wait.since = this.waiter.engine.nanoseconds;
      this.#line.add(wait);
      this.queue.add(1);
    });
  }

  /** A unit, where one is free. */
  tryRequest(): Grant | undefined {
    return this.#grantNow(0, false);
  }

  /** Does `work` with a unit, and gives it back, however the work ends. */
  async use<T>(work: (grant: Grant) => T | PromiseLike<T>, options: RequestOptions = {}): Promise<T> {
    const grant = await this.request(options);
    try {
      return await work(grant);
    } finally {
      grant.release();
    }
  }

  describe(wait: Wait<Grant>): string {
    return `${this.name}, ${this.capacity === 1 ? 'which is' : `all ${this.capacity} of which are`} held by ${[
      ...new Set([...this.#grants].map(({ owner }) => owner.name)),
    ].join(', ')}${wait.priority === 0 ? '' : ` (priority ${wait.priority})`}`;
  }

  withdraw(wait: Wait<Grant>): void {
    this.#line.remove(wait);
    this.queue.add(-1);
  }

  refuse(_wait: Wait<Grant>, grant: Grant): void {
    grant.release();
  }

  /** For {@link Grant}. */
  takeBack(grant: Grant): void {
    this.#grants.delete(grant);
    const next = this.#line.take();
    if (next === undefined) {
      this.busy.add(-1);
      return;
    }
    this.queue.add(-1);
    this.waited.record((this.waiter.engine.nanoseconds - next.since) / 1e9);
    next.give(this.#grant(next.owner, next.priority));
  }

  #grantNow(priority: number, preempt: boolean): Grant | undefined {
    const { owner } = this.waiter;
    if (this.#grants.size < this.capacity) {
      this.busy.add(1);
      return this.#grant(owner, priority);
    }
    const victim = preempt ? this.#victim(priority) : undefined;
    if (victim === undefined) return undefined;
    victim.preempt();
    this.#grants.delete(victim);
    const grant = this.#grant(owner, priority);
    if (victim.owner instanceof Process) {
      const heldFor = duration(this.waiter.engine.now - victim.since);
      victim.owner.interrupt(new Preempted(this.name, heldFor));
    }
    return grant;
  }

  #grant(owner: Owner, priority: number): Grant {
    const grant = new Grant(this, owner, priority, this.waiter.engine.now);
    this.#grants.add(grant);
    return grant;
  }

  /** Who has the greatest priority number, and got it last, if that is greater than `priority`. */
  #victim(priority: number): Grant | undefined {
    let victim: Grant | undefined;
    for (const grant of this.#grants) {
      if (grant.priority > priority && (victim === undefined || grant.priority >= victim.priority))
        victim = grant;
    }
    return victim;
  }
}
