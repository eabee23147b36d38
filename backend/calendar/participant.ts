// SPDX-License-Identifier: MIT
import type { Instant } from './time.js';

/** Whatever has a clock that the calendar moves. */
export interface Participant {
  /** Its place in every deterministic order; unique in the run. */
  readonly id: number;
  readonly name: string;
  /** While it is quiet: when it wants to run next; NEVER where only an event can wake it. */
  readonly wake: Instant;
  /** While it runs: how far it is known to have come; no later than it is. */
  readonly now: Instant;
  /**
   * Lets it run at `at`, and on by itself up to, and not including, `until`. The caller hears of the end by
   * {@link ParticipantHost.quiet}, which may come before this returns.
   */
  run(at: Instant, until: Instant): void;
  /**
   * While it runs and waits for an answer of ours: an event has come up in its domain at `until`, which it may
   * not pass. Never later than what `run` said.
   */
  curtail(until: Instant): void;
  /** While it is quiet: the domain has reached `at`, and an interrupt may follow. */
  reach(at: Instant): void;
}

/** What a participant tells its domain. */
export interface ParticipantHost {
  /** It has done all it can until its `wake`. */
  quiet(): void;
  /** It is quiet, and its `wake` has changed without an interrupt. */
  rescheduled(): void;
  /** It has gone; whatever it was doing is over. */
  gone(): void;
}

/** An interrupt of a guest that waits for the moment at which the guest may be disturbed. */
export interface Interrupt {
  /** The guest; undefined where that is not known. */
  readonly participant: Participant | undefined;
  /**
   * Gives it to the guest, which is quiet. `done` is called once, when the guest has taken it; only then may
   * anything else be sent (rule T4).
   */
  deliver(done: () => void): void;
}
