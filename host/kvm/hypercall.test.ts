// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest';
import { NO_REQUEST } from './index.js';
import { runClock, TIME_OF_DAY } from './testing/clock-guests.js';
import { missing, newHub } from './testing/guests.js';

/** An operation, and what came of it. */
const call = (operation: number, first = 0, second = 0, third = 0) => `
  push %rbx
  mov $30, %eax
  mov $${operation}, %ebx
  mov $${first}, %ecx
  mov $${second}, %edx
  mov $${third}, %esi
  vmmcall
  pop %rbx
  TELL`;

const FEATURES = 'mov FEATURES(%rbx), %eax; and $1, %eax; TELL';

describe.skipIf(missing !== '')(`operations by hypercall${missing && ` (${missing})`}`, () => {
  test('do what those by the doorbell do', ({ skip }) => {
    const log = runClock(
      newHub(),
      `START 0, 9; ${FEATURES}; test %eax, %eax; jnz 1f; sti; hlt
       1: movq $50, NOW(%rbx); movq $7, RET(%rbx)
       ${call(4)}; ${call(8)}; ${call(5)}; ${call(16, 80)}; ${call(17)}; ${call(24, 64, 1000, 3)}
       TELLS RET(%rbx); ${call(32, 1)}`,
      100n,
      { onBell: () => -7n },
      { features: 9 },
    );
    skip(log[0] === '0: told 0', "this host's KVM keeps hypercall 30 to itself");
    expect(log).toEqual([
      ...['0: told 1', '50: told 50', `50: told ${TIME_OF_DAY + 50n}`, '50: told 0', '80: told 80'],
      ...[`80: told ${-65n & NO_REQUEST}`, `80: told ${-7n & NO_REQUEST}`, '80: told 7', '80: reboot'],
    ]);
  });

  test('are not there for a guest that has not asked for them', ({ skip }) => {
    const log = runClock(
      newHub(),
      `START 0, 9; ${FEATURES}; test %eax, %eax; jz 1f; START 0, 8; ${call(4)}; 1: sti; hlt`,
      100n,
      {},
      { features: 9 },
    );
    skip(log[0] === '0: told 0', "this host's KVM keeps hypercall 30 to itself");
    expect(log.slice(1)).toEqual([`0: told ${-65n & NO_REQUEST}`, '0: wait']);
  });
});
