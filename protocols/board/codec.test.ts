// SPDX-License-Identifier: MIT
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import { describe, expect, test } from 'vitest';
import { OneclockError } from '../../backend/errors.js';
import {
  decodeFromBoard,
  decodeToBoard,
  encodeFromBoard,
  encodeToBoard,
  type FromBoard,
  MAX_BOARD_MESSAGE,
  MAX_COMMAND_BYTES,
  MAX_CONSOLE_BYTES,
  MAX_PID,
  MAX_PROCESSES,
  MessageReader,
  REFUSALS,
  type ToBoard,
  type ToBoardBody,
} from './index.js';
import { boardSchema } from './schema.js';
import { anyFromBoard, anyToBoard } from './testing/arbitrary.js';

const proto = readFileSync(new URL('board.proto', import.meta.url), 'utf8');
const root = protobuf.parse(proto).root;
const TIME = { monotonicNs: 1n, frozenNs: 0n, errorNs: 0n };

/** The size of a message, as it stands before it. */
function sizeBytes(size: number): number[] {
  return size < 0x80 ? [size] : [(size & 0x7f) | 0x80, ...sizeBytes(size >>> 7)];
}

function framed(body: Uint8Array | readonly number[]): Uint8Array {
  return Uint8Array.from([...sizeBytes(body.length), ...body]);
}

/** A message of board.proto with `fields`, in which what the encoder would never write can be written. */
function raw(name: 'ToBoard' | 'FromBoard', fields: object): Uint8Array {
  const type = root.lookupType(`oneclock.board.${name}`);
  return type.encodeDelimited(type.fromObject(fields)).finish();
}

function toBoard(bytes: Uint8Array): ToBoard[] {
  const messages: ToBoard[] = [];
  new MessageReader('bp1', MAX_BOARD_MESSAGE, decodeToBoard).push(bytes, (message) => messages.push(message));
  return messages;
}

function fromBoard(bytes: Uint8Array): FromBoard[] {
  const messages: FromBoard[] = [];
  new MessageReader('bp1', MAX_BOARD_MESSAGE, decodeFromBoard).push(bytes, (message) =>
    messages.push(message),
  );
  return messages;
}

function request(body: ToBoardBody): Uint8Array {
  return encodeToBoard({ request: 1, received: 0, body });
}

/** The error that `action` throws; fails the test if it is not a fault of the peer. */
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

describe('board.proto', () => {
  test('is what the schema says', () => {
    expect(boardSchema).toEqual(root.toJSON());
  });

  test('has the reasons and limits of constants.ts', () => {
    const reasons = root.lookupEnum('oneclock.board.Refused.Reason').values;
    expect(Object.entries(reasons)).toEqual(REFUSALS.map((name, index) => [name.toUpperCase(), index]));
    expect(proto).toContain(`${MAX_BOARD_MESSAGE} bytes`);
    expect(proto).toContain(`at most ${MAX_PROCESSES} processes`);
  });

  test('says of every message who sends it to whom', () => {
    const parts = ['BoardTime', 'Process', 'Latency'];
    for (const [, comment, name] of proto.matchAll(/((?:^\/\/.*\n)*)^message (\w+)/gm)) {
      if (parts.includes(name as string)) continue;
      expect(comment, name).toMatch(/Controller to agent|Agent to controller/);
    }
  });
});

