// SPDX-License-Identifier: MIT
import { expect, test } from 'vitest';
import { placeLines } from './lines.js';

test.each([
  [[], []],
  [['gpio0'], ['gpio0']],
  [
    ['gpio3', 'gpio1'],
    ['gpio0', 'gpio1', 'gpio2', 'gpio3'],
  ],
  [
    ['led', 'gpio0', 'key'],
    ['gpio0', 'led', 'key'],
  ],
  [
    ['b', 'gpio3', 'a'],
    ['b', 'a', 'gpio2', 'gpio3'],
  ],
  [['gpio01'], ['gpio01']],
])('%j are the lines %j', (names, lines) => {
  expect(placeLines(names)).toEqual(lines);
});
