// SPDX-License-Identifier: MIT
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { OneclockError } from '../../backend/errors.js';
import { isElf, readElf } from './elf.js';

const LOWEST = 0x10000;
const HEADERS = 64;

/** A file with a segment of 16 bytes and 32 in memory at 0x20000, and another behind it. */
function file(): Uint8Array {
  const bytes = new Uint8Array(256);
  const view = new DataView(bytes.buffer);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, 2, true);
  view.setUint16(18, 62, true);
  view.setBigUint64(24, 0x20004n, true);
  view.setBigUint64(32, BigInt(HEADERS), true);
  view.setUint16(54, 56, true);
  view.setUint16(56, 2, true);
  for (const [place, address] of [0x20000n, 0x21000n].entries()) {
    const at = HEADERS + place * 56;
    view.setUint32(at, 1, true);
    view.setBigUint64(at + 8, 200n, true);
    view.setBigUint64(at + 24, address, true);
    view.setBigUint64(at + 32, 16n, true);
    view.setBigUint64(at + 40, 32n, true);
  }
  bytes.fill(0xab, 200, 216);
  return bytes;
}

function changed(change: (view: DataView) => void): Uint8Array {
  const bytes = file();
  change(new DataView(bytes.buffer));
  return bytes;
}

describe('an executable', () => {
  test('says what goes where', () => {
    const image = readElf(file(), LOWEST);
    expect(image).toMatchObject({ start: 0x20000, end: 0x21020, entry: 0x20004 });
    expect(image.pieces.map(({ address, bytes }) => [address, bytes.length, bytes[0]])).toEqual([
      [0x20000, 16, 0xab],
      [0x21000, 16, 0xab],
    ]);
  });

  test.each<[string, Uint8Array, string]>([
    ['nothing', new Uint8Array(), 'no ELF file'],
    ['text', new TextEncoder().encode('#!/bin/sh\n'.repeat(10)), 'no ELF file'],
    ['one of 32 bits', changed((view) => view.setUint8(4, 1)), 'not for x86-64'],
    ['one of another processor', changed((view) => view.setUint16(18, 183, true)), 'not for x86-64'],
    ['an object file', changed((view) => view.setUint16(16, 1, true)), 'no executable'],
    ['headers of another size', changed((view) => view.setUint16(54, 32, true)), 'headers are malformed'],
    ['too many headers', changed((view) => view.setUint16(56, 0xffff, true)), 'headers are past its end'],
    [
      'headers nowhere',
      changed((view) => view.setBigUint64(32, 1n << 63n, true)),
      'headers are past its end',
    ],
    [
      'a segment past its end',
      changed((view) => view.setBigUint64(HEADERS + 8, 250n, true)),
      'a segment of it is past its end',
    ],
    [
      'a segment with more bytes than room',
      changed((view) => view.setBigUint64(HEADERS + 40, 8n, true)),
      'a segment of it is past its end',
    ],
    [
      'a segment too low',
      changed((view) => view.setBigUint64(HEADERS + 24, 0x9000n, true)),
      'at 0x9000, below 0x10000',
    ],
    ['no segment', changed((view) => view.setUint16(56, 0, true)), 'its entry is outside of it'],
    ['an entry in nothing', changed((view) => view.setBigUint64(24, 0x20010n, true)), 'its entry is outside'],
  ])('%s is refused', (_, bytes, text) => {
    expect(() => readElf(bytes, LOWEST)).toThrow(text);
  });

  test('with any bytes changed is read or refused', () => {
    const good = file();
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(HEADERS + 112), fc.nat(255))), fc.nat(256), (edits, length) => {
        const bytes = good.slice(0, 256 - length);
        for (const [at, value] of edits) bytes[at] = value;
        try {
          const { pieces, entry } = readElf(bytes, LOWEST);
          expect(pieces.every((piece) => piece.address >= LOWEST)).toBe(true);
          expect(entry).toBeGreaterThanOrEqual(LOWEST);
        } catch (error) {
          expect(error).toBeInstanceOf(OneclockError);
        }
      }),
    );
    expect(isElf(good)).toBe(true);
  });
});
