// SPDX-License-Identifier: MIT
import { existsSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatInstant } from '../calendar/index.js';
import { ConsoleLog, MAX_LINE } from './console-log.js';
import { at, temporaryFolder } from './testing/logs.js';

type Written = readonly [when: number, bytes: string];

/** What the file holds after the guest wrote `pieces`; a character is a byte. */
function logOf(...pieces: Written[]): string {
  const file = join(temporaryFolder(), 'a.log');
  const log = new ConsoleLog(openSync(file, 'w'));
  for (const [when, bytes] of pieces) log.write(at(when), Buffer.from(bytes, 'latin1'));
  log.close();
  log.write(at(1), Buffer.from('too late'));
  log.close();
  return readFileSync(file, 'latin1');
}

/** The same by a plainer way: byte after byte, with the time of each. */
function expected(pieces: readonly Written[]): string {
  const bytes = pieces.flatMap(([when, text]) => [...text].map((char) => ({ when, char })));
  let out = '';
  let length: number | undefined;
  bytes.forEach(({ when, char }, index) => {
    const begin = () => {
      out += `[${formatInstant(at(when)).padStart(15)}] `;
      length = 0;
    };
    const returns = char === '\r' && bytes[index + 1]?.char === '\n';
    if (length === undefined) begin();
    if (char === '\n') {
      out += '\n';
      length = undefined;
    } else if (!returns) {
      if (length === MAX_LINE) {
        out += '\n';
        begin();
      }
      out += char;
      length = (length ?? 0) + 1;
    }
  });
  return length === undefined ? out : `${out}\n`;
}

describe('the log of a console', () => {
  test('gives each line the time of its first byte', () => {
    expect(
      logOf(
        [1_234_567_890, 'PING 10.0.0.2'],
        [2_000_000_000, ' 56 bytes\r\n64 by'],
        [12_000_000_001, 'tes\n\n$ '],
      ),
    ).toBe(
      [
        '[    1.234567890] PING 10.0.0.2 56 bytes',
        '[    2.000000000] 64 bytes',
        '[   12.000000001] ',
        '[   12.000000001] $ ',
        '',
      ].join('\n'),
    );
  });

  test('is empty where nothing was written', () => {
    expect(logOf()).toBe('');
    expect(logOf([5, ''])).toBe('');
  });

  test('leaves out the CR of a CR LF only, also where it comes in two pieces', () => {
    expect(logOf([1, 'a\rb\r\r\n'], [2, 'c\r'], [3, '\n\r'], [4, 'd\r'])).toBe(
      ['[    0.000000001] a\rb\r', '[    0.000000002] c', '[    0.000000003] \rd\r', ''].join('\n'),
    );
  });

  test('bounds its lines', () => {
    const line = 'x'.repeat(MAX_LINE);
    expect(logOf([1, line], [2, '\r'], [3, '\n'])).toBe(`[    0.000000001] ${line}\n`);
    expect(logOf([1, line], [2, '\r'], [3, 'y'])).toBe(`[    0.000000001] ${line}\n[    0.000000002] \ry\n`);
    expect(logOf([1, `${line}${line}${line}z`])).toBe(
      `${`[    0.000000001] ${line}\n`.repeat(3)}[    0.000000001] z\n`,
    );
  });

  test('does to any bytes in any pieces what it does byte by byte', () => {
    const char = fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom('\r', '\n') },
      fc.nat({ max: 255 }).map((byte) => String.fromCharCode(byte)),
    );
    const text = fc.oneof(
      { weight: 5, arbitrary: fc.string({ unit: char, maxLength: 30 }) },
      fc.integer({ min: MAX_LINE - 2, max: MAX_LINE + 1 }).map((length) => 'x'.repeat(length)),
    );
    fc.assert(
      fc.property(fc.array(text, { maxLength: 12 }), (texts) => {
        const pieces = texts.map((each, when): Written => [when, each]);
        expect(logOf(...pieces)).toBe(expected(pieces));
      }),
      { numRuns: 300 },
    );
  });

  test('can be read before it is closed', () => {
    const file = join(temporaryFolder(), 'a.log');
    const log = new ConsoleLog(openSync(file, 'w'));
    log.write(at(1), Buffer.from('half a li'));
    log.flush();
    expect(readFileSync(file, 'utf8')).toBe('[    0.000000001] half a li');
    log.close();
  });

  test.skipIf(!existsSync('/dev/full'))('says that the disk is full, and lets go of the file', () => {
    const descriptor = openSync('/dev/full', 'w');
    const log = new ConsoleLog(descriptor);
    log.write(at(1), Buffer.from('x'));
    expect(() => log.close()).toThrow(/^a console log could not be written \(ENOSPC/);
    expect(() => fstatSync(descriptor)).toThrow('EBADF');
  });
});
