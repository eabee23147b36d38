// SPDX-License-Identifier: MIT
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import { describe, expect, test } from 'vitest';
import { OneclockError } from '../../backend/errors.js';
import { AgentDecoder, encodeFromGuest, type FromGuest } from './codec.js';
import { AGENT_PORT, MAX_AGENT_MESSAGE } from './constants.js';
import { agentSchema } from './schema.js';

const message: fc.Arbitrary<FromGuest> = fc.oneof(
  fc.constant<FromGuest>({ type: 'ready' }),
  fc.record({ type: fc.constant('exited' as const), code: fc.integer({ min: 0, max: 255 }) }),
  fc.record({ type: fc.constant('signalled' as const), signal: fc.integer({ min: 1, max: 64 }) }),
  fc.record({
    type: fc.constant('failed' as const),
    text: fc.string().map((text) => text.replace(/\p{C}/gu, ' ')),
  }),
);

/** The size of a message, as it stands before it. */
function sizeBytes(size: number): number[] {
  return size < 0x80 ? [size] : [(size & 0x7f) | 0x80, ...sizeBytes(size >>> 7)];
}

function framed(...bytes: number[]): Uint8Array {
  return Uint8Array.from([...sizeBytes(bytes.length), ...bytes]);
}

/** The error that `action` throws; fails the test if it is not a fault of the participant. */
function fault(action: () => unknown): OneclockError {
  try {
    action();
  } catch (error) {
    expect(error).toBeInstanceOf(OneclockError);
    expect((error as OneclockError).code).toBe('PARTICIPANT');
    return error as OneclockError;
  }
  throw new Error('nothing was thrown');
}

