// SPDX-License-Identifier: MIT
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { duration, type Instant, instant, NEVER } from '../calendar/time.js';
import { Schedule, type SlotSpec } from './schedule.js';
import { schedules } from './testing/schedules.js';

const slot = (partition: string, at: bigint, length: bigint): SlotSpec => ({
  partition,
  at: duration(at),
  length: duration(length),
});
const FRAME = duration(10n);

describe('a schedule', () => {
  const schedule = new Schedule(FRAME, [slot('a', 1n, 2n), slot('b', 3n, 4n), slot('a', 8n, 2n)]);

  test.each([
    [0n, undefined],
    [1n, [1n, 3n]],
    [2n, [1n, 3n]],
    [3n, undefined],
    [8n, [8n, 10n]],
    [9n, [8n, 10n]],
    [10n, undefined],
    [31n, [31n, 33n]],
  ])('at %s, a is in its slot, or not', (at, expected) => {
    const found = schedule.slotAt('a', instant(at));
    expect(found && [found.start, found.end]).toEqual(expected);
  });

  test.each([
    [0n, [1n, 3n]],
    [1n, [1n, 3n]],
    [2n, [8n, 10n]],
    [8n, [8n, 10n]],
    [9n, [11n, 13n]],
    [29n, [31n, 33n]],
  ])('from %s on, a begins next', (at, expected) => {
    const found = schedule.slotFrom('a', instant(at));
    expect(found && [found.start, found.end]).toEqual(expected);
  });

  test('ends where time does', () => {
    expect(schedule.slotFrom('a', instant(NEVER - 1n))).toBeUndefined();
    expect(schedule.slotFrom('a', NEVER)).toBeUndefined();
  });

  test.each<[string, bigint, SlotSpec[], string]>([
    ['no frame', 0n, [], 'expected a frame above 0s'],
    ['an empty slot', 10n, [slot('a', 1n, 0n)], 'expected a length above 0s in slot 0 of a'],
    [
      'a slot that leaves the frame',
      10n,
      [slot('a', 5n, 6n)],
      'between 0s and 10ns; found it from 5ns to 11ns',
    ],
    ['an overlap', 10n, [slot('a', 0n, 5n), slot('b', 4n, 2n)], 'expected slot 1 of b between 5ns and 10ns'],
    ['slots out of order', 10n, [slot('a', 5n, 1n), slot('b', 0n, 2n)], 'expected slot 1 of b between 6ns'],
  ])('%s is refused', (_, frame, slots, text) => {
    expect(() => new Schedule(duration(frame), slots)).toThrow(text);
  });

  test('one without a slot has none', () => {
    expect(() => schedule.slotAt('c', instant(0n))).toThrow('expected a slot of c; found none');
  });

  test('slots next to each other are fine', () => {
    const full = new Schedule(FRAME, [slot('a', 0n, 5n), slot('b', 5n, 5n)]);
    expect(full.slotAt('b', instant(9n))).toEqual({ start: 5n, end: 10n });
    expect(full.slotFrom('a', instant(1n))).toEqual({ start: 10n, end: 15n });
  });

  test('says the same as looking at every instant', () => {
    fc.assert(
      fc.property(schedules, fc.bigInt(0n, 200n), ({ frame, slots }, at) => {
        const it = new Schedule(frame, slots);
        const owns = (name: string, time: bigint) =>
          slots.find((s) => s.partition === name && time % frame >= s.at && time % frame < s.at + s.length);
        for (const name of new Set(slots.map(({ partition }) => partition))) {
          const found = it.slotAt(name, at as Instant);
          const owned = owns(name, at);
          expect(found !== undefined).toBe(owned !== undefined);
          if (found && owned) expect(found.start % frame).toBe(owned.at);
          let next = at;
          while (owns(name, next)?.at !== next % frame) next++;
          expect(it.slotFrom(name, at as Instant)?.start).toBe(next);
        }
      }),
    );
  });
});
