// SPDX-License-Identifier: MIT
import { invariant } from '../errors.js';
import { type CalendarEvent, happensBefore } from './event.js';
import { Heap } from './heap.js';
import { formatInstant, type Instant, NEVER, ZERO } from './time.js';

/** The events to come of one domain. Both push and pop check that time never runs backward (rule T1). */
export class EventQueue {
  readonly #heap = new Heap<CalendarEvent>(happensBefore);
  #last: Instant = ZERO;

  /** The instant of the first event; NEVER where there is none. */
  get next(): Instant {
    return this.#heap.peek()?.at ?? NEVER;
  }

  get size(): number {
    return this.#heap.size;
  }

  push(event: CalendarEvent): void {
    this.#check(event, 'pushed');
    this.#heap.push(event);
  }

  /** Takes the first event. There is one, or it is an error. */
  pop(): CalendarEvent {
    const event = this.#heap.pop();
    invariant(event !== undefined, () => 'an event was taken from an empty queue');
    this.#check(event, 'popped');
    this.#last = event.at;
    return event;
  }

  /** Tells that the domain has reached `now` by other means than an event. */
  reach(now: Instant): void {
    if (now > this.#last) this.#last = now;
  }

  #check(event: CalendarEvent, verb: string): void {
    invariant(
      event.at >= this.#last,
      () =>
        `time ran backward: an event for ${formatInstant(event.at)} was ${verb} at ${formatInstant(this.#last)}`,
    );
  }
}
