// SPDX-License-Identifier: MIT
import type { Duration } from '../calendar/time.js';

const DEFAULT_HANG_MS = 60_000;

/** Whole milliseconds; a bound of wall time needs no more. */
export function toMs(span: Duration): number {
  return Number(span / 1_000_000n);
}

/** What `--hang` comes to. */
export function hangMs(given: Duration | undefined): number {
  return given === undefined ? DEFAULT_HANG_MS : toMs(given);
}
