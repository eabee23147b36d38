// SPDX-License-Identifier: MIT

export const TIME_OF_DAY = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})$/;

/** 2200-01-01T00:00:00Z: the guests' clocks, signed 64-bit nanoseconds, end in 2262, and a run needs room. */
const LATEST = BigInt(Date.UTC(2200, 0, 1)) * 1_000_000n;

/**
 * Reads a moment in the form of RFC 3339: `2026-01-01T00:00:00.5Z`, `2026-01-01T01:00:00+01:00`; exact.
 *
 * @returns nanoseconds since 1970-01-01T00:00:00Z; undefined where there is no such moment from 1970 to 2199
 */
export function parseTimeOfDay(text: string): bigint | undefined {
  const match = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:Z|([+-])(\d\d):(\d\d))$/.exec(
    text,
  );
  if (!match) return undefined;
  const number = (group: number) => Number(match[group] ?? '0');
  const [year, month, day] = [number(1), number(2), number(3)];
  const [hour, minute, second] = [number(4), number(5), number(6)];
  const [offsetHour, offsetMinute] = [number(9), number(10)];
  if (hour > 23 || minute > 59 || second > 59 || offsetHour > 23 || offsetMinute > 59) return undefined;
  const date = new Date(Date.UTC(year, month - 1, day, hour, minute, second));
  // Date turns the 30th of February into the 2nd of March, and the years 0 … 99 into 1900 … 1999.
  if (date.getUTCFullYear() !== year || date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day)
    return undefined;
  const offset = BigInt((offsetHour * 60 + offsetMinute) * 60_000) * (match[8] === '-' ? -1n : 1n);
  const fraction = BigInt((match[7] ?? '').padEnd(9, '0'));
  const nanoseconds = (BigInt(date.getTime()) - offset) * 1_000_000n + fraction;
  return nanoseconds >= 0n && nanoseconds < LATEST ? nanoseconds : undefined;
}
