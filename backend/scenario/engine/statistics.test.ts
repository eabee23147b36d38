// SPDX-License-Identifier: MIT
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BatchMeans, Simulation, Tally } from './index.js';
import { normalQuantile, studentQuantile } from './student.js';

describe('a tally', () => {
  it('has mean, deviation, least and most of what was recorded', () => {
    const values = fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: 2, maxLength: 50 });
    fc.assert(
      fc.property(values, (values) => {
        const tally = new Tally();
        for (const value of values) tally.record(value);
        const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
        const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
        expect(tally.count).toBe(values.length);
        expect(tally.mean).toBeCloseTo(mean, 8);
        expect(tally.sum).toBeCloseTo(mean * values.length, 6);
        expect(tally.deviation).toBeCloseTo(Math.sqrt(squares / (values.length - 1)), 6);
        expect(tally.min).toBe(Math.min(...values));
        expect(tally.max).toBe(Math.max(...values));
      }),
      { seed: 5 },
    );
  });

  it('has no figures of nothing', () => {
    const tally = new Tally();
    tally.record(1);
    tally.reset();
    expect([tally.mean, tally.deviation, tally.min, tally.max, ...tally.interval()]).toEqual(
      Array(6).fill(Number.NaN),
    );
  });

  it('has the confidence interval that tables give', () => {
    const tally = new Tally();
    for (const value of [1, 2, 3, 4, 5]) tally.record(value);
    const [low, high] = tally.interval(0.95);
    // 3 ± t(0.975; 4) · sqrt(2.5 / 5), t = 2.776445
    expect(low).toBeCloseTo(3 - 1.963243, 4);
    expect(high).toBeCloseTo(3 + 1.963243, 4);
  });
});

// Of tables of Student's t, two-sided.
it.each([
  [0.95, 1, 12.7062],
  [0.95, 2, 4.30265],
  [0.95, 3, 3.18245],
  [0.95, 4, 2.77645],
  [0.95, 10, 2.22814],
  [0.99, 5, 4.03214],
  [0.9, 30, 1.69726],
  [0.999, 20, 3.84952],
  [0.95, 1000, 1.96234],
])('the quantile of Student for %f and %i is %f', (level, freedom, expected) => {
  expect(Math.abs(studentQuantile(level, freedom) - expected)).toBeLessThan(2e-4);
});

it.each([
  [0.5, 0],
  [0.975, 1.959964],
  [0.001, -3.090232],
  [0.99999, 4.264891],
])('the quantile of the normal distribution at %f is %f', (chance, expected) => {
  expect(normalQuantile(chance)).toBeCloseTo(expected, 5);
});

it('batch means are of whole batches', () => {
  const means = new BatchMeans(3);
  for (const value of [1, 2, 3, 5, 6, 7, 100]) means.record(value);
  expect(means.batches.count).toBe(2);
  expect(means.mean).toBe(4);
});

it('a value in time counts as long as it lasts', async () => {
  const sim = new Simulation();
  const level = sim.timeWeighted(4);
  expect(level.mean).toBe(4);
  sim.after('2s', () => level.set(1));
  sim.after('5s', () => level.add(2));
  await sim.run('10s');
  // 4 for 2 s, 1 for 3 s, 3 for 5 s.
  expect(level.mean).toBeCloseTo(2.6);
  expect(level.deviation).toBeCloseTo(Math.sqrt(0.2 * 1.4 ** 2 + 0.3 * 1.6 ** 2 + 0.5 * 0.4 ** 2));
  expect([level.min, level.max, level.value]).toEqual([1, 4, 3]);
  level.reset();
  expect([level.mean, level.deviation, level.min, level.max]).toEqual([3, 0, 3, 3]);
});
