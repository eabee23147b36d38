// SPDX-License-Identifier: MIT
import { type CalendarEvent, happensBefore } from './event.js';
import { Heap } from './heap.js';
import { after, duration, earlier, type Instant, NEVER, ZERO } from './time.js';
import type { Crossing, Timeline } from './timeline.js';

export interface RealTimeHost {
  /** The time of the boards; it never goes backward. */
  now(): Instant;
  /** The least time in which anything in `from` can reach the boards. */
  distance(from: Timeline): Instant;
  /** Something was posted or accepted. */
  changed(): void;
}

/**
 * The timeline of participants in real time, which can be stopped and let go, and not be told to run: boards. Its time
 * passes by itself. Whatever they do, they do at its `now`; what reaches them waits there for its instant.
 *
 * At each barrier it is told how far it may go ({@link horizon}). Nobody else can keep it to that: whoever drives it stops
 * the boards there. Where they overrun it, what reaches them comes late, and happens when it comes.
 */
export class RealTime implements Timeline {
  readonly outbox: Crossing[] = [];
  readonly running = undefined;
  horizon: Instant = ZERO;
  events = 0;
  /** How late the latest event came, in nanoseconds. */
  worstLateness = 0n;
  readonly #queue = new Heap<CalendarEvent>(happensBefore);

  constructor(
    readonly index: number,
    private readonly host: RealTimeHost,
  ) {}

  get now(): Instant {
    return this.host.now();
  }

  get next(): Instant {
    return this.host.now();
  }

  /** When the next event is due. */
  get due(): Instant {
    return this.#queue.peek()?.at ?? NEVER;
  }

  /** As of a domain: the other may answer, so the boards may go only to where its answer could be here. */
  post(target: Timeline, event: CalendarEvent): void {
    this.host.changed();
    if (target === this) {
      this.#queue.push(event);
      return;
    }
    this.outbox.push({ target, event });
    this.horizon = earlier(this.horizon, after(event.at, duration(this.host.distance(target))));
  }

  accept(event: CalendarEvent): void {
    this.#queue.push(event);
    this.host.changed();
  }

  /** Lets happen what is due. */
  deliver(): void {
    for (let now = this.now; this.due <= now; now = this.now) {
      const event = this.#queue.pop() as CalendarEvent;
      const late = now - event.at;
      if (late > this.worstLateness) this.worstLateness = late;
      event.apply();
      this.events++;
    }
  }
}
