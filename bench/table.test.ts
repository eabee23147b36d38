// SPDX-License-Identifier: MIT
import { expect, it } from 'vitest';
import { formatMarkdown, formatTable } from './table.js';

const ROWS = [
  ['', 'one', 'two'],
  ['  wall ms', '1', '200'],
];

it('has columns: names to the left, figures to the right', () => {
  expect(formatTable(ROWS)).toBe('              one   two\n    wall ms     1   200\n');
});

it('is Markdown on demand', () => {
  expect(formatMarkdown(ROWS)).toBe('|  | one | two |\n| --- | ---: | ---: |\n| wall ms | 1 | 200 |\n');
});
