// SPDX-License-Identifier: MIT
import * as fc from 'fast-check';
import { type Duration, duration } from '../../calendar/time.js';
import type { SlotSpec } from '../schedule.js';

export const NAMES = ['a', 'b', 'c'] as const;

/** Some schedule, with at least one slot, of at most a few hundred nanoseconds. */
export const schedules: fc.Arbitrary<{ readonly frame: Duration; readonly slots: readonly SlotSpec[] }> = fc
  .record({
    parts: fc.array(
      fc.record({
        partition: fc.constantFrom(...NAMES),
        gap: fc.nat({ max: 12 }),
        length: fc.integer({ min: 1, max: 30 }),
      }),
      { minLength: 1, maxLength: 6 },
    ),
    rest: fc.nat({ max: 12 }),
  })
  .map(({ parts, rest }) => {
    let end = 0;
    const slots = parts.map(({ partition, gap, length }) => {
      const at = end + gap;
      end = at + length;
      return { partition, at: duration(BigInt(at)), length: duration(BigInt(length)) };
    });
    return { frame: duration(BigInt(end + rest)), slots };
  });
