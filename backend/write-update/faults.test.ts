// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest';
import type { MemberBody, MemberMessage, Update } from '../../protocols/write-update/index.js';
import { instant } from '../calendar/time.js';
import type { OneclockError } from '../errors.js';
import { Hub } from './hub.js';
import { MAX_UNACKNOWLEDGED } from './link.js';
import { Member } from './member.js';

const update: Update = {
  sequence: 0,
  origin: 1,
  change: 1,
  variable: 1,
  value: 5n,
  ticks: 1n,
  atNs: 10n,
  rank: 0,
};
const change = (fields: Partial<Update>): MemberBody => ({ type: 'update', ...update, ...fields });
const register = (variable: number, size: number): MemberBody => ({ type: 'register', variable, size });

/** A hub with the members 1 and 2, of which 2 has registered variable 1 with 4 bytes. */
function hub() {
  const sent: MemberMessage[] = [];
  const gone: [number, OneclockError | undefined][] = [];
  const it = new Hub('ordered', {
    send: (message) => sent.push(message),
    gone: (member, error) => gone.push([member, error]),
  });
  const numbers = new Map<number, number>();
  const say = (member: number, body: MemberBody, received = 0) => {
    const number = (numbers.get(member) ?? 0) + 1;
    numbers.set(member, number);
    it.receive({ member, number, received, body });
  };
  say(1, { type: 'join' });
  say(2, { type: 'join' });
  say(2, register(1, 4));
  return { hub: it, say, sent, gone };
}

describe('a member that breaks the protocol', () => {
  test.each<[string, MemberBody[], string]>([
    ['joins twice', [{ type: 'join' }], 'expected a request of a member, found join'],
    ['sends what only the hub does', [{ type: 'snapshot', sequence: 1, updates: [] }], 'found snapshot'],
    ['registers another size', [register(1, 8)], 'expected variable 1 of 4 bytes, 1 to 8, found one of 8'],
    ['registers 9 bytes', [register(2, 9)], 'found one of 9'],
    ['changes what it has not registered', [change({})], 'expected a registered variable, found 1'],
    ['has too great a value', [register(1, 4), change({ value: 1n << 32n })], 'expected a value of 4 bytes'],
    ['speaks for another', [register(1, 4), change({ origin: 2 })], 'found change 1 of 2'],
    ['sets the order itself', [register(1, 4), change({ sequence: 1 })], 'with sequence 1'],
    ['leaves out a change', [register(1, 4), change({ change: 2 })], 'expected its change 1'],
    [
      'goes back in time',
      [register(1, 4), change({}), change({ change: 2, atNs: 9n })],
      'expected a change not before 10, found one at 9',
    ],
  ])('%s: it is put out, with its number, and no other is', (_, bodies, text) => {
    const { hub: it, say, sent, gone } = hub();
    for (const body of bodies) say(1, body);
    expect(gone.map(([member]) => member)).toEqual([1]);
    expect(gone[0]?.[1]?.code).toBe('PARTICIPANT');
    expect(gone[0]?.[1]?.message).toMatch(/^member 1: expected /);
    expect(gone[0]?.[1]?.message).toContain(text);
    expect(it.members()).toEqual([2]);
    expect(sent.at(-1)).toEqual({ member: 1, number: 0, received: 0, body: { type: 'leave' } });
  });

  test('acknowledges what was never sent', () => {
    const { say, gone } = hub();
    say(1, register(1, 4), 2);
    expect(gone[0]?.[1]?.message).toBe('member 1: expected at most 1 messages received, found 2');
  });

  test('never acknowledges: it is put out, and the others go on', () => {
    const { hub: it, say, gone, sent } = hub();
    for (let made = 1; made <= MAX_UNACKNOWLEDGED; made++) {
      say(
        2,
        change({ origin: 2, change: made }),
        sent.filter(({ member, number }) => member === 2 && number > 0).length,
      );
    }
    expect(gone.map(([member]) => member)).toEqual([1]);
    expect(gone[0]?.[1]?.message).toContain('expected one that acknowledges');
    expect(it.members()).toEqual([2]);
  });

  test('leaves: that is the last it is told', () => {
    const { say, sent, gone } = hub();
    say(1, { type: 'leave' });
    expect(gone).toEqual([[1, undefined]]);
    expect(sent.at(-1)?.body.type).toBe('leave');
  });

  test('dies while an update is on its way to all: it gets none', () => {
    const got: number[] = [];
    const it: Hub = new Hub('ordered', {
      send: ({ member: id, body }) => {
        if (body.type !== 'update') return;
        got.push(id);
        it.remove(2);
      },
      gone: () => {},
    });
    for (const id of [1, 2, 3]) it.receive({ member: id, number: 1, received: 0, body: { type: 'join' } });
    it.receive({ member: 1, number: 2, received: 0, body: register(1, 8) });
    it.receive({ member: 1, number: 3, received: 0, body: change({}) });
    expect(got).toEqual([1, 3]);
  });

  test('who does not join is not heard', () => {
    const { hub: it, sent, gone } = hub();
    const before = sent.length;
    it.receive({ member: 3, number: 2, received: 0, body: register(1, 4) });
    it.receive({ member: 3, number: 2, received: 0, body: { type: 'join' } });
    expect(it.members()).toEqual([1, 2]);
    expect([sent.length, gone]).toEqual([before, []]);
  });

  test('registers more variables than a group has', () => {
    const { say, gone } = hub();
    for (let variable = 2; variable <= 1024; variable++) say(1, register(variable, 8));
    expect(gone).toEqual([]);
    say(1, register(1025, 8));
    expect(gone[0]?.[1]?.message).toBe('member 1: expected at most 1024 variables, found another');
  });
});