describe('the contract has one meaning', () => {
  const proto = readFileSync(new URL('agent.proto', import.meta.url), 'utf8');
  const header = readFileSync(new URL('agent.h', import.meta.url), 'utf8');
  const root = protobuf.parse(proto, { keepCase: true }).root;

  test('the schema says what agent.proto says', () => {
    expect(agentSchema).toEqual(root.toJSON());
  });

  test('agent.h has the field numbers of agent.proto, and no others', () => {
    const defined = [...header.matchAll(/^#define (ONECLOCK_AGENT_\w+_\w+) (\d+)$/gm)]
      .map(([, name, value]) => [name, Number(value)])
      .filter(([name]) => name !== 'ONECLOCK_AGENT_MAX_MESSAGE');
    const expected = ['FromGuest', 'Exited', 'Failed'].flatMap((type) =>
      root
        .lookupType(`oneclock.agent.${type}`)
        .fieldsArray.map((field) => [
          `ONECLOCK_AGENT_${type.replace(/(?<=.)(?=[A-Z])/g, '_')}_${field.name}`.toUpperCase(),
          field.id,
        ]),
    );
    expect(defined).toEqual(expected);
  });

  test('agent.h has the port and the limit of codec.ts, and agent.proto names them', () => {
    expect(header).toContain(`#define ONECLOCK_AGENT_PORT "${AGENT_PORT}"\n`);
    expect(header).toContain(`#define ONECLOCK_AGENT_MAX_MESSAGE ${MAX_AGENT_MESSAGE}\n`);
    expect(proto).toContain(`\`${AGENT_PORT}\``);
    expect(proto).toContain(`${MAX_AGENT_MESSAGE} bytes`);
  });
});

describe('decoding', () => {
  test('any messages in any pieces come out as they went in', () => {
    fc.assert(
      fc.property(fc.array(message), fc.array(fc.nat(64)), (messages, cuts) => {
        const bytes = Buffer.concat(messages.map(encodeFromGuest));
        const decoder = new AgentDecoder('a');
        const out: FromGuest[] = [];
        let at = 0;
        for (const cut of cuts) {
          out.push(...decoder.push(bytes.subarray(at, at + cut)));
          at += cut;
        }
        out.push(...decoder.push(bytes.subarray(at)));
        decoder.end();
        expect(out).toEqual(messages);
      }),
    );
  });

  test('the bytes are those of agent.proto', () => {
    expect([...encodeFromGuest({ type: 'ready' })]).toEqual([2, 0x0a, 0]);
    expect([...encodeFromGuest({ type: 'exited', code: 0 })]).toEqual([4, 0x12, 2, 0x08, 0]);
    expect([...encodeFromGuest({ type: 'signalled', signal: 9 })]).toEqual([4, 0x12, 2, 0x10, 9]);
    expect([...encodeFromGuest({ type: 'failed', text: 'no' })]).toEqual([6, 0x1a, 4, 0x0a, 2, 0x6e, 0x6f]);
  });

  test('fields from a later version are ignored', () => {
    const later = framed(0x12, 4, 0x08, 7, 0x78, 1, 0x7a, 1, 0x21);
    expect(new AgentDecoder('a').push(later)).toEqual([{ type: 'exited', code: 7 }]);
  });

  test('a message of the greatest size is taken', () => {
    const text = 'x'.repeat(MAX_AGENT_MESSAGE - 8);
    const bytes = encodeFromGuest({ type: 'failed', text });
    expect(bytes.length).toBe(MAX_AGENT_MESSAGE + 3);
    expect(new AgentDecoder('a').push(bytes)).toEqual([{ type: 'failed', text }]);
  });

  test('what would steer a terminal is taken out of a text', () => {
    const bytes = encodeFromGuest({ type: 'failed', text: 'a\u001b[2Jb\nc\u202e' });
    expect(new AgentDecoder('a').push(bytes)).toEqual([{ type: 'failed', text: 'a?[2Jb?c?' }]);
  });
});

describe('refusing', () => {
  test.each([
    ['a byte too many', sizeBytes(MAX_AGENT_MESSAGE + 1), 'at most 65536 bytes, found one of 65537'],
    ['the greatest 3-byte size', [0xff, 0xff, 0x7f], 'found one of 2097151'],
    ['a size of 4 bytes', [0x80, 0x80, 0x80], 'found a size that takes more bytes'],
    ['a size that never ends', Array<number>(100).fill(0xff), 'found a size that takes more bytes'],
  ])('%s is refused before anything is buffered', (_, bytes, text) => {
    expect(fault(() => new AgentDecoder('node a').push(Uint8Array.from(bytes))).message).toMatch(text);
  });

  test.each([
    ['an empty message', framed(), 'expected ready, exited or failed, found a message with none'],
    ['only an unknown field', framed(0x78, 1), 'found a message with none'],
    ['an end that is neither', framed(0x12, 0), 'expected an exit code or a signal, found neither'],
    ['an exit code of 256', framed(0x12, 3, 0x08, 0x80, 0x02), 'from 0 to 255, found 256'],
    ['signal 0', framed(0x12, 2, 0x10, 0), 'from 1 to 64, found 0'],
    ['signal 65', framed(0x12, 2, 0x10, 65), 'from 1 to 64, found 65'],
    [
      'a field cut short',
      framed(0x1a, 9, 0x0a, 2),
      'expected a FromGuest message, found 4 bytes .* 1a090a02',
    ],
    ['a field number 0', framed(0x00, 0), 'expected a FromGuest message'],
    ['an unknown wire type', framed(0x0f, 0), 'expected a FromGuest message'],
  ])('%s', (_, bytes, text) => {
    const decoder = new AgentDecoder('node a');
    const first = fault(() => decoder.push(bytes));
    expect(first.message).toMatch(/^node a: agent port: expected .*, found /);
    expect(first.message).toMatch(new RegExp(text));
    expect(fault(() => decoder.push(encodeFromGuest({ type: 'ready' })))).toBe(first);
    expect(fault(() => decoder.end())).toBe(first);
  });

  test('a message that is cut off at any byte is named at the end', () => {
    fc.assert(
      fc.property(message, fc.nat(), (whole, cut) => {
        const bytes = encodeFromGuest(whole);
        const decoder = new AgentDecoder('a');
        expect(decoder.push(bytes.subarray(0, 1 + (cut % (bytes.length - 1))))).toEqual([]);
        expect(fault(() => decoder.end()).message).toMatch(/and the end$/);
      }),
    );
  });

  test('random bytes give messages or a fault of the participant, nothing else', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 5 }), (pieces) => {
        const decoder = new AgentDecoder('a');
        try {
          for (const piece of pieces) decoder.push(piece);
          decoder.end();
        } catch (error) {
          expect(error).toBeInstanceOf(OneclockError);
          expect((error as OneclockError).code).toBe('PARTICIPANT');
        }
      }),
      { numRuns: 2000 },
    );
  });

  test('random messages of a right size do the same', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (body) => {
        try {
          expect(new AgentDecoder('a').push(framed(...body))).toHaveLength(1);
        } catch (error) {
          expect((error as OneclockError).code).toBe('PARTICIPANT');
        }
      }),
      { numRuns: 5000 },
    );
  });
});
