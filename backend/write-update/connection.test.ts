// SPDX-License-Identifier: MIT
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  encodeWriteUpdate,
  type MemberMessage,
  WINDOW,
  WRITE_UPDATE_VERSION,
  type WriteUpdateMessage,
} from '../../protocols/write-update/index.js';
import type { OneclockError } from '../errors.js';
import { Connection, HELLO_MS, MAX_WAITING, type PipeHandler } from './connection.js';

const HELLO: WriteUpdateMessage = { member: 0, hello: { version: WRITE_UPDATE_VERSION, method: 'ordered' } };
const credit = (messages: number): WriteUpdateMessage => ({ member: 0, credit: { messages } });
const message = (number: number): MemberMessage => ({
  member: 1,
  number,
  received: 0,
  body: { type: 'join' },
});

/** One end, and what it sends; the test is the other end. */
function end() {
  const sent: Uint8Array[] = [];
  const got: MemberMessage[] = [];
  const errors: OneclockError[] = [];
  let handler: PipeHandler | undefined;
  let closed = 0;
  const connection = new Connection(
    (given) => {
      handler = given;
      return { send: (bytes) => sent.push(bytes), close: () => closed++ };
    },
    'controller 1',
    'ordered',
    { message: (each) => got.push(each), closed: (error) => errors.push(error) },
  );
  return {
    connection,
    sent,
    got,
    errors,
    closed: () => closed,
    bytes: (bytes: Uint8Array) => handler?.onData(bytes),
    say: (...messages: WriteUpdateMessage[]) =>
      handler?.onData(Buffer.concat(messages.map((each) => encodeWriteUpdate(each)))),
    hangUp: () => handler?.onClose('the peer closed the connection'),
  };
}

test('says Hello first', () => {
  expect(end().sent).toEqual([encodeWriteUpdate(HELLO)]);
});

test('hands over what comes behind a Hello, in order', () => {
  const { say, got, errors } = end();
  say(HELLO, message(1), message(2));
  expect(got).toEqual([message(1), message(2)]);
  expect(errors).toEqual([]);
});

describe('the other end', () => {
  test.each<[string, WriteUpdateMessage[], string]>([
    ['says something else first', [message(1)], 'expected a Hello first'],
    ['says Hello twice', [HELLO, HELLO], 'expected one Hello'],
    [
      'is of another version',
      [{ member: 0, hello: { version: 2, method: 'ordered' } }],
      'expected version 1 and the method ordered, found version 2 and ordered',
    ],
    [
      'has another method',
      [{ member: 0, hello: { version: 1, method: 'local-first' } }],
      'found version 1 and local-first',
    ],
    [
      'has a method of later',
      [{ member: 0, hello: { version: 1, method: 'unknown' } }],
      'found version 1 and unknown',
    ],
    ['has read what was never sent', [HELLO, credit(2)], 'expected a credit of 1 to 1 messages, found 2'],
    ['has read nothing new', [HELLO, credit(1), credit(1)], 'expected a credit of 2 to 1 messages, found 1'],
  ])('%s: that ends the connection', (_, messages, text) => {
    const { say, got, errors, closed, connection } = end();
    say(...messages, message(7));
    expect(errors.map(({ code }) => code)).toEqual(['PARTICIPANT']);
    expect(errors[0]?.message).toMatch(/^controller 1: /);
    expect(errors[0]?.message).toContain(text);
    expect(got).toEqual([]);
    expect(closed()).toBe(1);
    expect(connection.over).toBe(true);
  });

  test('goes away: that is told once, and nothing is sent any more', () => {
    const { hangUp, say, sent, errors, connection } = end();
    say(HELLO);
    hangUp();
    hangUp();
    connection.send(message(1));
    connection.close();
    expect(errors.map((error) => error.message)).toEqual([
      'controller 1: the connection is lost: the peer closed the connection',
    ]);
    expect(sent.length).toBe(1);
  });

  test('goes away after close: nobody hears of it', () => {
    const { hangUp, errors, connection, closed } = end();
    connection.close();
    connection.close();
    hangUp();
    expect(errors).toEqual([]);
    expect(closed()).toBe(1);
  });

  test('says nothing in time', () => {
    const { connection, errors, say } = end();
    const now = performance.now();
    connection.check(now);
    expect(errors).toEqual([]);
    connection.check(now + HELLO_MS + 1);
    expect(errors[0]?.message).toBe(`controller 1: expected a Hello within ${HELLO_MS} ms, found none`);
    const polite = end();
    polite.say(HELLO);
    polite.connection.check(now + 2 * HELLO_MS);
    expect(polite.errors).toEqual([]);
    say(HELLO);
  });

  test('sends any bytes: messages come out, or the connection ends', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 6 }), (pieces) => {
        const { say, bytes, errors, connection } = end();
        say(HELLO);
        for (const piece of pieces) bytes(piece);
        expect(errors.length).toBe(connection.over ? 1 : 0);
        for (const error of errors) expect(error.code).toBe('PARTICIPANT');
      }),
      { numRuns: 1000 },
    );
  });
});

describe('flow', () => {
  test('no more is under way than the window, and the rest follows with credit', () => {
    const { connection, sent, say, errors } = end();
    say(HELLO);
    for (let number = 1; number <= 1000; number++) connection.send(message(number));
    const first = sent.length;
    const load = sent.reduce((sum, { length }) => sum + length + 1024, 0);
    expect(load).toBeGreaterThanOrEqual(WINDOW);
    expect(load - 1100).toBeLessThan(WINDOW);
    say(credit(10));
    expect(sent.length).toBe(first + 10);
    while (sent.length < 1001) say(credit(sent.length));
    // Each once, and in order.
    expect(sent.slice(1)).toEqual(
      Array.from({ length: 1000 }, (_, place) => encodeWriteUpdate(message(place + 1))),
    );
    expect(errors).toEqual([]);
  });

  test('what is read is told, and no credit is given for credit', () => {
    const { say, sent } = end();
    say(HELLO);
    for (let number = 1; number <= 60; number++) say(message(number));
    const told = sent.slice(1);
    expect(told.length).toBe(2);
    expect(told[0]).toEqual(encodeWriteUpdate(credit(24)));
  });

  test('an end that does not read is given up', () => {
    const { connection, say, errors, sent } = end();
    say(HELLO);
    const body = { type: 'snapshot', sequence: 1, updates: [] } as const;
    let number = 0;
    while (errors.length === 0 && number < MAX_WAITING) connection.send({ ...message(++number), body });
    expect(errors[0]?.message).toContain('controller 1: expected an end that reads, found ');
    expect(sent.length).toBeLessThan(100);
  });
});