describe('any messages in any pieces come out as they went in', () => {
  function whole<T>(
    messages: readonly T[],
    cuts: readonly number[],
    encode: (message: T) => Uint8Array,
    decode: (bytes: Uint8Array) => T,
  ): void {
    const bytes = Buffer.concat(messages.map(encode));
    const reader = new MessageReader('bp1', MAX_BOARD_MESSAGE, decode);
    const out: T[] = [];
    let at = 0;
    for (const cut of [...cuts, bytes.length]) {
      reader.push(bytes.subarray(at, at + cut), (message) => out.push(message));
      at += cut;
    }
    expect(out).toEqual(messages);
  }

  test('from a controller', () => {
    fc.assert(
      fc.property(fc.array(anyToBoard), fc.array(fc.nat(64)), (messages, cuts) =>
        whole(messages, cuts, encodeToBoard, decodeToBoard),
      ),
    );
  });

  test('from a board', () => {
    fc.assert(
      fc.property(fc.array(anyFromBoard), fc.array(fc.nat(64)), (messages, cuts) =>
        whole(messages, cuts, encodeFromBoard, decodeFromBoard),
      ),
    );
  });

  test('the greatest messages are taken', () => {
    const pids = Array<number>(MAX_PROCESSES).fill(MAX_PID);
    const processes = pids.map((pid) => ({ pid, tree: true }));
    for (const body of [
      { type: 'start', run: 1, command: 'x'.repeat(MAX_COMMAND_BYTES) },
      { type: 'register', processes },
    ] as const) {
      expect(toBoard(request(body))).toEqual([{ request: 1, received: 0, body }]);
    }
    const data = new Uint8Array(MAX_CONSOLE_BYTES).fill(0x1b);
    const body = { type: 'console', run: 1, time: TIME, data, dropped: 0n } as const;
    expect(fromBoard(encodeFromBoard({ sequence: 1, request: 0, body }))[0]?.body).toEqual(body);
  });

  test('a message of the greatest size is taken, one more byte is refused before it is buffered', () => {
    const filler = (size: number) => framed([0x1a, 0, ...Array<number>(size - 2).fill(0)]);
    expect(fault(() => toBoard(filler(MAX_BOARD_MESSAGE))).message).not.toContain('at most 65536 bytes');
    const refused = fault(() => toBoard(Uint8Array.from(sizeBytes(MAX_BOARD_MESSAGE + 1))));
    expect(refused.message).toBe('bp1: expected a message of at most 65536 bytes, found one of 65537');
    const endless = fault(() => toBoard(Uint8Array.from([0xff, 0xff, 0xff])));
    expect(endless.message).toContain('found a size that takes more bytes');
  });

  test('what would steer a terminal is taken out of a text', () => {
    const body = { type: 'failure', errno: 'E\u001b[2J', text: 'a\nb\u202e' } as const;
    expect(fromBoard(encodeFromBoard({ sequence: 1, request: 1, body }))[0]?.body).toEqual({
      type: 'failure',
      errno: 'E?[2J',
      text: 'a?b?',
    });
  });

  test('a reason from a later version is an unknown one', () => {
    const [message] = fromBoard(raw('FromBoard', { refused: { reason: 99, text: 'no' } }));
    expect(message?.body).toEqual({ type: 'refused', reason: 'unknown', text: 'no' });
  });
});

