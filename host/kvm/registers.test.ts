// SPDX-License-Identifier: MIT
import { expect, test } from 'vitest';
import { describeRegisters, namedRegisters } from './registers.js';

const ALL = BigUint64Array.from({ length: 23 }, (_, i) => BigInt(i * 16));

test('registers are named in order', () => {
  const registers = namedRegisters(ALL);
  expect(Object.keys(registers)).toHaveLength(23);
  expect(registers).toMatchObject({
    rip: 0n,
    rflags: 0x10n,
    rbp: 0x90n,
    r8: 0xa0n,
    cr0: 0x120n,
    efer: 0x160n,
  });
  expect(describeRegisters(registers)).toMatch(/^rip=0x0 rflags=0x10 rsp=0x20 .* efer=0x160$/);
});

test('what a reset left of them says of when it is', () => {
  const registers = namedRegisters(ALL.subarray(0, 18));
  expect(Object.keys(registers)).toHaveLength(18);
  expect(describeRegisters(registers)).toMatch(/^registers at that exit: rip=0x0 .* r15=0x110$/);
});
