// SPDX-License-Identifier: MIT
import type { Calendar, RealTime } from '../calendar/index.js';
import { BoardClock } from './board-clock.js';
import type { Recorder } from './recording.js';

/** How long what persons say waits at most: they are not heard by the hub. */
const LISTEN_MS = 1;

/**
 * Holds guests to wall time in a run with persons and without boards: virtual time goes no faster, and where guests need longer,
 * the time of persons stands still, as a board does that is frozen.
 */
export class PersonsClock {
  readonly timeline: RealTime;
  readonly #clock: BoardClock;

  /** @param monotonicNs CLOCK_MONOTONIC of this machine in nanoseconds */
  constructor(
    private readonly calendar: Calendar,
    private readonly recorder?: Recorder,
    monotonicNs?: () => bigint,
  ) {
    this.#clock = new BoardClock(monotonicNs);
    recorder?.follow(() => this.#clock.now());
    this.timeline = calendar.addRealTime(() => recorder?.now ?? this.#clock.now());
  }

  /**
   * Lets happen what is due, and time go on or stand still.
   *
   * @returns the milliseconds for which there is nothing to do but to hear messages
   */
  step(): number {
    const { timeline, calendar } = this;
    const clock = this.#clock;
    if (this.recorder) this.recorder.deliver(timeline);
    else timeline.deliver();
    if (timeline.outbox.length > 0 || clock.now() >= calendar.wake) calendar.resume();
    if (clock.now() >= timeline.horizon) clock.freeze();
    else if (calendar.waiting) clock.resume();
    if (clock.frozen) return LISTEN_MS;
    const next = [timeline.due, calendar.wake, timeline.horizon].reduce((a, b) => (a < b ? a : b));
    return Math.min(Math.max(Number(next - clock.now()) / 1e6, 0), LISTEN_MS);
  }
}
