// SPDX-License-Identifier: MIT
import { groupCpuMs } from '../../host/native/index.js';

/** Over how much wall time it is measured at least, and how much more for each guest: looking takes its time, too. */
const SPAN_MS = 500;
const SPAN_EACH_MS = 20;

interface Reading {
  readonly at: number;
  readonly guestMs: number;
  readonly ownMs: number;
}

/** How much processor time a run uses. Zero where that is not known yet. */
export class Load {
  /** Processors that the guests and this process use, on the average. */
  processors = 0;
  /** The guests' part of that; 0 to 1. */
  guests = 0;
  #last: Reading | undefined;

  /** @param groups the process groups of the guests */
  constructor(private readonly groups: () => ReadonlySet<number>) {}

  /** Called now and then. @param now milliseconds of wall time */
  measure(now: number): void {
    const last = this.#last;
    const groups = this.groups();
    if (last && now - last.at < SPAN_MS + SPAN_EACH_MS * groups.size) return;
    const guestMs = [...groupCpuMs(groups).values()].reduce((sum, ms) => sum + ms, 0);
    const { user, system } = process.cpuUsage();
    const ownMs = (user + system) / 1000;
    this.#last = { at: now, guestMs, ownMs };
    if (!last) return;
    const [guests, own] = [Math.max(0, guestMs - last.guestMs), ownMs - last.ownMs];
    this.processors = (guests + own) / (now - last.at);
    this.guests = guests + own > 0 ? guests / (guests + own) : 0;
  }

  /** The guests have another place: what was measured is past. */
  forget(): void {
    this.#last = undefined;
    this.processors = this.guests = 0;
  }
}
