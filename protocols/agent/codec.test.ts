// SPDX-License-Identifier: MIT
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import { describe, expect, test } from 'vitest';
import { OneclockError } from '../../backend/errors.js';
import { AgentDecoder, encodeFromGuest } from './codec.js';
import * as constants from './constants.js';
import type { FromGuest, ToGuest } from './messages.js';
import { agentSchema } from './schema.js';
import { encodeToGuest } from './to-guest.js';

const { AGENT_PORT, AGENT_WINDOW, MAX_AGENT_DATA, MAX_AGENT_MESSAGE, ...limits } = constants;

const id = fc.integer({ min: 1, max: 0xffff_ffff });
const end = fc.oneof(
  fc.record({ code: fc.integer({ min: 0, max: 255 }) }),
  fc.record({ signal: fc.integer({ min: 1, max: 64 }) }),
);
const text = fc.string().map((each) => each.replace(/\p{C}/gu, ' '));
const data = fc.uint8Array({ minLength: 1, maxLength: 300 });

const message: fc.Arbitrary<FromGuest> = fc.oneof(
  fc.constant<FromGuest>({ type: 'ready' }),
  fc.record({ type: fc.constant('exited' as const), code: fc.integer({ min: 0, max: 255 }) }),
  fc.record({ type: fc.constant('signalled' as const), signal: fc.integer({ min: 1, max: 64 }) }),
  fc.record({ type: fc.constant('failed' as const), text }),
  fc.record({ type: fc.constant('started' as const), id, pid: fc.integer({ min: 1, max: 2 ** 22 }) }),
  fc.record({ type: fc.constant('output' as const), id, stream: fc.constantFrom(1, 2), bytes: data }),
  fc.record({ type: fc.constant('ended' as const), id, end }),
  fc.record({ type: fc.constant('data' as const), id, bytes: data }),
  fc.record({ type: fc.constant('done' as const), id, mode: fc.integer({ min: 0, max: 0o7777 }) }),
  fc.record({ type: fc.constant('refused' as const), id, text, error: fc.nat(200) }),
  fc.record({ type: fc.constant('credit' as const), id, bytes: id }),
  fc.record({ type: fc.constant('taken' as const), bytes: fc.integer({ min: 1, max: AGENT_WINDOW }) }),
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

  /** Each of constants.ts: `AGENT_WINDOW` there is `ONECLOCK_AGENT_WINDOW` in C, `MAX_AGENT_DATA` is `…_AGENT_MAX_DATA`. */
  const inC = (name: string) => `ONECLOCK_AGENT_${name.replace('AGENT_', '')}`;
  const numbers = Object.entries(constants).filter(([, value]) => typeof value === 'number');
  const limitNames = numbers.map(([name]) => inC(name));

  test('the schema says what agent.proto says', () => {
    expect(agentSchema).toEqual(root.toJSON());
  });

  test('agent.h has the field numbers of agent.proto, and no others', () => {
    const defined = [...header.matchAll(/^#define (ONECLOCK_AGENT_\w+_\w+) (\d+)$/gm)]
      .map(([, name, value]) => [name, Number(value)] as const)
      .filter(([name]) => !limitNames.includes(name as string));
    const types = Object.keys(agentSchema.nested.oneclock.nested.agent.nested);
    const expected = types.flatMap((type) =>
      root
        .lookupType(`oneclock.agent.${type}`)
        .fieldsArray.map((field) => [
          `ONECLOCK_AGENT_${type.replace(/(?<=.)(?=[A-Z])/g, '_')}_${field.name}`.toUpperCase(),
          field.id,
        ]),
    );
    expect(defined).toEqual(expected);
  });

  test('agent.h has the port and the limits of constants.ts, and agent.proto names them', () => {
    expect(header).toContain(`#define ONECLOCK_AGENT_PORT "${AGENT_PORT}"\n`);
    for (const [name, value] of numbers) expect(header).toContain(`#define ${inC(name)} ${value}\n`);
    expect(proto).toContain(`\`${AGENT_PORT}\``);
    expect(proto).toContain(`than ${MAX_AGENT_MESSAGE} bytes`);
    expect(proto).toContain(`at most ${MAX_AGENT_DATA} (MAX_AGENT_DATA)`);
    expect(proto).toContain(`at most ${limits.MAX_AGENT_WORDS} (MAX_AGENT_WORDS)`);
    expect(proto).toContain(`than ${AGENT_WINDOW} bytes (AGENT_WINDOW)`);
    expect(proto).toContain(`than ${limits.AGENT_STDIN_WINDOW} bytes (AGENT_STDIN_WINDOW)`);
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
    ['an empty message', framed(), 'expected ready, exited, failed or an answer, found a message with none'],
    ['only an unknown field', framed(0x78, 1), 'found a message with none'],
    ['an end that is neither', framed(0x12, 0), 'expected an exit code or a signal, found neither'],
    ['an exit code of 256', framed(0x12, 3, 0x08, 0x80, 0x02), 'from 0 to 255, found 256'],
    ['signal 0', framed(0x12, 2, 0x10, 0), 'from 1 to 64, found 0'],
    ['an answer without an id', framed(0x22, 2, 0x10, 1), 'expected a id from 1 to 4294967295, found 0'],
    ['a third stream', framed(0x2a, 7, 0x08, 1, 0x10, 3, 0x1a, 1, 0), 'a stream from 1 to 2, found 3'],
    ['output without bytes', framed(0x2a, 4, 0x08, 1, 0x10, 1), 'from 1 to 16384, found 0'],
    ['nothing taken', framed(0x5a, 0), 'bytes from 1 to 262144, found 0'],
    ['credit of nothing', framed(0x52, 2, 0x08, 1), 'bytes from 1 to 4294967295, found 0'],
    ['an end in no way', framed(0x32, 2, 0x08, 1), 'expected an exit code or a signal, found neither'],
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

describe('what is sent to a guest', () => {
  const root = protobuf.Root.fromJSON(agentSchema);
  const read = (bytes: Uint8Array) =>
    root.lookupType('oneclock.agent.ToGuest').decodeDelimited(bytes).toJSON();

  test('is what agent.proto says', () => {
    const messages: [ToGuest, object][] = [
      [
        {
          type: 'exec',
          id: 1,
          credit: 2,
          command: 'ls',
          cwd: '/tmp',
          environment: { A: 'b=c' },
          terminal: { rows: 24, columns: 80 },
          user: 'nobody',
        },
        {
          exec: {
            id: 1,
            credit: 2,
            command: 'ls',
            cwd: '/tmp',
            environment: ['A=b=c'],
            terminal: { rows: 24, columns: 80 },
            user: 'nobody',
          },
        },
      ],
      [{ type: 'exec', id: 1, credit: 0, command: ['ls', ''] }, { exec: { id: 1, argv: ['ls', ''] } }],
      [
        { type: 'stdin', id: 2, bytes: Uint8Array.of(1), end: true },
        { stdin: { id: 2, bytes: 'AQ==', end: true } },
      ],
      [{ type: 'signal', id: 3, number: 9 }, { signal: { id: 3, number: 9 } }],
      [
        { type: 'resize', id: 3, terminal: { rows: 1, columns: 2 } },
        { resize: { id: 3, terminal: { rows: 1, columns: 2 } } },
      ],
      [{ type: 'credit', id: 3, bytes: 4 }, { credit: { id: 3, bytes: 4 } }],
      [{ type: 'put', id: 4, path: '/a', mode: 0o755 }, { put: { id: 4, path: '/a', mode: 0o755 } }],
      [{ type: 'data', id: 4, bytes: Uint8Array.of(1), end: false }, { file_data: { id: 4, bytes: 'AQ==' } }],
      [{ type: 'get', id: 5, path: '/a', credit: 6 }, { get: { id: 5, path: '/a', credit: 6 } }],
      [{ type: 'cancel', id: 5 }, { cancel: { id: 5 } }],
    ];
    for (const [message, expected] of messages) expect(read(encodeToGuest(message))).toEqual(expected);
  });

  const exec = { type: 'exec', id: 1, credit: 0, command: 'true' } as const;
  test.each<[string, ToGuest, string]>([
    ['a command with a zero byte', { ...exec, command: 'a\0b' }, 'a command without a zero byte'],
    ['an empty command', { ...exec, command: '' }, 'expected a command, found an empty text'],
    ['an empty argument vector', { ...exec, command: [] }, 'arguments from 1 to 1024, found 0'],
    ['1025 arguments', { ...exec, command: Array<string>(1025).fill('') }, 'found 1025'],
    ['a command too long', { ...exec, command: 'x'.repeat(65536) }, 'at most 65536 bytes of exec'],
    ['a variable with =', { ...exec, environment: { 'a=': 'b' } }, 'the name of a variable'],
    ['a variable without a name', { ...exec, environment: { '': 'b' } }, 'the name of a variable'],
    ['a value with a zero byte', { ...exec, environment: { a: '\0' } }, 'a value of a without a zero byte'],
    ['an empty folder', { ...exec, cwd: '' }, 'a path of 1 to 4095 bytes, found 0 bytes'],
    ['65536 rows', { ...exec, terminal: { rows: 65536, columns: 1 } }, 'rows from 0 to 65535, found 65536'],
    ['signal 0', { type: 'signal', id: 1, number: 0 }, 'a signal from 1 to 64, found 0'],
    ['signal 1.5', { type: 'signal', id: 1, number: 1.5 }, 'a signal from 1 to 64, found 1.5'],
    [
      'a mode of 5 digits',
      { type: 'put', id: 1, path: '/a', mode: 0o10000 },
      'permission bits from 0 to 4095',
    ],
    ['a path too long', { type: 'get', id: 1, path: 'x'.repeat(4096), credit: 1 }, 'found 4096 bytes'],
  ])('is not %s', (_, message, text) => {
    expect(() => encodeToGuest(message)).toThrow(text);
  });
});
