// SPDX-License-Identifier: MIT
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  encodeEnd,
  encodeEvent,
  encodeHeader,
  MAX_RECORD,
  ProtoWriter,
} from '../../protocols/trace/index.js';
import { NEVER } from '../calendar/index.js';
import { OneclockError } from '../errors.js';
import { type LoggedEvent, LogReader } from './log-reader.js';
import { at, END, HEADER, temporaryFolder, writeLog } from './testing/logs.js';

/** A file with `bytes`. */
function fileOf(...bytes: (Uint8Array | number[])[]): string {
  const file = join(temporaryFolder(), 'trace');
  writeFileSync(file, Buffer.concat(bytes.map((part) => Uint8Array.from(part))));
  return file;
}

function records(...write: ((out: ProtoWriter) => void)[]): Uint8Array {
  const out = new ProtoWriter(64);
  for (const each of write) each(out);
  return out.buffer.subarray(0, out.length);
}

const header = records((out) => encodeHeader(out, HEADER));
const activation = (delta: bigint) => records((out) => encodeEvent(out, delta, 0, { kind: 'activation' }));

function readAll(file: string) {
  const reader = new LogReader(file);
  try {
    const events: LoggedEvent[] = [...reader];
    expect(reader.next()).toBeUndefined();
    return { events, header: reader.header, end: reader.end, damage: reader.damage };
  } finally {
    reader.close();
    reader.close();
  }
}

/** A log with some of everything, and where its records begin. */
function sample(): string {
  return writeLog((log) => {
    for (let time = 0; time < 8; time++) {
      log.activation(at(time * 1_000_003), time % 2);
      log.frameSent(at(time * 1_000_003), time % 2, 0, 98, time * 77_777_777, 'delivered', at(NEVER));
      log.consoleOutput(at(time * 1_000_003), 1, Buffer.from('x'.repeat(7 * time)));
      log.nodeState(at(time * 1_000_003), 0, { state: 'exited', code: time });
    }
  });
}

function refusal(path: string): string {
  try {
    new LogReader(path);
  } catch (error) {
    if (error instanceof OneclockError && error.code === 'INPUT') return error.message;
    throw error;
  }
  throw new Error('it was read');
}

