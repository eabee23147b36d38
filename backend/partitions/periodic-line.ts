// SPDX-License-Identifier: MIT
import {
  after,
  type Duration,
  EventKind,
  type Instant,
  instant,
  NEVER,
  type Timeline,
} from '../calendar/index.js';

/** Who hears of a line. */
export interface LineListener {
  /** The line is raised, at the present instant of the domain. */
  raised(line: number, at: Instant): void;
}

/**
 * A line that is raised at every whole period of virtual time, of a timer that several partitions may share. It runs
 * while somebody listens.
 */
export class PeriodicLine {
  readonly #listeners = new Set<LineListener>();
  #sequence = 0;
  #running = false;

  /** @param source who causes its events, in the calendar's order */
  constructor(
    readonly number: number,
    private readonly period: Duration,
    private readonly domain: Timeline,
    private readonly source: number,
  ) {}

  listen(listener: LineListener): void {
    this.#listeners.add(listener);
    if (!this.#running) this.#next();
  }

  leave(listener: LineListener): void {
    this.#listeners.delete(listener);
  }

  #next(): void {
    const { now } = this.domain;
    const at = after(instant(now - (now % this.period)), this.period);
    this.#running = this.#listeners.size > 0 && at < NEVER;
    if (!this.#running) return;
    this.domain.post(this.domain, {
      at,
      kind: EventKind.INPUT,
      source: this.source,
      sequence: this.#sequence++,
      apply: () => {
        for (const listener of [...this.#listeners]) listener.raised(this.number, at);
        this.#next();
      },
    });
  }
}
