// SPDX-License-Identifier: MIT
import { expect, it } from 'vitest';
import { formatSpread, spread } from './spread.js';

it('has the middle value of an odd number of them', () => {
  expect(spread([9, 1, 4])).toEqual({ median: 4, min: 1, max: 9 });
});

it('has the mean of the two in the middle of an even number', () => {
  expect(spread([10, 1, 3, 4])).toEqual({ median: 3.5, min: 1, max: 10 });
});

it('sorts by value, not as text', () => {
  expect(spread([100, 9, 20]).median).toBe(20);
});

it('is written with so many digits', () => {
  expect(formatSpread(spread([1, 2]), 1)).toBe('1.5 (1.0..2.0)');
});
