// SPDX-License-Identifier: MIT
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OneclockError } from '../../backend/errors.js';
import { HEADER_BYTES, MAX_PAYLOAD_BYTES, writeHeader, writeU32 } from './header.js';
import { MessageStream } from './message-stream.js';

interface Seen {
  request: number;
  payload: number[];
  descriptors: number[];
}

function record(goOn: (seen: Seen) => boolean = () => true) {
  const seen: Seen[] = [];
  const closed: number[] = [];
  const handler = {
    onMessage(
      request: number,
      _flags: number,
      bytes: Uint8Array,
      at: number,
      size: number,
      descriptors: readonly number[],
    ) {
      const message = { request, payload: [...bytes.subarray(at, at + size)], descriptors: [...descriptors] };
      seen.push(message);
      return goOn(message);
    },
  };
  const stream = new MessageStream(handler, (descriptor) => closed.push(descriptor));
  return { seen, closed, stream };
}

function message(request: number, payload: readonly number[] = []): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + payload.length);
  writeHeader(bytes, request, 0, payload.length);
  bytes.set(payload, HEADER_BYTES);
  return bytes;
}

describe('MessageStream', () => {
  it('cuts the same messages out of a stream in any pieces', () => {
    const messages = fc.array(
      fc.tuple(
        fc.integer({ min: 1, max: 50 }),
        fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 40 }),
      ),
      { minLength: 1, maxLength: 8 },
    );
    fc.assert(
      fc.property(messages, fc.array(fc.integer({ min: 1, max: 30 }), { maxLength: 60 }), (list, cuts) => {
        const { seen, closed, stream } = record();
        const bytes = Buffer.concat(list.map(([request, payload]) => message(request, payload)));
        let at = 0;
        for (const cut of [...cuts, bytes.length]) {
          const piece = bytes.subarray(at, at + cut);
          if (piece.length > 0) stream.push(piece, []);
          at += piece.length;
        }
        expect(seen.map(({ request, payload }) => [request, payload])).toEqual(list);
        expect(closed).toEqual([]);
      }),
    );
  });

  it('gives descriptors to the last message that starts in a piece', () => {
    const { seen, stream } = record();
    stream.push(Buffer.concat([message(1), message(2, [1, 2, 3])]), [7, 8]);
    expect(seen.map((each) => each.descriptors)).toEqual([[], [7, 8]]);
  });

  it('keeps the descriptors of a message that comes in parts', () => {
    const { seen, closed, stream } = record();
    const second = message(2, [9, 9, 9, 9]);
    stream.push(Buffer.concat([message(1), second.subarray(0, 3)]), [5]);
    stream.push(second.subarray(3, 14), []);
    expect(seen).toHaveLength(1);
    stream.push(Buffer.concat([second.subarray(14), message(3)]), [6]);
    expect(seen.map((each) => each.descriptors)).toEqual([[], [5], [6]]);
    expect(closed).toEqual([]);
  });

  it('closes the descriptors of a message that never ends', () => {
    const { closed, stream } = record();
    stream.push(message(2, [1, 2]).subarray(0, 13), [5, 6]);
    stream.discard();
    stream.discard();
    expect(closed).toEqual([5, 6]);
  });

  it('refuses and closes descriptors in the middle of a message', () => {
    const { closed, stream } = record();
    const bytes = message(2, [1, 2, 3, 4]);
    stream.push(bytes.subarray(0, 4), [1]);
    expect(() => stream.push(bytes.subarray(4, 6), [2])).toThrow(/in the middle of a message/);
    stream.discard();
    expect(closed).toEqual([2, 1]);
  });

  it('refuses and closes more descriptors than any message has', () => {
    const { closed, seen, stream } = record();
    expect(() => stream.push(message(2), [1, 2, 3, 4, 5, 6, 7, 8, 9])).toThrow(/9 descriptors, more than 8/);
    expect(closed).toHaveLength(9);
    expect(seen).toEqual([]);
  });

  it('hands nothing over once the handler has had enough', () => {
    const { seen, closed, stream } = record((each) => each.request !== 1);
    stream.push(Buffer.concat([message(1), message(2)]), [4]);
    expect(seen.map((each) => each.request)).toEqual([1]);
    expect(closed).toEqual([4]);
    const later = record(() => false);
    later.stream.push(message(5).subarray(0, 5), []);
    later.stream.push(Buffer.concat([message(5).subarray(5), message(6)]), []);
    expect(later.seen.map((each) => each.request)).toEqual([5]);
  });

  it.each([
    ['another version', 0x2, 0, /version 2 where 1/],
    ['the reply flag', 0x5, 0, /reply flag on a request/],
    ['unknown flags', 0x11, 0, /unknown flags 0x10/],
    ['too much payload', 0x1, MAX_PAYLOAD_BYTES + 1, /4097 bytes, more than 4096/],
  ])('refuses %s', (_what, flags, size, text) => {
    const { closed, stream } = record();
    const bytes = new Uint8Array(HEADER_BYTES);
    writeU32(bytes, 0, 2);
    writeU32(bytes, 4, flags);
    writeU32(bytes, 8, size);
    expect(() => stream.push(bytes, [3])).toThrow(text);
    expect(closed).toEqual([3]);
  });

  it('throws PARTICIPANT and nothing else for any bytes, and loses no descriptor', () => {
    const piece = fc.tuple(fc.uint8Array({ maxLength: 64 }), fc.array(fc.nat(), { maxLength: 10 }));
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 10 }), (pieces) => {
        const { seen, closed, stream } = record();
        let given = 0;
        try {
          for (const [bytes, descriptors] of pieces) {
            if (bytes.length === 0) continue;
            given += descriptors.length;
            stream.push(bytes, descriptors);
          }
        } catch (error) {
          expect(error).toBeInstanceOf(OneclockError);
          expect((error as OneclockError).code).toBe('PARTICIPANT');
        }
        stream.discard();
        expect(closed.length + seen.reduce((sum, each) => sum + each.descriptors.length, 0)).toBe(given);
      }),
    );
  });
});
