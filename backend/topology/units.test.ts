// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { parseTimeOfDay } from './time-of-day.js';
import { parsePercent, parseRate, parseSize } from './units.js';

describe('units', () => {
  it.each([
    ['9600bit', 9600n],
    ['1.5mbit', 1_500_000n],
    ['10kbit', 10_000n],
    ['100mbit', 100_000_000n],
    ['0.000000001gbit', 1n],
    ['1tbit', 1_000_000_000_000n],
    ['0.5bit', undefined],
    ['100', undefined],
    ['100Mbit', undefined],
    ['100 mbit', undefined],
    ['-1bit', undefined],
    ['1e3bit', undefined],
    ['.5mbit', undefined],
  ])('rate %s', (text, bits) => {
    expect(parseRate(text)).toBe(bits);
  });

  it.each([
    ['64M', 67_108_864n],
    ['1G', 1_073_741_824n],
    ['512K', 524_288n],
    ['1.5K', 1536n],
    ['0.0001K', undefined],
    ['64MB', undefined],
    ['64m', undefined],
    ['64', undefined],
  ])('size %s', (text, bytes) => {
    expect(parseSize(text)).toBe(bytes);
  });

  it.each([
    ['0%', 0n],
    ['0.1%', 1_000_000n],
    ['0.0000001%', 1n],
    ['0.00000010%', 1n],
    ['100%', 1_000_000_000n],
    ['33.3333333%', 333_333_333n],
    ['0.00000001%', undefined],
    ['0.1', undefined],
    ['1 %', undefined],
  ])('percentage %s', (text, parts) => {
    expect(parsePercent(text)).toBe(parts);
  });
});

describe('time of day', () => {
  const base = BigInt(Date.UTC(2026, 0, 1)) * 1_000_000n;
  it.each([
    ['1970-01-01T00:00:00Z', 0n],
    ['2026-01-01T00:00:00Z', base],
    ['2026-01-01T00:00:00.000000001Z', base + 1n],
    ['2026-01-01T00:00:00.5Z', base + 500_000_000n],
    ['2026-01-01T01:30:00+01:30', base],
    ['2025-12-31T19:00:00-05:00', base],
    ['2024-02-29T00:00:00Z', BigInt(Date.UTC(2024, 1, 29)) * 1_000_000n],
    ['2025-02-29T00:00:00Z', undefined],
    ['2026-01-01T24:00:00Z', undefined],
    ['2026-01-01T00:00:60Z', undefined],
    ['2026-13-01T00:00:00Z', undefined],
    ['2026-01-01T00:00:00', undefined],
    ['2026-01-01', undefined],
    ['2026-01-01T00:00:00.0000000001Z', undefined],
    ['1970-01-01T00:00:00+00:01', undefined],
    ['2200-01-01T00:00:00Z', undefined],
    ['0070-01-01T00:00:00Z', undefined],
  ])('%s', (text, nanoseconds) => {
    expect(parseTimeOfDay(text)).toBe(nanoseconds);
  });
});
