// SPDX-License-Identifier: MIT
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Escape } from './escape.js';

/** What is passed on of `pieces`, and whether the person left. */
function typed(...pieces: readonly string[]): { text: string; left: boolean } {
  const keys = new Escape();
  let text = '';
  for (const piece of pieces) {
    const { bytes, leave } = keys.take(Buffer.from(piece));
    text += Buffer.from(bytes).toString();
    if (leave) return { text, left: true };
  }
  return { text, left: false };
}

test.each([
  ['~.', { text: '', left: true }],
  ['ls\r~.', { text: 'ls\r', left: true }],
  ['ls\n~.x', { text: 'ls\n', left: true }],
  ['ls ~.', { text: 'ls ~.', left: false }],
  ['~~.\r', { text: '~.\r', left: false }],
  ['~user\r', { text: '~user\r', left: false }],
  ['~\r~.', { text: '~\r', left: true }],
  ['~', { text: '', left: false }],
])('%j', (text, expected) => {
  expect(typed(text)).toEqual(expected);
  expect(typed(...text)).toEqual(expected);
});

test('what has no ~ at the beginning of a line is passed on as it is', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: fc.constantFrom('a', '~', '.', ' ') })), (lines) => {
      const text = lines.map((line) => `x${line}\r`).join('');
      expect(typed(text)).toEqual({ text, left: false });
    }),
  );
});
