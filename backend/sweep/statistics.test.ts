// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { summarize } from './statistics.js';

describe('a summary', () => {
  // Michelson's first 20 measurements of the speed of light (1879, less 299000 km/s).
  const MICHELSON = [
    850, 740, 900, 1070, 930, 850, 950, 980, 980, 880, 1000, 980, 930, 650, 760, 810, 1000, 1000, 960, 960,
  ];

  it('of published measurements', () => {
    const { n, mean, deviation, confidence95, min, max } = summarize(MICHELSON) as Required<
      NonNullable<ReturnType<typeof summarize>>
    >;
    expect({ n, mean, min, max }).toEqual({ n: 20, mean: 909, min: 650, max: 1070 });
    expect(deviation).toBeCloseTo(104.926, 3);
    // 2.093 standard errors, for 19 degrees of freedom.
    expect(confidence95).toBeCloseTo(49.107, 2);
  });

  /** Two-sided 95 % quantiles of Student's t by degrees of freedom, from printed tables. */
  it.each([
    [1, 12.7062],
    [2, 4.3027],
    [3, 3.1824],
    [4, 2.7764],
    [5, 2.5706],
    [6, 2.4469],
    [7, 2.3646],
    [8, 2.306],
    [9, 2.2622],
    [14, 2.1448],
    [19, 2.093],
    [29, 2.0452],
    [60, 2.0003],
    [120, 1.9799],
    [999, 1.9623],
  ])('with %i degrees of freedom reaches %f standard errors', (freedom, quantile) => {
    // The deviation of these is known: 1, but for the factor of the sample.
    const n = freedom + 1;
    const values = Array.from({ length: n }, (_, place) => (place % 2 === 0 ? 1 : -1));
    const { deviation, confidence95 } = summarize(values) as { deviation: number; confidence95: number };
    expect((confidence95 * Math.sqrt(n)) / deviation).toBeCloseTo(quantile, 4);
  });

  it('of one, of the same ones, and of none', () => {
    expect(summarize([3])).toEqual({ n: 1, mean: 3, deviation: null, confidence95: null, min: 3, max: 3 });
    expect(summarize([0.1, 0.1, 0.1])).toMatchObject({ mean: 0.1, deviation: 0, confidence95: 0 });
    expect(summarize([])).toBeUndefined();
  });

  it('keeps small differences between large numbers', () => {
    expect(summarize([1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16])?.deviation).toBeCloseTo(Math.sqrt(30), 9);
  });
});
