// SPDX-License-Identifier: MIT
import type { CalendarEvent } from './event.js';
import type { Participant } from './participant.js';
import type { Instant } from './time.js';

/** An event that one timeline causes in another; it waits for the next barrier. */
export interface Crossing {
  readonly target: Timeline;
  readonly event: CalendarEvent;
}

/** A place of the calendar with a time and a queue of its own: a domain, or boards that share a clock. */
export interface Timeline {
  readonly index: number;
  /** Virtual time here. */
  readonly now: Instant;
  /** Nothing that happens here from now on is before it. Meaningful between windows. */
  readonly next: Instant;
  /** Everything before it may have happened: no event from elsewhere may be added there any more. */
  readonly horizon: Instant;
  /** Events that were applied. */
  readonly events: number;
  /** What it has caused in others since the last barrier. */
  readonly outbox: Crossing[];
  /** Who runs; undefined: nobody, or nobody can say. */
  readonly running: Participant | undefined;
  /** Puts an event of this timeline into its queue, or one of another into the outbox. */
  post(target: Timeline, event: CalendarEvent): void;
  /** Takes an event that another timeline caused; called at a barrier. */
  accept(event: CalendarEvent): void;
}
