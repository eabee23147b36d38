// SPDX-License-Identifier: MIT
import fc from 'fast-check';
import { MAX_MEMBER, MAX_RANK, MAX_SIZE, MAX_SNAPSHOT, MAX_VARIABLE, METHODS } from '../constants.js';
import type { MemberBody, Update, WriteUpdateMessage } from '../messages.js';

const member = fc.integer({ min: 1, max: MAX_MEMBER });
const variable = fc.integer({ min: 1, max: MAX_VARIABLE });
const count = fc.oneof(fc.maxSafeNat(), fc.nat(3));
const positive = count.map((value) => Math.max(value, 1));
const uint64 = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });

export const anyUpdate: fc.Arbitrary<Update> = fc.record({
  sequence: count,
  origin: member,
  change: positive,
  variable,
  value: uint64,
  ticks: uint64,
  atNs: fc.bigInt({ min: 0n, max: (1n << 63n) - 1n }),
  rank: fc.nat(MAX_RANK),
});

const unnumbered: fc.Arbitrary<MemberBody> = fc.constantFrom({ type: 'acknowledge' }, { type: 'leave' });
const numbered: fc.Arbitrary<MemberBody> = fc.oneof(
  fc.constantFrom<MemberBody>({ type: 'join' }, { type: 'leave' }),
  fc.record({
    type: fc.constant('snapshot' as const),
    sequence: count,
    updates: fc.array(anyUpdate, { maxLength: MAX_SNAPSHOT }),
  }),
  fc.record({
    type: fc.constant('register' as const),
    variable,
    size: fc.integer({ min: 1, max: MAX_SIZE }),
  }),
  anyUpdate.map((update) => ({ type: 'update' as const, ...update })),
);

/** Any message that may be sent. */
export const anyMessage: fc.Arbitrary<WriteUpdateMessage> = fc.oneof(
  fc.record({
    member: fc.constant(0 as const),
    hello: fc.record({ version: fc.nat(0xffff_ffff), method: fc.constantFrom(...METHODS) }),
  }),
  fc.record({ member: fc.constant(0 as const), credit: fc.record({ messages: count }) }),
  fc.record({ member, number: fc.constant(0), received: count, body: unnumbered }),
  fc.record({ member, number: positive, received: count, body: numbered }),
);
