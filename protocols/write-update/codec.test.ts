// SPDX-License-Identifier: MIT
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import { describe, expect, test } from 'vitest';
import { OneclockError } from '../../backend/errors.js';
import {
  CREDIT_STEP,
  decodeWriteUpdate,
  encodeWriteUpdate,
  MAX_MEMBER,
  MAX_RANK,
  MAX_SNAPSHOT,
  MAX_VARIABLE,
  MAX_WRITE_UPDATE_MESSAGE,
  MESSAGE_COST,
  METHODS,
  MessageReader,
  type Update,
  WINDOW,
  type WriteUpdateMessage,
} from './index.js';
import { writeUpdateSchema } from './schema.js';
import { anyMessage } from './testing/arbitrary.js';

const proto = readFileSync(new URL('write-update.proto', import.meta.url), 'utf8');
const root = protobuf.parse(proto).root;

function read(...pieces: Uint8Array[]): WriteUpdateMessage[] {
  const messages: WriteUpdateMessage[] = [];
  const reader = new MessageReader('east', MAX_WRITE_UPDATE_MESSAGE, decodeWriteUpdate);
  for (const piece of pieces) reader.push(piece, (message) => messages.push(message));
  return messages;
}

/** A message with `fields`, in which what the encoder would never write can be written. */
function raw(fields: object): Uint8Array {
  const type = root.lookupType('oneclock.writeupdate.Message');
  return type.encodeDelimited(type.fromObject(fields)).finish();
}

/** Fails the test if `action` throws anything but a fault of the peer. */
function messagesOrFault(action: () => unknown): void {
  try {
    action();
  } catch (error) {
    expect(error).toBeInstanceOf(OneclockError);
    expect((error as OneclockError).code).toBe('PARTICIPANT');
    expect((error as OneclockError).message).toMatch(/^east: /);
  }
}

describe('write-update.proto', () => {
  test('is what the schema says', () => {
    expect(writeUpdateSchema).toEqual(root.toJSON());
  });

  test('has the methods and limits of constants.ts', () => {
    const methods = Object.entries(root.lookupEnum('oneclock.writeupdate.Hello.Method').values);
    expect(methods).toEqual(METHODS.map((name, index) => [name.toUpperCase().replace('-', '_'), index]));
    expect(proto).toContain(`${MAX_WRITE_UPDATE_MESSAGE} bytes`);
    expect(proto).toContain(`at most ${MAX_SNAPSHOT}.`);
    expect(proto).toContain(`${MAX_RANK} (MAX_RANK`);
    expect(proto).toContain(`${CREDIT_STEP} (CREDIT_STEP`);
    expect(proto).toContain(`and ${MESSAGE_COST} more`);
    expect(proto).toContain(`${WINDOW} (WINDOW)`);
    expect(proto).toContain(`1 to ${MAX_MEMBER}; each number`);
    expect(proto).toContain(`1 to ${MAX_VARIABLE}; the same`);
  });

  test('says of every message who sends it to whom', () => {
    for (const [, comment, name] of proto.matchAll(/((?:^\/\/.*\n)*)^message (\w+)/gm)) {
      expect(comment, name).toMatch(/Member to hub|Hub to member|Controller to controller|Either way/);
    }
  });
});

test('any messages in any pieces come out as they went in', () => {
  fc.assert(
    fc.property(fc.array(anyMessage, { maxLength: 6 }), fc.array(fc.nat(64)), (messages, cuts) => {
      const bytes = Buffer.concat(messages.map(encodeWriteUpdate));
      let at = 0;
      const pieces = cuts.map((cut) => {
        at += cut;
        return bytes.subarray(at - cut, at);
      });
      expect(read(...pieces, bytes.subarray(at))).toEqual(messages);
    }),
  );
});

test('the greatest snapshot is taken', () => {
  const update: Update = {
    sequence: Number.MAX_SAFE_INTEGER,
    origin: MAX_MEMBER,
    change: Number.MAX_SAFE_INTEGER,
    variable: MAX_VARIABLE,
    value: (1n << 64n) - 1n,
    ticks: (1n << 64n) - 1n,
    atNs: (1n << 63n) - 1n,
    rank: MAX_RANK,
  };
  const updates = Array<Update>(MAX_SNAPSHOT).fill(update);
  const body = { type: 'snapshot', sequence: Number.MAX_SAFE_INTEGER, updates } as const;
  const message = { member: 1, number: 1, received: 1, body };
  expect(read(encodeWriteUpdate(message))).toEqual([message]);
});