describe('reading a run log', () => {
  test('takes the file or the run directory', () => {
    const file = writeLog((log) => log.broadcast(at(5), 1, 77n));
    const expected = {
      header: HEADER,
      events: [{ index: 0, at: 5n, node: 1, event: { kind: 'broadcast', value: 77n } }],
      end: END,
      damage: undefined,
    };
    expect(readAll(file)).toEqual(expected);
    expect(readAll(dirname(file))).toEqual(expected);
  });

  test('gives what is before the cut, wherever a log is cut short', () => {
    const bytes = readFileSync(sample());
    const whole = readAll(fileOf(bytes)).events;
    const counts = new Set<number>();
    for (let size = header.length; size < bytes.length; size += 1 + (size % 3)) {
      const { events, end, damage } = readAll(fileOf(bytes.subarray(0, size)));
      expect(events).toEqual(whole.slice(0, events.length));
      expect(end).toBeUndefined();
      expect(damage?.offset).toBeLessThanOrEqual(size);
      expect(damage?.reason).toMatch(/^expected a record.* the end of the file$/);
      counts.add(events.length);
    }
    expect(counts.size).toBe(whole.length + 1);
  });

  test('gives what is before a fault, whatever the bytes are', () => {
    const bytes = readFileSync(sample());
    const whole = readAll(fileOf(bytes)).events;
    const change = fc.record({ at: fc.nat({ max: bytes.length - 1 }), byte: fc.nat({ max: 255 }) });
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        const corrupt = Buffer.from(bytes);
        for (const { at, byte } of changes) corrupt[at] = byte;
        const first = Math.min(...changes.map((each) => each.at));
        try {
          const { events, end, damage } = readAll(fileOf(corrupt));
          expect(end !== undefined || damage !== undefined).toBe(true);
          expect(damage?.offset ?? 0).toBeLessThanOrEqual(bytes.length);
          // No record of the sample takes more than 80 bytes.
          const sound = whole.slice(0, Math.max(0, Math.floor((first - header.length) / 80)));
          expect(events.slice(0, sound.length)).toEqual(sound);
        } catch (error) {
          expect(error).toMatchObject({ code: 'INPUT' });
        }
      }),
      { numRuns: 500 },
    );
  });

  test('comes to an end with any bytes at all', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), (bytes, headed) => {
        try {
          readAll(headed ? fileOf(header, bytes) : fileOf(bytes));
        } catch (error) {
          expect(error).toMatchObject({ code: 'INPUT' });
        }
      }),
      { numRuns: 500 },
    );
  });

  const offset = header.length + activation(1n).length;
  test.each([
    [
      'a size over the limit',
      [0x81, 0x80, 0x40],
      `expected a size up to ${MAX_RECORD}, found one of ${MAX_RECORD + 1}`,
    ],
    ['a size that does not end', [0xff, 0xff, 0xff, 0x7f], `expected a size up to ${MAX_RECORD}`],
    ['a size that is cut short', [0x80], 'expected a record, found a part of one and the end of the file'],
    [
      'a size beyond the file',
      [0x80, 0x80, 0x40, 1, 2],
      'expected a record of 1048576 bytes, found 2 bytes and the end of the file',
    ],
    ['no protobuf', [2, 0x2f, 0x07], 'a record of 2 bytes cannot be decoded: invalid wire type 7'],
    ['a node that does not exist', [4, 0x10, 0x05, 0x2a, 0], 'expected a node from 0 to 4, found 5'],
    [
      'an interface that does not exist',
      [4, 0x3a, 0x02, 0x08, 0x02],
      'expected one of the 2 interfaces of node 0, found 2',
    ],
    [
      'a frame of the run itself',
      [4, 0x10, 0x03, 0x3a, 0],
      'expected one of the 0 interfaces of node 3, found 0',
    ],
    [
      'a change of a link that does not exist',
      [6, 0x10, 0x03, 0x6a, 0x02, 0x08, 0x01],
      'expected one of the 1 cables of node 3, found 1',
    ],
    [
      'a change of a port that does not exist',
      [6, 0x10, 0x02, 0x6a, 0x02, 0x08, 0x01],
      'expected one of the 1 cables of node 2, found 1',
    ],
    ['a change of a guest', [4, 0x10, 0x01, 0x6a, 0], 'expected one of the 0 cables of node 1, found 0'],
    [
      'a line that does not exist',
      [6, 0x10, 0x01, 0x72, 0x02, 0x08, 0x01],
      'one of the 1 lines of node 1, found 1',
    ],
    [
      'a shared variable that does not exist',
      [7, 0x10, 0x01, 0x82, 0x01, 0x02, 0x08, 0x02],
      'expected one of 2 shared variables at one of 2 nodes, found 2 at 1',
    ],
    [
      'a shared variable of a switch',
      [5, 0x10, 0x02, 0x8a, 0x01, 0],
      'expected one of 2 shared variables at one of 2 nodes, found 0 at 2',
    ],
    ['the level of a node', [4, 0x10, 0x01, 0x7a, 0], 'expected the level of a wire, found one of node 1'],
    [
      'a second change of a wire',
      [6, 0x10, 0x04, 0x6a, 0x02, 0x08, 0x01],
      'expected one of the 1 cables of node 4, found 1',
    ],
    ['a second header', header, 'expected an event or the end, found a header'],
    [
      'a time past the end of time',
      activation(NEVER),
      'expected a time up to 9223372036854775807ns, found 9223372036854775808ns',
    ],
  ])('names the place of %s', (_, bytes, reason) => {
    const { events, damage } = readAll(fileOf(header, activation(1n), bytes));
    expect(events).toHaveLength(1);
    expect(damage?.offset).toBe(offset);
    expect(damage?.reason).toContain(reason);
  });

  test('names what follows the end', () => {
    const end = records((out) => encodeEnd(out, 0n, END));
    expect(readAll(fileOf(header, end, [0]))).toMatchObject({
      end: END,
      damage: { offset: header.length + end.length, reason: 'expected the end of the file, found more' },
    });
  });

  test('reads records up to the limit', () => {
    const data = new Uint8Array(MAX_RECORD - 20).fill(0x41);
    const large = records((out) => encodeEvent(out, 1n, 0, { kind: 'console-output', data }));
    const { events, damage } = readAll(fileOf(header, large, activation(1n), large, large));
    expect(events.map(({ event }) => (event.kind === 'console-output' ? event.data.length : 0))).toEqual([
      data.length,
      0,
      data.length,
      data.length,
    ]);
    expect(damage?.reason).toBe('expected a record, found the end of the file');
  });

  test('refuses what is no run log, and says so', () => {
    const folder = temporaryFolder();
    expect(refusal(join(folder, 'nothing'))).toMatch(
      /^the run log .*nothing cannot be read \(ENOENT.*give a run/,
    );
    expect(refusal(folder)).toMatch(/trace cannot be read \(ENOENT/);
    expect(refusal('/dev/null')).toMatch(/\/dev\/null cannot be read \(it is not a file\)/);
    mkdirSync(join(folder, 'trace'));
    expect(refusal(folder)).toMatch(/it is not a file/);
    expect(refusal(fileOf())).toMatch(/is not a run log: expected a record, found the end of the file$/);
    expect(refusal(fileOf(Buffer.from('name: two-nodes\n')))).toMatch(
      /is not a run log: expected a record of 110/,
    );
    expect(refusal(fileOf(activation(1n)))).toMatch(/expected a header first, found an event$/);
    expect(refusal(fileOf([4, 0x1a, 0x02, 0x08, 0x07]))).toMatch(
      /expected a log of format 1 to 2, found format 7$/,
    );
  });
});
