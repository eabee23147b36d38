// SPDX-License-Identifier: MIT
import protobuf from 'protobufjs/light.js';
import { type Fields, inRange, list, number, sub, wide, within } from '../wire.js';
import { MAX_MEMBER, MAX_RANK, MAX_SIZE, MAX_SNAPSHOT, MAX_VARIABLE, METHODS } from './constants.js';
import type { MemberBody, Update, WriteUpdateMessage } from './messages.js';
import { writeUpdateSchema } from './schema.js';

/** 2^63-1: later than every instant. */
const NEVER = 0x7fff_ffff_ffff_ffffn;
/** What is not repeated, and so has no number. The hub's Leave has none, that of a member has one. */
const UNNUMBERED: readonly string[] = ['acknowledge', 'leave'];
const NUMBERED: readonly string[] = ['join', 'snapshot', 'register', 'update', 'leave'];

const messageType = protobuf.Root.fromJSON(writeUpdateSchema).lookupType('oneclock.writeupdate.Message');

/** `message` as it travels: its size, then its bytes. */
export function encodeWriteUpdate(message: WriteUpdateMessage): Uint8Array {
  return messageType.encodeDelimited(messageType.create(toWire(message))).finish();
}

function toWire(message: WriteUpdateMessage): Record<string, unknown> {
  if ('hello' in message) {
    const { version, method } = message.hello;
    return { hello: { version, method: METHODS.indexOf(method) } };
  }
  if ('credit' in message) return { credit: { messages: wireNumber(message.credit.messages) } };
  const { type, ...fields } = message.body;
  return {
    member: message.member,
    number: wireNumber(message.number),
    received: wireNumber(message.received),
    [type]: wireBody({ type, ...fields } as MemberBody),
  };
}

function wireBody(body: MemberBody): object {
  switch (body.type) {
    case 'update':
      return wireUpdate(body);
    case 'snapshot':
      return { sequence: wireNumber(body.sequence), updates: body.updates.map(wireUpdate) };
    case 'register':
      return { variable: body.variable, size: body.size };
    default:
      return {};
  }
}

function wireUpdate({ sequence, origin, change, variable, value, ticks, atNs, rank }: Update): object {
  return {
    sequence: wireNumber(sequence),
    origin,
    change: wireNumber(change),
    variable,
    value: wireLong(value),
    ticks: wireLong(ticks),
    atNs: wireLong(atNs),
    rank,
  };
}

function wireNumber(value: number): object {
  return wireLong(BigInt(value));
}

function wireLong(value: bigint): object {
  return { low: Number(value & 0xffff_ffffn) | 0, high: Number(value >> 32n) | 0, unsigned: true };
}

/**
 * Reads the bytes of a message, without the size before it. Everything in it has been checked against
 * write-update.proto.
 *
 * @throws Error that says what was expected and what was found
 */
export function decodeWriteUpdate(bytes: Uint8Array): WriteUpdateMessage {
  const fields = messageType.decode(bytes) as unknown as Fields;
  const what = fields.what as string | undefined;
  if (what === undefined) throw new Error('expected a message of a known type, found another');
  const count = safe(fields, 'number');
  const received = safe(fields, 'received');
  if (what === 'hello' || what === 'credit') {
    within(fields, 'member', 0, 0);
    if (count !== 0 || received !== 0) throw new Error(`expected no number with ${what}, found one`);
    if (what === 'credit') return { member: 0, credit: { messages: safe(sub(fields, what), 'messages') } };
    const hello = sub(fields, what);
    const method = METHODS[number(hello, 'method')] ?? 'unknown';
    return { member: 0, hello: { version: number(hello, 'version'), method } };
  }
  const member = within(fields, 'member', 1, MAX_MEMBER);
  if (!(count === 0 ? UNNUMBERED : NUMBERED).includes(what)) {
    throw new Error(`expected ${count === 0 ? 'a number' : 'no number'} with ${what}, found ${count}`);
  }
  return { member, number: count, received, body: body(what, sub(fields, what)) };
}

function body(what: string, fields: Fields): MemberBody {
  switch (what) {
    case 'acknowledge':
    case 'join':
    case 'leave':
      return { type: what };
    case 'snapshot': {
      const updates = list<Fields>(fields, 'updates');
      inRange('number of updates', updates.length, 0, MAX_SNAPSHOT);
      return { type: 'snapshot', sequence: safe(fields, 'sequence'), updates: updates.map(update) };
    }
    case 'register':
      return {
        type: 'register',
        variable: within(fields, 'variable', 1, MAX_VARIABLE),
        size: within(fields, 'size', 1, MAX_SIZE),
      };
    case 'update':
      return { type: 'update', ...update(fields) };
    default:
      throw new Error(`expected a known message, found ${what}`);
  }
}

function update(fields: Fields): Update {
  const atNs = wide(fields, 'atNs');
  if (atNs > NEVER) throw new Error(`expected an instant up to ${NEVER}, found ${atNs}`);
  return {
    sequence: safe(fields, 'sequence'),
    origin: inRange('member as origin', number(fields, 'origin'), 1, MAX_MEMBER),
    change: inRange('change', safe(fields, 'change'), 1, Number.MAX_SAFE_INTEGER),
    variable: within(fields, 'variable', 1, MAX_VARIABLE),
    value: wide(fields, 'value'),
    ticks: wide(fields, 'ticks'),
    atNs,
    rank: within(fields, 'rank', 0, MAX_RANK),
  };
}

/** A uint64 that counts something, and is exact as a number. */
function safe(fields: Fields, name: string): number {
  const value = wide(fields, name);
  return inRange(name, Number(value), 0, Number.MAX_SAFE_INTEGER);
}
