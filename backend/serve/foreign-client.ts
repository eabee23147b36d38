// SPDX-License-Identifier: MIT
import type { Hub } from '../../host/native/index.js';
import type { Instant, Interrupt, Participant } from '../calendar/index.js';
import type { OneclockError } from '../errors.js';
import { type PageSlot, TimeClient } from '../participants/time-client.js';

export interface ForeignClientOwner {
  readonly timeOfDay: bigint;
  /** It has said START and can be run. */
  started(client: ForeignClient): void;
  quiet(client: ForeignClient): void;
  now(): Instant;
  requested(client: ForeignClient, at: Instant, acknowledge: () => void): void;
  broadcast(client: ForeignClient, value: bigint): void;
  /** It broke the protocol, or `orderly` closed its socket. */
  left(client: ForeignClient, error: OneclockError, orderly: boolean): void;
}

/** A time client that somebody else has started. */
export class ForeignClient implements Participant {
  readonly #client: TimeClient;
  /** What it calls itself in START. */
  identity: bigint | undefined;
  #runningSince: number | undefined;

  constructor(
    readonly id: number,
    readonly slot: PageSlot,
    owner: ForeignClientOwner,
    hub: Hub,
    descriptor: number,
  ) {
    this.#client = new TimeClient(
      `client ${id}`,
      slot,
      {
        timeOfDay: owner.timeOfDay,
        started: (identity) => {
          this.identity = identity;
          owner.started(this);
        },
        quiet: () => {
          this.#runningSince = undefined;
          owner.quiet(this);
        },
        now: () => owner.now(),
        requested: (at, acknowledge) => owner.requested(this, at, acknowledge),
        broadcast: (value) => owner.broadcast(this, value),
        failed: (error, left) => owner.left(this, error, left),
      },
      hub,
      descriptor,
    );
  }

  get name(): string {
    return this.identity === undefined
      ? `client ${this.id}`
      : `client ${this.id} (identity ${this.identity})`;
  }

  get wake(): Instant {
    return this.#client.wake;
  }

  get now(): Instant {
    return this.#client.now;
  }

  get lastMessage(): string {
    return this.#client.lastMessage;
  }

  run(at: Instant, until: Instant): void {
    this.#runningSince = performance.now();
    this.#client.run(at, until);
  }

  curtail(until: Instant): void {
    this.#client.curtail(until);
  }

  reach(at: Instant): void {
    this.#client.reach(at);
  }

  /** How long it has been running without becoming quiet, in milliseconds of wall time; 0 while it is quiet. */
  get busyMs(): number {
    return this.#runningSince === undefined ? 0 : performance.now() - this.#runningSince;
  }

  /** Calls `action` when it has acknowledged all that was sent to it. */
  whenSettled(action: () => void): void {
    this.#client.whenSettled(action);
  }

  /** Passes on somebody's broadcast. */
  notify(value: bigint): Interrupt {
    return {
      deliver: (done) => {
        this.#client.broadcast(value);
        this.#client.whenSettled(done);
      },
    };
  }

  close(): void {
    this.#client.close();
  }
}
