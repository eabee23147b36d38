// SPDX-License-Identifier: MIT
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { makeScale } from './scale.js';

it.each([
  [0, 18.4, 4, ['0', '5', '10', '15', '20']],
  [0.3, 0.9, 6, ['0.3', '0.4', '0.5', '0.6', '0.7', '0.8', '0.9']],
  [-0.02, 0.07, 4, ['-0.05', '0.00', '0.05', '0.10']],
  [5, 5, 4, ['4.6', '4.8', '5.0', '5.2', '5.4']],
  [0, 0, 2, ['-0.5', '0.0', '0.5']],
  [1e9, 3e9, 2, ['1000000000', '2000000000', '3000000000']],
])('from %f to %f', (low, high, count, labels) => {
  expect(makeScale(low, high, count).ticks.map(({ label }) => label)).toEqual(labels);
});

it('holds what it is made for, with few marks', () => {
  const number = fc.double({ min: -1e300, max: 1e300, noNaN: true });
  fc.assert(
    fc.property(number, number, (a, b) => {
      const [low, high] = [Math.min(a, b), Math.max(a, b)];
      const scale = makeScale(low, high, 6);
      expect(scale.place(low)).toBeGreaterThanOrEqual(-1e-6);
      expect(scale.place(high)).toBeLessThanOrEqual(1 + 1e-6);
      expect(scale.place(high)).toBeGreaterThanOrEqual(scale.place(low));
      expect(scale.ticks.length).toBeGreaterThanOrEqual(2);
      expect(scale.ticks.length).toBeLessThan(16);
    }),
    { numRuns: 2000 },
  );
});
