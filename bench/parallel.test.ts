// SPDX-License-Identifier: MIT
import { expect, it } from 'vitest';
import { compareWays } from './parallel.js';
import { sample } from './testing/samples.js';

const walls = (...values: readonly number[]) => values.map((wallMs) => sample({ wallMs }));
const of = { name: 'pair', target: 1.7 };

it('compares each turn by itself', () => {
  // By the medians, 200 and 200, nothing would be gained.
  const { ratio } = compareWays(of, walls(200, 400, 100), walls(100, 200, 400));
  expect(ratio).toEqual({ median: 2, min: 0.25, max: 2 });
});

it('reaches its target at the target', () => {
  expect(compareWays(of, walls(170), walls(100)).reached).toBe(true);
  expect(compareWays(of, walls(169), walls(100)).reached).toBe(false);
});

it('fails where the traces are not the same', () => {
  const other = [sample({ traceHash: 'sha256:1' })];
  expect(() => compareWays(of, walls(100), other)).toThrow('pair differs, serial and parallel');
});
