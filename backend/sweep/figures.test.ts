// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { figure, figuresOf } from './figures.js';

describe('a figure', () => {
  it.each([
    [1.23456, 0.0234, '1.235'],
    [1.23456, 0.0996, '1.23'],
    [1.23456, 0.0994, '1.235'],
    [0.0234, 0.0234, '0.023'],
    [56789, 1234, '56800'],
    [56789, 12, '56789'],
    [-0.001, 0.5, '0.00'],
    [-3, 120, '0'],
    [9.6, 9.5, '9.6'],
    [1e-12, 3.4e-14, '1.000e-12'],
    [2.5e18, 3e16, '2.500e+18'],
    [1, 0, '1'],
    [0.1 + 0.2, 0, '0.3'],
    [1 / 3, null, '0.333333'],
    [1234567, null, '1234567'],
    [0, 0, '0'],
  ])('%f, known to within %s, is %s', (value, half, expected) => {
    expect(figure(value, half)).toBe(expected);
  });
});

it('all figures of a summary have the places of its confidence', () => {
  const summary = { n: 4, mean: 2.25137, deviation: 0.48211, confidence95: 0.76713, min: 1.7931, max: 3 };
  expect(figuresOf(summary)).toEqual({
    n: '4',
    mean: '2.25',
    confidence95: '0.77',
    deviation: '0.48',
    min: '1.79',
    max: '3.00',
  });
});

it('a single run tells no deviation', () => {
  const summary = { n: 1, mean: 2.5, deviation: null, confidence95: null, min: 2.5, max: 2.5 };
  expect(figuresOf(summary)).toMatchObject({ mean: '2.5', deviation: '-', confidence95: '-' });
});
