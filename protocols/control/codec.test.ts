// SPDX-License-Identifier: MIT
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import { describe, expect, test } from 'vitest';
import {
  decodeFromRun,
  decodeToRun,
  encodeFromRun,
  encodeToRun,
  type FromRun,
  frame,
  MAX_COMMAND,
  MAX_CONTROL_DATA,
  MAX_CONTROL_MESSAGE,
  MessageReader,
  type ToRun,
} from './index.js';
import { controlSchema } from './schema.js';

const size = fc.integer({ min: 0, max: 0xffff });
const terminal = fc.record({ rows: size, columns: size });
const text = fc.string({ maxLength: 60 }).map((each) => each.replaceAll('\0', ' '));
const bytes = (minLength: number) => fc.uint8Array({ minLength, maxLength: 300 });

const toRun: fc.Arbitrary<ToRun> = fc.oneof(
  fc.record({
    type: fc.constant('open' as const),
    version: fc.integer({ min: 1, max: 0xffff_ffff }),
    node: text,
    command: fc.option(
      text.filter((each) => each !== ''),
      { nil: undefined },
    ),
    terminal: fc.option(terminal, { nil: undefined }),
  }),
  fc.record({ type: fc.constant('input' as const), bytes: bytes(0), end: fc.boolean() }),
  fc.record({ type: fc.constant('resize' as const), terminal }),
  fc.record({ type: fc.constant('signal' as const), number: fc.integer({ min: 1, max: 64 }) }),
);

const fromRun: fc.Arbitrary<FromRun> = fc.oneof(
  fc.constant<FromRun>({ type: 'begun' }),
  fc.record({ type: fc.constant('output' as const), stream: fc.constantFrom(1, 2), bytes: bytes(1) }),
  fc.record({
    type: fc.constant('ended' as const),
    end: fc.oneof(
      fc.record({ code: fc.integer({ min: 0, max: 255 }) }),
      fc.record({ signal: fc.integer({ min: 1, max: 64 }) }),
    ),
  }),
  fc.record({
    type: fc.constant('refused' as const),
    text: text.map((each) => each.replace(/\p{C}/gu, '?')),
    input: fc.boolean(),
  }),
);

test('the schema says what control.proto says', () => {
  const proto = readFileSync(new URL('control.proto', import.meta.url), 'utf8');
  expect(controlSchema).toEqual(protobuf.parse(proto, { keepCase: true }).root.toJSON());
});

describe('a message', () => {
  test('is read as it was written', () => {
    fc.assert(
      fc.property(toRun, (message) => {
        expect(decodeToRun(encodeToRun(message))).toEqual(message);
      }),
    );
    fc.assert(
      fc.property(fromRun, (message) => {
        expect(decodeFromRun(encodeFromRun(message))).toEqual(message);
      }),
    );
  });

  test('is read in whatever pieces it comes', () => {
    fc.assert(
      fc.property(fc.array(toRun, { maxLength: 8 }), fc.integer({ min: 1, max: 50 }), (messages, piece) => {
        const reader = new MessageReader('a test', MAX_CONTROL_MESSAGE, decodeToRun);
        const stream = Buffer.concat(messages.map((message) => frame(encodeToRun(message))));
        const read: ToRun[] = [];
        for (let from = 0; from < stream.length; from += piece) {
          reader.push(stream.subarray(from, from + piece), (message) => read.push(message));
        }
        reader.end();
        expect(read).toEqual(messages);
      }),
    );
  });

  test('of any bytes is read or refused, and never more', () => {
    const reads = (decode: (from: Uint8Array) => unknown) => (from: Uint8Array) => {
      try {
        decode(from);
      } catch (error) {
        expect((error as Error).message).toMatch(/^expected /);
      }
    };
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), reads(decodeToRun)));
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), reads(decodeFromRun)));
  });

  test('that is out of bounds is refused', () => {
    const refused = (message: ToRun, why: RegExp) => {
      expect(() => decodeToRun(encodeToRun(message))).toThrow(why);
    };
    const open = { type: 'open', version: 1, node: 'a', command: undefined, terminal: undefined } as const;
    refused({ type: 'signal', number: 65 }, /expected a signal from 1 to 64, found 65/);
    refused({ type: 'input', bytes: new Uint8Array(MAX_CONTROL_DATA + 1), end: false }, /16385/);
    refused({ type: 'resize', terminal: { rows: 70_000, columns: 1 } }, /rows/);
    refused({ ...open, command: 'x'.repeat(MAX_COMMAND + 1) }, /size of command/);
    refused({ ...open, node: 'a\0b' }, /without a zero byte/);
    expect(() => decodeToRun(new Uint8Array())).toThrow(/expected open, input/);
    expect(() => decodeFromRun(encodeFromRun({ type: 'ended', end: {} as { code: number } }))).toThrow(
      /neither/,
    );
  });
});
