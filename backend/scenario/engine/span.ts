// SPDX-License-Identifier: MIT
import { type Duration, duration, parseDuration } from '../../calendar/time.js';
import { OneclockError } from '../../errors.js';

/** A span of virtual time: nanoseconds, or as it is written: `10ms`, `1.5s`, `200us`, `2min`. */
export type Span = bigint | string;

/** A script has a few of them, which it uses again and again; one that makes texts must not fill the memory. */
const REMEMBERED = 4096;
const texts = new Map<string, Duration>();
const numbers = new Map<string, number>();

/**
 * `span` in nanoseconds.
 *
 * @throws INPUT where it is not a duration, or negative
 */
export function readSpan(span: Span): Duration {
  if (typeof span === 'bigint') {
    if (span < 0n) throw new OneclockError('INPUT', `a duration cannot be negative; found ${span} ns`);
    return duration(span);
  }
  const known = texts.get(span);
  if (known !== undefined) return known;
  const read = typeof span === 'string' ? parseDuration(span) : undefined;
  if (read === undefined) {
    throw new OneclockError(
      'INPUT',
      `expected a duration such as 10ms, 1.5s or 200us, or nanoseconds as a bigint such as 500n; found ${shown(span)}`,
    );
  }
  if (texts.size >= REMEMBERED) {
    texts.clear();
    numbers.clear();
  }
  texts.set(span, read);
  return read;
}

/** As {@link readSpan}, as a number, which is exact below 2^53. */
export function readNanoseconds(span: Span): number {
  if (typeof span === 'string') {
    const known = numbers.get(span);
    if (known !== undefined) return known;
    const read = Number(readSpan(span));
    numbers.set(span, read);
    return read;
  }
  return Number(readSpan(span));
}

function shown(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}
