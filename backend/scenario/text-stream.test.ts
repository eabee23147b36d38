// SPDX-License-Identifier: MIT
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Found, TextStream } from './text-stream.js';

const bytes = (text: string) => new TextEncoder().encode(text);

describe('a text stream', () => {
  test('finds what is there, and what comes', () => {
    const stream = new TextStream();
    const found: Found[] = [];
    stream.push(bytes('boot\nlogin: '));
    stream.search(/login: $/, (what) => found.push(what));
    expect(found).toEqual([{ text: 'login: ', groups: [] }]);
    stream.search(/uid=(\d+)/, (what) => found.push(what));
    stream.push(bytes('uid=1'));
    expect(found.slice(1)).toEqual([{ text: 'uid=1', groups: ['1'] }]);
  });

  test('does not find the same words twice', () => {
    const stream = new TextStream();
    let count = 0;
    stream.push(bytes('# # '));
    for (let i = 0; i < 3; i++) stream.search('# ', () => count++);
    expect(count).toBe(2);
    stream.push(bytes('#'));
    expect(count).toBe(2);
    stream.push(bytes(' '));
    expect(count).toBe(3);
    expect(stream.rest).toBe('');
  });

  test('serves searches in their order, and goes on when one is given up', () => {
    const stream = new TextStream();
    const order: string[] = [];
    const giveUp = stream.search('never', () => order.push('never'));
    stream.search('b', () => order.push('b'));
    stream.push(bytes('a b c'));
    expect(order).toEqual([]);
    giveUp();
    expect(order).toEqual(['b']);
    giveUp();
    expect(stream.rest).toBe(' c');
  });

  test('takes characters in any pieces', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 1, max: 5 }), (text, size) => {
        const stream = new TextStream();
        const all = bytes(`${text}|`);
        let found = false;
        stream.search('|', () => {
          found = true;
        });
        for (let from = 0; from < all.length; from += size) stream.push(all.subarray(from, from + size));
        expect(found).toBe(true);
      }),
    );
  });

  test('keeps a bounded text', () => {
    const stream = new TextStream();
    for (let i = 0; i < 40; i++) stream.push(new Uint8Array(100_000).fill(0x78));
    expect(stream.rest.length).toBeLessThanOrEqual(2 << 16);
    expect(stream.rest.length).toBeGreaterThanOrEqual(1 << 16);
  });
});
