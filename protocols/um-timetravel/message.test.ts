// SPDX-License-Identifier: MIT
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MESSAGE_BYTES, Op } from './constants.js';
import { type Message, MessageDecoder, MessageEncoder } from './message.js';
import { operations, readRecording } from './testing/recording.js';

const message = fc.record({
  op: fc.nat(0xffff_ffff),
  sequence: fc.nat(0xffff_ffff),
  time: fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn }),
});

/** What a decoder makes of `bytes` that come in these pieces. */
function decode(...pieces: readonly Uint8Array[]): Message[] {
  const decoder = new MessageDecoder();
  const messages: Message[] = [];
  for (const piece of pieces) {
    // The hub's memory is used again for the next piece.
    const lent = Uint8Array.from(piece);
    decoder.push(lent, (op, sequence, time) => messages.push({ op, sequence, time }));
    lent.fill(0xee);
  }
  return messages;
}

/** `bytes` in pieces that begin at these places. */
function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const at = [0, ...places.map((place) => place % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  return at.slice(1).map((end, index) => bytes.subarray(at[index], end));
}

function encode(messages: readonly Message[]): Uint8Array {
  const encoder = new MessageEncoder();
  return Buffer.concat(messages.map(({ op, sequence, time }) => encoder.encode(op, sequence, time).slice()));
}

describe('messages', () => {
  test('what is written is read, in whatever pieces it comes', () => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 20 }), fc.array(fc.nat()), (messages, places) => {
        expect(decode(...cut(encode(messages), places))).toEqual(messages);
      }),
    );
  });

  test('any bytes are some messages, and what is not a whole one waits', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 500 }), fc.array(fc.nat()), (bytes, places) => {
        const messages = decode(...cut(bytes, places));
        expect(messages).toHaveLength(Math.floor(bytes.length / MESSAGE_BYTES));
        expect(encode(messages)).toEqual(Buffer.from(bytes.subarray(0, messages.length * MESSAGE_BYTES)));
      }),
    );
  });

  test('a message of our own, by hand', () => {
    const bytes = new MessageEncoder().encode(Op.REQUEST, 0x01020304, 0x1122_3344_5566_7788n);
    expect(Buffer.from(bytes).toString('hex')).toBe('02000000040302018877665544332211');
  });
});

describe.each(['shared', 'messages'] as const)('a recording of a kernel (%s)', (name) => {
  const recording = readRecording(name);

  test('is read and written as it was', () => {
    for (const { bytes, op } of recording) {
      const [decoded] = decode(bytes);
      expect(decoded?.op).toBe(op);
      expect(encode(decoded ? [decoded] : [])).toEqual(bytes);
    }
  });

  test('begins with START and its acknowledgement, which carries the descriptors', () => {
    const [start, acknowledgement] = recording.map(({ bytes }) => decode(bytes)[0]);
    expect(start).toEqual({ op: Op.START, sequence: 1, time: 1n });
    expect(acknowledgement).toMatchObject({ op: Op.ACK, sequence: 1 });
    expect(recording.map(({ descriptors }) => descriptors).filter((count) => count > 0)).toEqual([2]);
  });

  test('has every acknowledgement that is due, with the sequence number of what it answers', () => {
    const owed: Record<'client' | 'controller', number[]> = { client: [], controller: [] };
    for (const { bytes, fromClient } of recording) {
      const [decoded] = decode(bytes);
      if (!decoded) continue;
      const { op, sequence } = decoded;
      if (op === Op.ACK) {
        expect(owed[fromClient ? 'client' : 'controller'].shift()).toBe(sequence);
      } else if (name === 'messages' || (op !== Op.WAIT && op !== Op.RUN)) {
        owed[fromClient ? 'controller' : 'client'].push(sequence);
        // One message of ours at a time.
        expect(owed.client.length).toBeLessThanOrEqual(1);
      }
    }
    expect(owed).toEqual({ client: [], controller: [] });
  });

  test('has what each side says', () => {
    const client = [Op.ACK, Op.START, Op.WAIT, Op.GET_TOD, Op.BROADCAST];
    const controller = [Op.ACK, Op.RUN, Op.BROADCAST];
    const more = name === 'messages';
    expect(operations(recording, true)).toEqual(
      new Set(more ? [...client, Op.REQUEST, Op.GET, Op.UPDATE] : client),
    );
    expect(operations(recording, false)).toEqual(new Set(more ? [...controller, Op.FREE_UNTIL] : controller));
  });
});
