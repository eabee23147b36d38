// SPDX-License-Identifier: MIT
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Call, decodeCall, type GuestBounds } from './calls.js';
import { End, Op } from './constants.js';

const NEVER = (1n << 63n) - 1n;
const ALL = (1n << 64n) - 1n;
const MEMORY = 1 << 20;
const guest: GuestBounds = { memoryBytes: MEMORY, page: 0x4000, now: 1000n };
const call = (op: number | bigint, ...args: bigint[]) => decodeCall(op, args, guest);

describe('a call is read', () => {
  test.each<[op: number, args: bigint[], call: Call]>([
    [Op.GET, [ALL, ALL, ALL], { op: 'get' }],
    [Op.UPDATE, [], { op: 'update' }],
    [Op.GET_TOD, [], { op: 'getTod' }],
    [Op.ADVANCE, [1000n], { op: 'advance', to: 1000n }],
    [Op.ADVANCE, [NEVER], { op: 'advance', to: NEVER }],
    [Op.REGISTER, [0xffff8n, 8n, 1n], { op: 'register', address: 0xffff8, size: 8, variable: 1 }],
    [Op.REGISTER, [0xfffffn, 1n, 65535n], { op: 'register', address: 0xfffff, size: 1, variable: 65535 }],
    [Op.REGISTER, [0x5001n, 7n, 2n], { op: 'register', address: 0x5001, size: 7, variable: 2 }],
    [Op.REGISTER, [0x3ff8n, 8n, 2n], { op: 'register', address: 0x3ff8, size: 8, variable: 2 }],
    [Op.REGISTER, [0x5000n, 8n, 2n], { op: 'register', address: 0x5000, size: 8, variable: 2 }],
    [Op.CHANGED, [1n, ALL, 4n], { op: 'changed', variable: 1, value: ALL, ticks: 4n }],
    [Op.PARTITION, [32n, 1n], { op: 'partition', vector: 32, period: 1n }],
    [Op.LINE, [31n, 255n], { op: 'line', line: 31, vector: 255 }],
    [Op.WARPED, [ALL], { op: 'warped', sequence: ALL }],
    [Op.MISSED, [ALL, 1000n], { op: 'missed', task: ALL, deadline: 1000n }],
    [Op.END, [0n], { op: 'end', how: End.OFF }],
    [Op.END, [1n], { op: 'end', how: End.REBOOT }],
    [Op.END, [2n], { op: 'end', how: End.PANIC }],
  ])('operation %d, case %#', (op, args, expected) => {
    expect(call(op, ...args)).toEqual(expected);
    expect(call(BigInt(op), ...args)).toEqual(expected);
  });
});

describe('a call is refused', () => {
  test.each<[string, number | bigint, bigint[], string]>([
    ['operation 0', 0, [], 'expected an operation, found 0'],
    ['what is not rung', 3, [], 'expected an operation, found 3'],
    ['an operation of more than 32 bits', (1n << 32n) + 4n, [], 'expected an operation, found 4294967300'],
    ['an instant in the past', Op.ADVANCE, [999n], 'expected an instant from 1000 to'],
    ['an instant after all', Op.ADVANCE, [NEVER + 1n], 'expected an instant'],
    ['size 0', Op.REGISTER, [0n, 0n, 1n], 'expected a size from 1 to 8, found 0'],
    ['size 9', Op.REGISTER, [0n, 9n, 1n], 'expected a size from 1 to 8, found 9'],
    ['variable 0', Op.REGISTER, [0n, 8n, 0n], 'expected a variable from 1 to 65535, found 0'],
    ['variable 65536', Op.CHANGED, [65536n, 0n, 0n], 'expected a variable from 1 to 65535, found 65536'],
    ['an address outside', Op.REGISTER, [0x10_0000n, 1n, 1n], 'memory, found 0x100000 and 1 bytes'],
    ['an address at the end of all', Op.REGISTER, [ALL, 1n, 1n], 'found 0xffffffffffffffff and 1 bytes'],
    ['an address that wraps around', Op.REGISTER, [ALL - 7n, 8n, 1n], 'memory, found'],
    ['two words', Op.REGISTER, [0x5001n, 8n, 1n], 'one aligned word'],
    ['two words, by one byte', Op.REGISTER, [0x5007n, 2n, 1n], 'one aligned word'],
    ['the first word of the page', Op.REGISTER, [0x4000n, 8n, 1n], 'outside the page at 0x4000'],
    ['the last byte of the page', Op.REGISTER, [0x4fffn, 1n, 1n], 'outside the page at 0x4000'],
    ['the vector of an exception', Op.PARTITION, [14n, 1n], 'expected a vector from 32 to 255, found 14'],
    ['a period of 0', Op.PARTITION, [32n, 0n], 'expected a period from 1'],
    ['line 32', Op.LINE, [32n, 32n], 'expected a line from 0 to 31, found 32'],
    ['vector 256', Op.LINE, [0n, 256n], 'expected a vector from 32 to 255, found 256'],
    ['a deadline to come', Op.MISSED, [0n, 1001n], 'expected a deadline from 0 to 1000, found 1001'],
    ['an end that is none', Op.END, [3n], 'expected an end from 0 to 2, found 3'],
  ])('%s', (_, op, args, text) => {
    expect(() => call(op, ...args)).toThrow(text);
  });
});

test('whatever is rung, a variable is memory of the guest and not of the VMM', () => {
  const address = fc.oneof(
    fc.bigInt({ min: 0n, max: ALL }),
    fc.bigInt({ min: 0x3ff0n, max: 0x5010n }),
    fc.bigInt({ min: BigInt(MEMORY) - 20n, max: BigInt(MEMORY) + 20n }),
  );
  const size = fc.oneof(fc.bigInt({ min: 0n, max: 9n }), fc.bigInt({ min: 0n, max: ALL }));
  fc.assert(
    fc.property(address, size, (at, bytes) => {
      const last = at + bytes - 1n;
      const fine =
        bytes >= 1n &&
        bytes <= 8n &&
        last < BigInt(MEMORY) &&
        at >> 3n === last >> 3n &&
        (last < 0x4000n || at >= 0x5000n);
      if (fine) {
        expect(call(Op.REGISTER, at, bytes, 1n)).toMatchObject({ address: Number(at), size: Number(bytes) });
      } else {
        expect(() => call(Op.REGISTER, at, bytes, 1n)).toThrow('expected ');
      }
    }),
    { numRuns: 1000 },
  );
});

test('whatever is rung gives a call or an error that says what was expected', () => {
  const uint64 = fc.oneof(fc.bigInt({ min: 0n, max: ALL }), fc.bigInt({ min: 0n, max: 300n }));
  const op = fc.oneof(fc.constantFrom<bigint>(...Object.values(Op).map(BigInt)), uint64);
  fc.assert(
    fc.property(op, fc.array(uint64, { minLength: 3, maxLength: 3 }), (rung, args) => {
      try {
        expect(decodeCall(rung, args, guest).op).toMatch(/^[a-zA-Z]+$/);
      } catch (error) {
        expect((error as Error).message).toMatch(/^expected .*, found /);
      }
    }),
    { numRuns: 2000 },
  );
});