describe('refusing', () => {
  const some = { type: 'start', run: 1, command: 'true' } as const;

  test.each<[string, Uint8Array, string]>([
    ['no type', framed([]), 'expected a request, found a message of no known type'],
    ['an unknown type', framed([0xfa, 1, 0]), 'found a message of no known type'],
    [
      'a request without a number',
      encodeToBoard({ request: 0, received: 0, body: some }),
      'expected a number',
    ],
    ['a hello with one', request({ type: 'acknowledge' }), 'expected no number with acknowledge, found 1'],
    [
      'a short session',
      raw('ToBoard', { hello: { version: 1, session: new Uint8Array(15) } }),
      'expected a session of 16 bytes, found 15',
    ],
    [
      'a blank in a line',
      raw('ToBoard', { request: 1, loadModule: { pause: 'a b=c' } }),
      'expected a pause line',
    ],
    [
      'a quote in a line',
      raw('ToBoard', { request: 1, loadModule: { signal: 'a"b' } }),
      'expected a signal line',
    ],
    ['a long line', raw('ToBoard', { request: 1, loadModule: { resume: 'a'.repeat(101) } }), 'a resume line'],
    ['a method', raw('ToBoard', { request: 1, configure: { method: '../tdf' } }), 'expected a method'],
    ['no process', raw('ToBoard', { request: 1, register: {} }), 'from 1 to 256, found 0'],
    ['pid 0', request({ type: 'register', processes: [{ pid: 0, tree: false }] }), 'found 0'],
    ['a huge pid', request({ type: 'unregister', pids: [MAX_PID + 1] }), 'found 4194305'],
    [
      'too many processes',
      request({ type: 'unregister', pids: Array<number>(MAX_PROCESSES + 1).fill(2) }),
      'number of processes from 1 to 256, found 257',
    ],
    ['run 0', request({ ...some, run: 0 }), 'expected a run from 1'],
    ['an empty command', request({ ...some, command: '' }), 'command size in bytes from 1 to 32768, found 0'],
    ['a long command', request({ ...some, command: 'ä'.repeat(16_385) }), 'found 32770'],
    ['a command with a zero', request({ ...some, command: 'a\0b' }), 'without the character 0'],
    ['signal 0', request({ type: 'signal', run: 1, signal: 0 }), 'from 1 to 64, found 0'],
    ['signal 65', request({ type: 'signal', run: 1, signal: 65 }), 'from 1 to 64, found 65'],
    ['a field cut short', framed([0x5a, 9, 0x08, 1]), ''],
    ['an unknown wire type', framed([0x0f, 0]), ''],
    ['nested groups without an end', framed(Array<number>(20_000).fill(0x83)), ''],
  ])('from a controller: %s', (_, bytes, text) => {
    const messages: ToBoard[] = [];
    const reader = new MessageReader('10.0.0.9:5', MAX_BOARD_MESSAGE, decodeToBoard);
    const push = (piece: Uint8Array) => reader.push(piece, (message) => messages.push(message));
    const first = fault(() => push(bytes));
    expect(first.message).toMatch(/^10\.0\.0\.9:5: /);
    expect(first.message).toContain(text);
    expect(fault(() => push(encodeToBoard({ request: 1, received: 0, body: some })))).toBe(first);
    expect(messages).toEqual([]);
  });

  test.each<[string, object, string]>([
    ['no type', {}, 'expected an answer or event'],
    ['an event without a number', { paused: {} }, 'expected a number with paused, found 0'],
    ['a welcome with one', { sequence: 1, welcome: {} }, 'expected no number with welcome, found 1'],
    ['a started process 0', { sequence: 1, started: { time: {} } }, 'expected a pid from 1'],
    ['a console without time', { sequence: 1, console: { run: 1 } }, 'expected time, found none'],
    [
      'a console that is too long',
      { sequence: 1, console: { run: 1, time: {}, data: new Uint8Array(MAX_CONSOLE_BYTES + 1) } },
      'size of console output',
    ],
    ['an end that is neither', { sequence: 1, exited: { run: 1, time: {} } }, 'found neither'],
    ['an exit code of 256', { sequence: 1, exited: { run: 1, time: {}, code: 256 } }, 'found 256'],
    ['signal 0', { sequence: 1, exited: { run: 1, time: {}, signal: 0 } }, 'from 1 to 64, found 0'],
  ])('from a board: %s', (_, fields, text) => {
    expect(fault(() => fromBoard(raw('FromBoard', fields))).message).toContain(text);
  });

  test('random bytes give messages or a fault of the peer, nothing else', () => {
    const either = (read: () => unknown) => {
      try {
        read();
      } catch (error) {
        expect(error).toBeInstanceOf(OneclockError);
        expect((error as OneclockError).code).toBe('PARTICIPANT');
      }
    };
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        either(() => toBoard(bytes));
        either(() => fromBoard(bytes));
        either(() => toBoard(framed(bytes)));
        either(() => fromBoard(framed(bytes)));
      }),
      { numRuns: 2000 },
    );
  });

  test('a message with a byte changed gives a message or a fault of the peer', () => {
    fc.assert(
      fc.property(anyToBoard, anyFromBoard, fc.nat(), fc.nat(255), (to, from, at, value) => {
        for (const [bytes, read] of [
          [encodeToBoard(to), toBoard],
          [encodeFromBoard(from), fromBoard],
        ] as const) {
          const changed = Uint8Array.from(bytes);
          changed[at % changed.length] = value;
          try {
            read(changed);
          } catch (error) {
            expect(error).toBeInstanceOf(OneclockError);
          }
        }
      }),
      { numRuns: 2000 },
    );
  });
});