/** A member that has joined an empty group and registered variable 1 with 4 bytes. */
function member() {
  const sent: MemberMessage[] = [];
  const written: Update[] = [];
  const it = new Member(1, 'ordered', {
    send: (message) => sent.push(message),
    write: (stored) => written.push(stored),
  });
  it.join();
  it.register(1, 4);
  let number = 0;
  const say = (body: MemberBody) => it.receive({ member: 1, number: ++number, received: 0, body });
  return { member: it, say, sent, written };
}

describe('a hub that breaks the protocol', () => {
  const snapshot: MemberBody = { type: 'snapshot', sequence: 3, updates: [] };

  test.each<[string, MemberBody[], string]>([
    ['sends an update before the snapshot', [change({ sequence: 1 })], 'expected a snapshot, found update'],
    ['sends two snapshots', [snapshot, snapshot], 'expected an update, found snapshot'],
    ['leaves out an update', [snapshot, change({ sequence: 5 })], 'expected the update after 3, found 5'],
    ['sends an update twice', [snapshot, change({ sequence: 3 })], 'expected the update after 3, found 3'],
    ['sends too great a value', [snapshot, change({ sequence: 4, value: 1n << 32n })], 'a value of 4 bytes'],
    ['registers', [snapshot, register(1, 4)], 'expected an update, found register'],
  ])('%s', (_, bodies, text) => {
    const { say, written } = member();
    const last = bodies.at(-1) as MemberBody;
    for (const body of bodies.slice(0, -1)) say(body);
    expect(() => say(last)).toThrow(text);
    expect(() => say(last)).toThrow(/^member 1: expected /);
    expect(written).toEqual([]);
  });

  test('acknowledges what was never sent', () => {
    const { member: it } = member();
    const message = { member: 1, number: 1, received: 3, body: snapshot };
    expect(() => it.receive(message)).toThrow('member 1: expected at most 2 messages received, found 3');
  });

  test('never answers', () => {
    const { member: it } = member();
    const many = () => {
      for (let made = 0; made < MAX_UNACKNOWLEDGED; made++) it.change(1, 0n, 1n, instant(0n));
    };
    expect(many).toThrow(`expected a hub that acknowledges, found ${MAX_UNACKNOWLEDGED} messages without`);
  });
});

test.each<[string, (it: Member) => void, string]>([
  ['variable 0', (it) => it.register(0, 8), 'found variable 0 of 8'],
  ['variable 65536', (it) => it.register(65536, 8), 'found variable 65536 of 8'],
  ['0 bytes', (it) => it.register(2, 0), 'found variable 2 of 0'],
  ['9 bytes', (it) => it.register(2, 9), 'expected a variable of 1 to 8 bytes, found variable 2 of 9'],
  ['another size', (it) => it.register(1, 8), 'expected a variable of 4 bytes, found variable 1 of 8'],
  [
    'a change of no variable',
    (it) => it.change(2, 0n, 0n, instant(0n)),
    'expected a registered variable, found 2',
  ],
  ['a value that is too great', (it) => it.change(1, 1n << 32n, 0n, instant(0n)), 'a value of 4 bytes'],
])('a guest gives %s', (_, action, text) => {
  const { member: it, sent } = member();
  const before = sent.length;
  expect(() => action(it)).toThrow(text);
  expect(sent.length).toBe(before);
});

test('a guest that goes back in time is refused', () => {
  const { member: it } = member();
  it.change(1, 0n, 0n, instant(5n));
  expect(() => it.change(1, 0n, 0n, instant(4n))).toThrow('expected a change not before 5, found one at 4');
});

test('who is leaving says nothing more', () => {
  const { member: it, sent } = member();
  it.leave();
  const before = sent.length;
  it.register(2, 8);
  it.change(1, 0n, 0n, instant(0n));
  it.leave();
  expect(sent.length).toBe(before);
  expect(sent.at(-1)?.body.type).toBe('leave');
});
