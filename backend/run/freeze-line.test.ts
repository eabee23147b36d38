// SPDX-License-Identifier: MIT
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Level } from '../wires/index.js';
import { FreezeLine } from './freeze-line.js';

function build() {
  const told: Level[] = [];
  const line: FreezeLine = new FreezeLine((level) => {
    told.push(level);
    // It is what was told already.
    expect(line.level).toBe(level);
  });
  return { told, line };
}

describe('the line that freezes', () => {
  it('is down at first, and tells nobody', () => {
    const { told, line } = build();
    line.lower('a.gpio0');
    expect([line.level, line.edges, line.holders, told]).toEqual([0, 0, [], []]);
  });

  it('is up until the last one who raised it has lowered it', () => {
    const { told, line } = build();
    line.raise('a.gpio0');
    line.raise('b.gpio0');
    expect([line.level, line.holders, told]).toEqual([1, ['a.gpio0', 'b.gpio0'], [1]]);
    line.lower('a.gpio0');
    expect([line.level, line.holders, told]).toEqual([1, ['b.gpio0'], [1]]);
    line.lower('b.gpio0');
    expect([line.level, line.holders, told, line.edges]).toEqual([0, [], [1, 0], 2]);
  });

  it('is raised once by one who raises it twice', () => {
    const { told, line } = build();
    line.raise('a.gpio0');
    line.raise('a.gpio0');
    line.lower('a.gpio0');
    line.lower('a.gpio0');
    expect([line.level, told]).toEqual([0, [1, 0]]);
  });

  it('may be lowered by whom it tells', () => {
    const told: Level[] = [];
    const line: FreezeLine = new FreezeLine((level) => {
      told.push(level);
      if (level === 1) line.lower('a.gpio0');
    });
    line.raise('a.gpio0');
    expect([line.level, told, line.edges]).toEqual([0, [1, 0], 2]);
  });

  it('has the level of its holders together, and an edge for each change', () => {
    const step = fc.record({ raise: fc.boolean(), holder: fc.constantFrom('a', 'b', 'c', 'd') });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const { told, line } = build();
        const up = new Set<string>();
        const levels: Level[] = [0];
        for (const { raise, holder } of steps) {
          if (raise) up.add(holder);
          else up.delete(holder);
          line[raise ? 'raise' : 'lower'](holder);
          const level = up.size > 0 ? 1 : 0;
          if (levels.at(-1) !== level) levels.push(level);
          expect(line.level).toBe(level);
          expect(new Set(line.holders)).toEqual(up);
        }
        expect(told).toEqual(levels.slice(1));
        expect(line.edges).toBe(told.length);
      }),
    );
  });
});
