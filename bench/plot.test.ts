// SPDX-License-Identifier: MIT
import { expect, it } from 'vitest';
import { niceStep, plot } from './plot.js';

const flat = (value: number) => ({ median: value, min: value, max: value });
const drawing = plot({
  title: 'a < b & c',
  x: 'guests',
  y: 'us',
  series: [
    {
      name: 'cost',
      color: '#000',
      points: [2, 8, 32].map((x) => ({ x, y: flat(x) })),
    },
  ],
});

it('escapes text', () => {
  expect(drawing).toContain('<title>a &lt; b &amp; c</title>');
});

it('puts equal ratios of x at equal distances', () => {
  const [, line = ''] = /<path d="M([^"]*)" fill="none"/.exec(drawing) ?? [];
  const [first = 0, second = 0, third = 0] = line.split('L').map((point) => Number(point.split(' ')[0]));
  expect(third - second).toBeCloseTo(second - first);
  expect(second).toBeGreaterThan(first);
});

it('has steps that people count in', () => {
  expect([0.7, 1, 1.1, 3, 6, 70].map(niceStep)).toEqual([1, 1, 2, 5, 10, 100]);
});
