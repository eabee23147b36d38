// SPDX-License-Identifier: MIT
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import { describe, expect, test } from 'vitest';
import {
  decodeEntry,
  decodeHeader,
  encodeEntry,
  encodeHeader,
  Framing,
  MAX_RECORDING_MESSAGE,
  type RecordedEntry,
  type RecordedInput,
  type ShellAct,
  Unframing,
} from './index.js';
import { recordingSchema } from './schema.js';

const NEVER = 2n ** 63n - 1n;
const small = fc.nat(0xffff_ffff);
const at = fc.bigInt({ min: 0n, max: NEVER });
const bytes = fc.uint8Array({ maxLength: 300 });
const text = fc.string({ maxLength: 60 }).map((each) => each.replace(/\p{C}/gu, '?'));
const size = fc.nat(0xffff);
const terminal = fc.record({ rows: size, columns: size });
const end = fc.oneof(
  fc.record({ code: fc.integer({ min: 0, max: 255 }) }),
  fc.record({ signal: fc.integer({ min: 1, max: 64 }) }),
);
const maybe = <T>(of: fc.Arbitrary<T>) => fc.option(of, { nil: undefined });
const type = <T extends string>(name: T) => fc.constant(name);

const act: fc.Arbitrary<ShellAct> = fc.oneof(
  fc.record({
    type: type('open'),
    version: fc.integer({ min: 1, max: 0xffff_ffff }),
    node: text,
    command: maybe(text.filter((each) => each !== '')),
    terminal: maybe(terminal),
  }),
  fc.record({ type: type('input'), bytes, end: fc.boolean() }),
  fc.record({ type: type('resize'), terminal }),
  fc.record({ type: type('signal'), number: fc.integer({ min: 1, max: 64 }) }),
  fc.record({ type: type('more') }),
  fc.record({ type: type('gone') }),
);

const input: fc.Arbitrary<RecordedInput> = fc.oneof(
  fc.record({ type: type('barrier') }),
  fc.record({ type: type('deliver') }),
  fc.record({ type: type('frame'), node: small, interface: small, bytes }),
  fc.record({ type: type('drive'), node: small, line: small, level: maybe(fc.constantFrom(0, 1)) }),
  fc.record({ type: type('released'), node: small }),
  fc.record({ type: type('console'), node: small, bytes, at: maybe(at) }),
  fc.record({ type: type('reported'), node: small, end: maybe(end) }),
  fc.record({ type: type('ended'), node: small, at, end }),
  fc.record({ type: type('failed'), node: small, text }),
  fc.record({ type: type('level'), high: fc.boolean(), at }),
  fc.record({ type: type('sense'), node: small, line: small, high: fc.boolean(), at }),
  fc.record({ type: type('copper'), wire: small, held: fc.boolean() }),
  fc.record({ type: type('refused'), frame: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }) }),
  fc.record({ type: type('shell'), shell: small, node: small, at, act }),
  fc.record({ type: type('end') }),
);
const entry: fc.Arbitrary<RecordedEntry> = fc.record({ passed: at, input });

const header = fc.record({
  topology: fc.uint8Array({ minLength: 32, maxLength: 32 }),
  file: fc.string(),
  seed: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  until: maybe(at),
  interactive: fc.boolean(),
  messagesOnly: fc.boolean(),
});

function framed(messages: readonly Uint8Array[]): Uint8Array {
  const framing = new Framing();
  return Buffer.concat(messages.map((message) => framing.frame(message)));
}

/** The messages of a file up to its damage, and what that is. */
function read(file: Uint8Array): { messages: Uint8Array[]; damage: string | undefined } {
  const unframing = new Unframing(file);
  const messages: Uint8Array[] = [];
  try {
    for (let next = unframing.next(); next; next = unframing.next()) messages.push(Uint8Array.from(next));
  } catch (error) {
    return { messages, damage: (error as Error).message };
  }
  return { messages, damage: undefined };
}

test('the schema says what recording.proto says', () => {
  const proto = readFileSync(new URL('recording.proto', import.meta.url), 'utf8');
  expect(recordingSchema).toEqual(protobuf.parse(proto, { keepCase: true }).root.toJSON());
});

describe('an entry', () => {
  test('is read as it was written', () => {
    fc.assert(
      fc.property(entry, (each) => {
        expect(decodeEntry(encodeEntry(each))).toEqual(each);
      }),
      { numRuns: 500 },
    );
    fc.assert(
      fc.property(header, (each) => {
        expect(decodeHeader(encodeHeader(each))).toEqual(each);
      }),
    );
  });

  test('of any bytes is read or refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (each) => {
        for (const decode of [decodeEntry, decodeHeader]) {
          try {
            decode(each);
          } catch (error) {
            expect((error as Error).message).toMatch(/^expected /);
          }
        }
      }),
    );
  });
});

describe('a file', () => {
  const file = fc.array(entry.map(encodeEntry), { minLength: 1, maxLength: 6 });

  test('has the messages that were put into it', () => {
    fc.assert(
      fc.property(file, (messages) => {
        expect(read(framed(messages))).toEqual({
          messages: messages.map((each) => Uint8Array.from(each)),
          damage: undefined,
        });
      }),
    );
  });

  test('that is cut off is read up to there', () => {
    fc.assert(
      fc.property(file, fc.nat(), (messages, where) => {
        const whole = framed(messages);
        const { messages: found, damage } = read(whole.subarray(0, where % whole.length));
        expect(found).toEqual(messages.slice(0, found.length).map((each) => Uint8Array.from(each)));
        expect(damage === undefined || /^expected .*found/.test(damage)).toBe(true);
      }),
    );
  });

  test('with a changed bit is read up to there', () => {
    fc.assert(
      fc.property(file, fc.nat(), fc.nat(7), (messages, where, bit) => {
        const changed = framed(messages);
        (changed[where % changed.length] as number) ^= 1 << bit;
        const { messages: found, damage } = read(changed);
        expect(damage).toMatch(/^expected .*found/);
        expect(found).toEqual(messages.slice(0, found.length).map((each) => Uint8Array.from(each)));
      }),
    );
  });

  test('of two whose messages have changed places is damaged', () => {
    const [a, b] = [
      encodeEntry({ passed: 1n, input: { type: 'barrier' } }),
      encodeEntry({ passed: 2n, input: { type: 'barrier' } }),
    ];
    const file = framed([a, b]);
    const half = file.length / 2;
    const { damage } = read(Buffer.concat([file.subarray(half), file.subarray(0, half)]));
    expect(damage).toMatch(/expected the check/);
  });

  test('with a message that is too long is refused before it is read', () => {
    expect(read(Uint8Array.from([0xff, 0xff, 0x7f])).damage).toMatch(
      new RegExp(`at most ${MAX_RECORDING_MESSAGE} bytes, found one of`),
    );
    expect(read(Uint8Array.from([0xff, 0xff, 0xff, 1])).damage).toMatch(/a size that takes more bytes/);
  });
});

test('a header of another format, or another version, is refused', () => {
  expect(() => decodeHeader(new Uint8Array())).toThrow("expected 'oneclock recording', found ''");
  const good = encodeHeader({
    topology: new Uint8Array(32),
    file: 'f',
    seed: 1n,
    until: undefined,
    interactive: true,
    messagesOnly: false,
  });
  const place = Buffer.from(good).indexOf(Uint8Array.from([0x10, 1]));
  const other = Uint8Array.from(good);
  other[place + 1] = 2;
  expect(() => decodeHeader(other)).toThrow('expected version 1 of recordings, found 2');
});
