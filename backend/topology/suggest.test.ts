// SPDX-License-Identifier: MIT
import { expect, it } from 'vitest';
import { hint, suggest } from './suggest.js';

it.each([
  ['latancy', 'latency'],
  ['ltaency', 'latency'],
  ['Latency', 'latency'],
  ['rat', 'rate'],
  ['rnu', undefined],
  ['r', undefined],
  ['delay', undefined],
  ['x'.repeat(1_000_000), undefined],
])('%.20s', (written, meant) => {
  expect(suggest(written, ['name', 'latency', 'rate', 'loss'])).toBe(meant);
});

it('lists the names where none is near, and not too many of them', () => {
  expect(hint('zzzz', ['a', 'b'], 'the nodes are')).toBe('; the nodes are a, b');
  expect(hint('zzzz', [], 'the nodes are')).toBe('');
  const many = Array.from({ length: 30 }, (_, index) => `n${index}`);
  expect(hint('zzzz', many, 'the nodes are')).toMatch(/^; the nodes are n0, .*, n19, …$/);
});