test('a method of a later version is an unknown one', () => {
  const hello = { version: 2, method: 'unknown' };
  expect(read(raw({ hello: { version: 2, method: 99 } }))).toEqual([{ member: 0, hello }]);
});

describe('refusing', () => {
  const update = { origin: 1, change: 1, variable: 1 };
  const numbered = { member: 1, number: 1 };

  test.each<[string, object, string]>([
    ['no type', numbered, 'expected a message of a known type'],
    ['hello of a member', { member: 1, hello: {} }, 'expected a member from 0 to 0, found 1'],
    ['hello with a number', { number: 1, hello: {} }, 'expected no number with hello'],
    ['credit of a member', { member: 1, credit: {} }, 'expected a member from 0 to 0, found 1'],
    ['credit with a number', { number: 1, credit: {} }, 'expected no number with credit'],
    [
      'a credit that is not exact',
      { credit: { messages: '9007199254740992' } },
      'expected a messages from 0',
    ],
    ['hello that acknowledges', { received: 1, hello: {} }, 'expected no number with hello'],
    ['member 0', { number: 1, join: {} }, 'expected a member from 1 to 65535, found 0'],
    ['member 65536', { member: 65536, number: 1, join: {} }, 'found 65536'],
    ['an update without a number', { member: 1, update }, 'expected a number with update, found 0'],
    ['an acknowledgement with one', { ...numbered, acknowledge: {} }, 'expected no number with acknowledge'],
    [
      'a number that is not exact',
      { member: 1, number: '9007199254740992', join: {} },
      'expected a number from 0',
    ],
    [
      'a received that is not exact',
      { ...numbered, received: '18446744073709551615', join: {} },
      'a received from 0',
    ],
    ['variable 0', { ...numbered, register: { size: 8 } }, 'expected a variable from 1 to 65535, found 0'],
    ['variable 65536', { ...numbered, register: { variable: 65536, size: 8 } }, 'found 65536'],
    ['size 0', { ...numbered, register: { variable: 1 } }, 'expected a size from 1 to 8, found 0'],
    ['size 9', { ...numbered, register: { variable: 1, size: 9 } }, 'expected a size from 1 to 8, found 9'],
    ['origin 0', { ...numbered, update: { ...update, origin: 0 } }, 'expected a member as origin from 1'],
    ['change 0', { ...numbered, update: { ...update, change: 0 } }, 'expected a change from 1'],
    [
      'an instant after all',
      { ...numbered, update: { ...update, atNs: '9223372036854775808' } },
      'expected an instant',
    ],
    [
      'too great a rank',
      { ...numbered, update: { ...update, rank: MAX_RANK + 1 } },
      'expected a rank from 0 to 16383, found 16384',
    ],
    [
      'too many updates',
      { ...numbered, snapshot: { updates: Array(MAX_SNAPSHOT + 1).fill(update) } },
      'expected a number of updates from 0 to 1024, found 1025',
    ],
    [
      'a bad update in a snapshot',
      { ...numbered, snapshot: { updates: [update, {}] } },
      'expected a member as origin from 1',
    ],
  ])('%s', (_, fields, text) => {
    expect(() => read(raw(fields))).toThrow(OneclockError);
    expect(() => read(raw(fields))).toThrow(text);
  });

  test('a message that is too long is refused before it is buffered', () => {
    // 65537 as a varint.
    expect(() => read(Uint8Array.of(0x81, 0x80, 0x04))).toThrow('at most 65536 bytes, found one of 65537');
  });

  test('random bytes give messages or a fault of the peer, nothing else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), (bytes) => {
        messagesOrFault(() => read(bytes));
        messagesOrFault(() => read(Uint8Array.of(bytes.length), bytes));
      }),
      { numRuns: 2000 },
    );
  });

  test('a message with a byte changed gives messages or a fault of the peer', () => {
    fc.assert(
      fc.property(anyMessage, fc.nat(), fc.nat(255), (message, at, value) => {
        const bytes = Uint8Array.from(encodeWriteUpdate(message));
        bytes[at % bytes.length] = value;
        messagesOrFault(() => read(bytes));
      }),
      { numRuns: 1000 },
    );
  });
});
