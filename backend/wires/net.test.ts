// SPDX-License-Identifier: MIT
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { type Drive, End, type Level, Net, type Pull, resolve } from './index.js';

describe('the level of a net', () => {
  it.each<[string, Drive[], Pull, Level]>([
    ['is that of the pull where nobody drives', [undefined, undefined], 'down', 0],
    ['is that of the pull where nobody drives', [undefined, undefined], 'up', 1],
    ['is that of the one who drives', [1, undefined], 'down', 1],
    ['is that of the one who drives', [undefined, 0], 'up', 0],
    ['is that of several who agree', [1, 1], 'down', 1],
    ['is low where drivers disagree', [1, 0], 'up', 0],
  ])('%s: %j, pulled %s', (_what, drives, pull, level) => {
    const net = new Net(drives.length, pull);
    drives.forEach((drive, place) => {
      net.drive(place, drive);
    });
    expect(net.level).toBe(level);
  });

  test('open drain is a wired AND', () => {
    const net = new Net(3, 'up');
    const levels = [0, 1, 2].map((place) => net.drive(place, 0).level);
    expect(levels).toEqual([0, undefined, undefined]);
    expect([0, 1, 2].map((place) => net.drive(place, undefined).level)).toEqual([undefined, undefined, 1]);
  });
});

describe('a conflict', () => {
  test('begins once, with the first two that disagree, and ends with the last', () => {
    const net = new Net(3, 'down');
    expect(net.drive(0, 1)).toMatchObject({ level: 1, conflict: false });
    expect(net.drive(1, 0)).toMatchObject({ level: 0, conflict: true });
    expect(net.drive(2, 0)).toMatchObject({ level: undefined, conflict: false });
    net.drive(1, undefined);
    expect(net.conflict).toBe(true);
    net.drive(2, undefined);
    expect(net.conflict).toBe(false);
    expect(net.drive(2, 0).conflict).toBe(true);
  });

  test('ends when the net is cut, and begins again when it is mended', () => {
    const net = new Net(2, 'up');
    net.drive(0, 1);
    net.drive(1, 0);
    expect(net.connect(false)).toMatchObject({ level: 1, conflict: false });
    expect(net.conflict).toBe(false);
    expect(net.connect(true)).toMatchObject({ level: 0, conflict: true });
  });
});

const step = (pins: number) =>
  fc.oneof(
    { weight: 5, arbitrary: fc.tuple(fc.nat(pins - 1), fc.constantFrom<Drive>(undefined, 0, 1)) },
    { weight: 1, arbitrary: fc.boolean() },
  );

test('each pin is told of the others, and sees with its own what the net is', () => {
  const scene = fc
    .integer({ min: 1, max: 5 })
    .chain((pins) => fc.tuple(fc.constant(pins), fc.array(step(pins), { maxLength: 40 })));
  fc.assert(
    fc.property(scene, fc.constantFrom<Pull>('up', 'down'), ([pins, steps], pull) => {
      const net = new Net(pins, pull);
      const ends = Array.from({ length: pins }, () => new End(pull));
      let up = true;
      let level = net.level;
      for (const each of steps) {
        let result: ReturnType<Net['connect']>;
        if (typeof each === 'boolean') {
          up = each;
          result = net.connect(each);
        } else {
          (ends[each[0]] as End).own = each[1];
          result = net.drive(...each);
        }
        expect(result.level).toBe(net.level === level ? undefined : net.level);
        level = net.level;
        for (const place of result.told) (ends[place] as End).others = net.othersOf(place);

        const drives = ends.map(({ own }) => own);
        const joined = up ? drives : [];
        expect(level).toBe(resolve(joined.includes(1), joined.includes(0), pull));
        expect(net.conflict).toBe(joined.includes(1) && joined.includes(0));
        ends.forEach((end, place) => {
          // A pin that the net is cut from sees itself alone.
          const seen = up ? drives : [drives[place]];
          expect(end.level).toBe(resolve(seen.includes(1), seen.includes(0), pull));
          expect(net.driveOf(place)).toBe(end.own);
        });
      }
    }),
  );
});
