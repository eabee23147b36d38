// SPDX-License-Identifier: MIT

/**
 * Virtual time. Two distinct types over exact 64-bit nanoseconds, so that an instant is never added to an
 * instant and a bare number is never a time.
 */

declare const instantBrand: unique symbol;
declare const durationBrand: unique symbol;

/** Nanoseconds since the run began, 0 … 2^63-1. */
export type Instant = bigint & { readonly [instantBrand]: never };
/** A span of virtual time in nanoseconds, 0 … 2^63-1. */
export type Duration = bigint & { readonly [durationBrand]: never };

/**
 * Later than every event. It is 2^63-1 and not 2^64-1 because the kernel's time-travel code uses S64_MAX for
 * "sleep for ever" (arch/um/kernel/time.c, time_travel_sleep).
 */
export const NEVER = 0x7fff_ffff_ffff_ffffn as Instant;
/** The instant at which a run begins. */
export const ZERO = 0n as Instant;
/** No time at all. */
export const NO_TIME = 0n as Duration;

/** `nanoseconds` as an instant; values at or past {@link NEVER} become NEVER. */
export function instant(nanoseconds: bigint): Instant {
  return (nanoseconds >= NEVER ? NEVER : nanoseconds) as Instant;
}

/** `nanoseconds` as a duration. */
export function duration(nanoseconds: bigint): Duration {
  return nanoseconds as Duration;
}

/** `at` + `by`, or NEVER where that is out of range. */
export function after(at: Instant, by: Duration): Instant {
  return instant(at + by);
}

/** `to` - `from`; the caller knows that `to` is not the earlier. */
export function between(from: Instant, to: Instant): Duration {
  return (to - from) as Duration;
}

export function earlier(a: Instant, b: Instant): Instant {
  return a < b ? a : b;
}

export function later(a: Instant, b: Instant): Instant {
  return a > b ? a : b;
}

/** `at` as seconds with all nine decimals: `12.345678901`. */
export function formatInstant(at: Instant): string {
  if (at === NEVER) return 'never';
  const fraction = (at % 1_000_000_000n).toString().padStart(9, '0');
  return `${at / 1_000_000_000n}.${fraction}`;
}

const UNITS = [
  ['h', 3_600_000_000_000n],
  ['min', 60_000_000_000n],
  ['s', 1_000_000_000n],
  ['ms', 1_000_000n],
  ['us', 1_000n],
  ['ns', 1n],
] as const;

/** `span` in the largest unit that shows it exactly: `1500us`, `2s`. */
export function formatDuration(span: Duration): string {
  if (span === 0n) return '0s';
  for (const [unit, size] of UNITS) if (span % size === 0n) return `${span / size}${unit}`;
  return `${span}ns`;
}

/**
 * Reads a written duration: a decimal number and a unit (`10ms`, `1.5s`, `200us`, `2min`). Exact: more decimals
 * than the unit has nanoseconds are refused.
 *
 * @returns the duration, or undefined where `text` is not one
 */
export function parseDuration(text: string): Duration | undefined {
  const match = /^(\d{1,19})(?:\.(\d{1,18}))?(ns|us|µs|ms|s|min|h)$/.exec(text.trim());
  if (!match) return undefined;
  const [, whole = '', fraction = '', unit = ''] = match;
  const size = UNITS.find(([name]) => name === (unit === 'µs' ? 'us' : unit))?.[1] ?? 0n;
  const scaled = BigInt(whole + fraction) * size;
  const divisor = 10n ** BigInt(fraction.length);
  if (scaled % divisor !== 0n) return undefined;
  const nanoseconds = scaled / divisor;
  return nanoseconds < NEVER ? duration(nanoseconds) : undefined;
}
