// SPDX-License-Identifier: MIT
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { OneclockError } from '../../backend/errors.js';
import { MAX_RELAY_DATA, RELAY_HEADER, RELAY_PORT, RELAY_WINDOW, RelayFrame } from './constants.js';
import { encodeCredit, encodeFrame, type Frame, FrameReader, readCredit } from './frame.js';

test('relay.h says what constants.ts says, and nothing else', () => {
  const header = readFileSync(new URL('relay.h', import.meta.url), 'utf8');
  const defined = [...header.matchAll(/^#define ONECLOCK_RELAY_(\w+) (\S+)$/gm)].map(([, name, value]) => [
    name,
    value,
  ]);
  expect(Object.fromEntries(defined)).toEqual({
    PORT: `"${RELAY_PORT}"`,
    HEADER: `${RELAY_HEADER}`,
    MAX_DATA: `${MAX_RELAY_DATA}`,
    WINDOW: `${RELAY_WINDOW}`,
    ...Object.fromEntries(Object.entries(RelayFrame).map(([name, value]) => [name, `${value}`])),
  });
});

function read(...pieces: Uint8Array[]): Frame[] {
  const reader = new FrameReader();
  const frames: Frame[] = [];
  for (const piece of pieces) reader.push(piece, (frame) => frames.push(frame));
  return frames;
}

describe('FrameReader', () => {
  const frame = fc.oneof(
    fc.record({
      connection: fc.nat(2 ** 32 - 1),
      type: fc.constant(RelayFrame.DATA),
      body: fc.uint8Array({ maxLength: 300 }),
    }),
    fc.record({
      connection: fc.nat(2 ** 32 - 1),
      type: fc.constantFrom(RelayFrame.CLOSE, RelayFrame.READY),
      body: fc.constant(new Uint8Array()),
    }),
  );

  test('reads any frames in any pieces', () => {
    fc.assert(
      fc.property(fc.array(frame), fc.array(fc.nat(40)), (frames, cuts) => {
        const bytes = Buffer.concat(
          frames.map(({ connection, type, body }) => encodeFrame(connection, type, body)),
        );
        let at = 0;
        const pieces = cuts.map((cut) => {
          at += cut;
          return bytes.subarray(at - cut, at);
        });
        expect(read(...pieces, bytes.subarray(at))).toEqual(frames);
      }),
    );
  });

  test('reads credit', () => {
    const [credit, close] = read(encodeCredit(7, 123_456), encodeFrame(7, RelayFrame.CLOSE));
    expect(readCredit(credit as Frame)).toBe(123_456);
    expect(close).toEqual({ connection: 7, type: RelayFrame.CLOSE, body: new Uint8Array() });
  });

  test.each([
    ['a frame of the controller', encodeFrame(1, RelayFrame.OPEN)],
    ['an unknown frame', encodeFrame(1, 9)],
    ['more data than a frame has', encodeFrame(1, RelayFrame.DATA, new Uint8Array(MAX_RELAY_DATA + 1))],
    ['credit of another size', encodeFrame(1, RelayFrame.CREDIT, new Uint8Array(3))],
    ['an end with something behind it', encodeFrame(1, RelayFrame.CLOSE, new Uint8Array(1))],
    ['a byte that has to be zero', Uint8Array.of(1, 0, 0, 0, RelayFrame.CLOSE, 1, 0, 0)],
  ])('refuses %s', (_, bytes) => {
    expect(() => read(bytes)).toThrow(OneclockError);
    expect(() => read(bytes)).toThrow(/^relay: expected the header of a frame, found /);
  });
});
