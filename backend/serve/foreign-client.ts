// SPDX-License-Identifier: MIT
import type { Hub } from '../../host/native/index.js';
import { type Instant, type Interrupt, later, type Participant } from '../calendar/index.js';
import type { OneclockError } from '../errors.js';
import { type PageSlot, TimeClient } from '../participants/time-client.js';

export interface ForeignClientOwner {
  readonly timeOfDay: bigint;
  /** It has said START and can be run. */
  started(client: ForeignClient): void;
  quiet(client: ForeignClient): void;
  /** What the clients are known to have reached. */
  reached(): Instant;
  requested(client: ForeignClient, at: Instant, acknowledge: () => void): void;
  broadcast(client: ForeignClient, value: bigint): void;
  /** It broke the protocol, or `orderly` closed its socket. */
  left(client: ForeignClient, error: OneclockError, orderly: boolean): void;
}

/** A time client that somebody else has started. */
export class ForeignClient implements Participant {
  readonly #client: TimeClient;
  readonly #owner: ForeignClientOwner;
  /** What it calls itself in START. */
  identity: bigint | undefined;
  #running = false;
  /** Its last sign of life, and what it had sent by then. */
  #heardAt = 0;
  #heard = 0;

  constructor(
    readonly id: number,
    slot: PageSlot,
    owner: ForeignClientOwner,
    hub: Hub,
    descriptor: number,
  ) {
    this.#owner = owner;
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
          this.#running = false;
          owner.quiet(this);
        },
        now: () => owner.reached(),
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

  /** Clients write into one page, and may ask for a time that others have passed. */
  get wake(): Instant {
    return later(this.#client.wake, this.#owner.reached());
  }

  get now(): Instant {
    return this.#client.now;
  }

  get lastMessage(): string {
    return this.#client.lastMessage;
  }

  /** See {@link TimeClient.beginAt}. */
  beginAt(at: Instant): void {
    this.#client.beginAt(at);
  }

  run(at: Instant, until: Instant): void {
    this.#running = true;
    this.sign();
    this.#client.run(at, until);
  }

  curtail(until: Instant): void {
    this.#client.curtail(until);
  }

  reach(at: Instant): void {
    this.#client.reach(at);
  }

  /** It has just been heard of. */
  sign(): void {
    this.#heardAt = performance.now();
  }

  /** Parts with it if it runs, or owes an answer, and has given no sign for `limitMs` of wall time. */
  checkHang(limitMs: number): void {
    const { messages, owesAnswer } = this.#client;
    if (messages !== this.#heard || (!this.#running && !owesAnswer)) this.sign();
    this.#heard = messages;
    if (performance.now() - this.#heardAt < limitMs) return;
    this.#client.giveUp(`it hangs: no message for ${limitMs / 1000} s of wall time`);
  }

  /** Calls `action` when it has acknowledged all that was sent to it. */
  whenSettled(action: () => void): void {
    this.#client.whenSettled(action);
  }

  /** Passes on somebody's broadcast. */
  notify(value: bigint): Interrupt {
    return {
      participant: undefined,
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
