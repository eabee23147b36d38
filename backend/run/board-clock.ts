// SPDX-License-Identifier: MIT
import { type Instant, instant, later, ZERO } from '../calendar/index.js';

/**
 * The time that all boards share, as the controller knows it: this machine's CLOCK_MONOTONIC less the time for which the
 * boards were frozen (rule T7). It stands still from the edge that freezes them to the one that lets them go, and begins
 * with the first of these.
 */
export class BoardClock {
  /** Frozen: the reading; else undefined. */
  #stopped: bigint | undefined = 0n;
  /** What is to be corrected when it goes on: a frozen clock stands still. */
  #pending = 0n;
  /** Running: what CLOCK_MONOTONIC was when the reading was 0. */
  #origin = 0n;
  /** No reading was later: it does not go backward (rule T1). */
  #latest: Instant = ZERO;

  /** @param monotonicNs CLOCK_MONOTONIC of this machine in nanoseconds */
  constructor(private readonly monotonicNs: () => bigint = process.hrtime.bigint) {}

  get frozen(): boolean {
    return this.#stopped !== undefined;
  }

  now(): Instant {
    this.#latest = later(this.#latest, instant(this.reading));
    return this.#latest;
  }

  freeze(): void {
    this.#stopped ??= this.reading;
  }

  resume(): void {
    if (this.#stopped === undefined) return;
    this.#origin = this.monotonicNs() - this.#stopped - this.#pending;
    this.#stopped = undefined;
    this.#pending = 0n;
  }

  /**
   * The boards' own clocks say that they are `nanoseconds` further than this one. It goes on from there; where they are
   * behind, it stands until they have come up.
   */
  correct(nanoseconds: bigint): void {
    if (this.#stopped === undefined) this.#origin -= nanoseconds;
    else this.#pending += nanoseconds;
  }

  /** {@link now}, but for corrections that led backward; nanoseconds. */
  get reading(): bigint {
    return this.#stopped ?? this.monotonicNs() - this.#origin;
  }
}
