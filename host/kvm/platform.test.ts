// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest';
import { Machine } from './index.js';
import { interruptTable } from './testing/bare-metal.js';
import { runClock, startClock } from './testing/clock-guests.js';
import { missing, newHub } from './testing/guests.js';

/** Tells a number, and how it was acknowledged. */
const handler = (label: string, value: number, body: string) => `
  ${label}: push %rax
    push %rdx
    TELLS $${value}
    ${body}
    pop %rdx
    pop %rax
    iretq`;
const END_FIRST = 'PUT 0x20, 0x20';
const END_BOTH = 'PUT 0xa0, 0x20; PUT 0x20, 0x20';

describe.skipIf(missing !== '')(`the interrupt controllers${missing && ` (${missing})`}`, () => {
  test('masks are read back, and vectors are as they were set', () => {
    const log = runClock(
      newHub(),
      `PICS 0xab, 0xcd; FETCH 0x21; TELL; FETCH 0xa1; TELL
       PUT 0x20, 0x0a; FETCH 0x20; TELL; sti; hlt`,
      10n,
    );
    expect(log).toEqual(['0: told 171', '0: told 205', '0: told 0', '0: wait']);
  });

  test('the timer of a guest without a vector is line 0', () => {
    const log = runClock(
      newHub(),
      `${interruptTable(0x30)}
       PICS; START; movq $100, REQ(%rbx); sti; hlt; cli; movq $200, REQ(%rbx); sti; 1: hlt; jmp 1b
       ${handler('handler', 1, END_FIRST)}`,
      1000n,
    );
    expect(log).toEqual(['100: told 1', '200: told 1', '200: wait']);
  });

  test('a masked timer interrupts when it is no longer masked', () => {
    const log = runClock(
      newHub(),
      `${interruptTable(0x30)}
       PICS 1; START; movq $100, REQ(%rbx); RING 16, $300; TELLS NOW(%rbx); RING 16, $300; TELLS NOW(%rbx)
       PUT 0x20, 0x0a; FETCH 0x20; or $0x100, %eax; TELL
       PUT 0x21, 0; sti; 1: hlt; jmp 1b
       ${handler('handler', 1, END_FIRST)}`,
      1000n,
    );
    expect(log).toEqual(['100: told 100', '300: told 300', '300: told 257', '300: told 1', '300: wait']);
  });

  test('an interrupt that is not ended holds back those below it, and not those above', () => {
    const source = (body: string) => `${interruptTable(0x35)}
       GATE 0x36, other
       PICS; START; TELLS $0; sti; 1: hlt; jmp 1b
       ${handler('handler', 5, body)}
       ${handler('other', 6, `mov $0xd0001064, %edx; movl $1, (%rdx); ${body}`)}`;
    const both = (body: string) => {
      const guest = startClock(
        newHub(),
        source(`mov $0xd0000064, %edx; movl $1, (%rdx); ${body}`),
        {
          onWrite: (_address, _size, value) => {
            guest.log.push(`told ${value}`);
            if (value !== 0n) return;
            guest.machine.interruptVirtio(1, 1);
            guest.machine.interruptVirtio(0, 1);
          },
        },
        { devices: 2 },
      );
      guest.run(0n, 10n);
      return guest.log;
    };
    expect([Machine.virtioLine(0), Machine.virtioLine(1)]).toEqual([5, 6]);
    expect(both(END_FIRST)).toEqual(['told 0', 'told 5', 'told 6', '0: wait']);
    expect(both('')).toEqual(['told 0', 'told 5', '0: wait']);
    // A specific end, and one that ends something else.
    expect(both('PUT 0x20, 0x65')).toEqual(['told 0', 'told 5', 'told 6', '0: wait']);
    expect(both('PUT 0x20, 0x67')).toEqual(['told 0', 'told 5', '0: wait']);
  });

  test('a line of the second comes through the first, and has to be ended at both', () => {
    const slot = [...Array(20).keys()].find((n) => Machine.virtioLine(n) === 10) as number;
    const source = (body: string) => `${interruptTable(0x3a)}
       PICS; START; sti; 1: hlt; jmp 1b
       ${handler('handler', 10, `mov $${Machine.virtioBase(slot)} + 0x64, %edx; movl $1, (%rdx); ${body}`)}`;
    const twice = (body: string) => {
      const guest = startClock(newHub(), source(body), {}, { devices: slot + 1 });
      guest.run(0n, 10n);
      for (const at of [1n, 2n]) {
        guest.machine.interruptVirtio(slot, 1);
        guest.run(at, 10n);
      }
      return guest.log;
    };
    expect(twice(END_BOTH)).toEqual(['0: wait', '1: told 10', '1: wait', '2: told 10', '2: wait']);
    expect(twice(END_FIRST)).toEqual(['0: wait', '1: told 10', '1: wait', '2: wait']);
  });

  test('a guest may write anything to them', () => {
    const log = runClock(
      newHub(),
      `START; mov $0x100, %ecx; 1: mov %ecx, %eax; out %al, $0x20; out %al, $0xa0; out %al, $0x21; out %al, $0xa1
       in $0x20, %al; in $0xa0, %al; loop 1b; PICS 0xff, 0xff; sti; hlt`,
      10n,
    );
    expect(log).toEqual(['0: wait']);
  });
});

describe.skipIf(missing !== '')(`interrupts of virtio devices${missing && ` (${missing})`}`, () => {
  const STATUS = 'mov $0xd0000060, %edx; mov (%rdx), %eax; TELL';
  const ack = (bits: number) => `mov $0xd0000064, %edx; movl $${bits}, (%rdx)`;

  test('are told by their status, and stay until all of it is acknowledged', () => {
    const guest = startClock(
      newHub(),
      `${interruptTable(0x35)}
       PICS; START; sti; 1: hlt; jmp 1b
       handler: ${STATUS}; mov $0xd0000064, %edx; test $1, %al; movl $1, (%rdx); jnz 2f; movl $2, (%rdx)
       2: ${END_FIRST}; iretq`,
    );
    guest.run(0n, 10n);
    guest.machine.interruptVirtio(0, 1);
    guest.run(1n, 10n);
    guest.machine.interruptVirtio(0, 0);
    guest.run(2n, 10n);
    expect(guest.log).toEqual(['0: wait', '1: told 1', '1: wait', '2: wait']);
    guest.machine.interruptVirtio(0, 3);
    guest.run(3n, 10n);
    expect(guest.log.slice(4)).toEqual(['3: told 3', '3: told 2', '3: wait']);
  });

  test('two of one line are both told', () => {
    const shared = [...Array(30).keys()]
      .filter((n) => Machine.virtioLine(n) === Machine.virtioLine(0))
      .slice(0, 2);
    expect(shared[0]).toBe(0);
    const second = Machine.virtioBase(shared[1] as number);
    const guest = startClock(
      newHub(),
      `${interruptTable(0x35)}
       PICS; START; sti; 1: hlt; jmp 1b
       handler: ${STATUS}; mov $${second} + 0x60, %edx; mov (%rdx), %eax; or $0x100, %eax; TELL
       mov $0xd0000060, %edx; mov (%rdx), %eax; test %eax, %eax; jz 2f
       ${ack(3)}; jmp 3f
       2: mov $${second} + 0x64, %edx; movl $3, (%rdx)
       3: ${END_FIRST}; iretq`,
      {},
      { devices: (shared[1] as number) + 1 },
    );
    guest.run(0n, 10n);
    for (const slot of shared) guest.machine.interruptVirtio(slot, 1);
    guest.run(1n, 10n);
    expect(guest.log).toEqual(['0: wait', ...[1, 0x101, 0, 0x101].map((v) => `1: told ${v}`), '1: wait']);
  });

  test('a reset of the device takes its interrupt back, and comes to JavaScript', () => {
    const seen: string[] = [];
    const guest = startClock(
      newHub(),
      `${interruptTable(0x35)}
       PICS; START; sti; 1: hlt; cli; mov $0xd0000070, %edx; movl $4, (%rdx); movl $0, (%rdx); sti; jmp 1b
       handler: iretq`,
      { onWrite: (address, _size, value) => seen.push(`0x${address.toString(16)} ${value}`) },
    );
    guest.run(0n, 10n);
    guest.machine.interruptVirtio(0, 1);
    guest.run(1n, 10n);
    expect(seen).toEqual(['0xd0000070 4', '0xd0000070 0']);
    // The line is down: nothing more comes when the first is ended.
    expect(guest.log).toEqual(['0: wait', '1: wait']);
  });

  test('pages that are not there are nobody', () => {
    const log = runClock(
      newHub(),
      `mov $0xd0001060, %edx; movl $1, 4(%rdx); mov (%rdx), %eax; TELL
       mov $0xc0000000, %edx; mov %rax, (%rdx); mov (%rdx), %rax; TELL
       mov $0xfee00000, %edx; movb $1, (%rdx); mov (%rdx), %al; TELL; sti; hlt`,
      10n,
    );
    expect(log).toEqual(['0: told 4294967295', ...Array(2).fill('0: told 18446744073709551615'), '0: wait']);
  });
});

describe.skipIf(missing !== '')(`the other devices of a PC${missing && ` (${missing})`}`, () => {
  const print = (text: string) => `
    lea text(%rip), %rsi
    mov $${text.length}, %ecx
    mov $0x3f8, %edx
    rep outsb
    jmp 8f
    text: .ascii ${JSON.stringify(text)}
    8:`;

  test('the serial port is told line by line, at the end, and before a wait', () => {
    const long = 'x'.repeat(300);
    expect(runClock(newHub(), `${print(`one\ntwo\n${long}`)}; sti; hlt`, 10n)).toEqual([
      ...[
        '0: says "one\\n"',
        '0: says "two\\n"',
        `0: says "${'x'.repeat(256)}"`,
        `0: says "${'x'.repeat(44)}"`,
      ],
      '0: wait',
    ]);
    expect(runClock(newHub(), `START; ${print('bye')}; RING 32, $0`, 10n)).toEqual([
      '0: says "bye"',
      '0: off',
    ]);
    expect(runClock(newHub(), `${print('oh')}; ud2`, 10n)).toEqual([
      '0: says "oh"',
      expect.stringMatching(/triple fault; last exit: out of 0x68 \(1 bytes\) to port 0x3f8/),
    ]);
  });

  test('the serial port is a 16550A that is always empty', () => {
    const log = runClock(
      newHub(),
      `FETCH 0x3fd; TELL; PUT 0x3ff, 0x5a; FETCH 0x3ff; TELL; PUT 0x3fa, 1; FETCH 0x3fa; TELL
       PUT 0x3fb, 0x83; PUT 0x3f8, 1; FETCH 0x3f8; TELL; PUT 0x3fb, 3; FETCH 0x3f8; TELL
       PUT 0x3fc, 0x1a; FETCH 0x3fe; TELL; PUT 0x3f8, 0x41; sti; hlt`,
      10n,
    );
    expect(log).toEqual([0x60, 0x5a, 0xc1, 1, 0, 0x90].map((v) => `0: told ${v}`).concat('0: wait'));
  });

  test('the serial port interrupts by line 4 when it is empty and told to, once for each time', () => {
    const log = runClock(
      newHub(),
      `${interruptTable(0x34)}
       PICS; START; PUT 0x3fc, 8; PUT 0x3f9, 2; TAKE; PUT 0x3f8, 0x41; sti; 1: hlt; jmp 1b
       handler: push %rax; push %rdx; FETCH 0x3fa; TELL; FETCH 0x3fa; TELL; ${END_FIRST}; pop %rdx; pop %rax; iretq`,
      10n,
    );
    expect(log).toEqual([...[2, 1, 2, 1].map((v) => `0: told ${v}`), '0: says "A"', '0: wait']);
  });

  test('the time of day is that of the run', () => {
    const registers = [0x32, 9, 8, 7, 6, 4, 2, 0, 0x0a, 0x0d, 0x33];
    const log = runClock(
      newHub(),
      `START; movabs $3723000000000, %rax; mov %rax, NOW(%rbx)
       ${registers.map((register) => `PUT 0x70, ${register}; FETCH 0x71; TELL`).join('\n')}; sti; hlt`,
      1n << 62n,
    );
    const told = log.slice(0, -1).map((line) => Number(line.split(' ')[2]).toString(16));
    // Thursday, 2026-01-01, 01:02:03.
    expect(told).toEqual(['20', '26', '1', '1', '5', '1', '2', '3', '26', '80', '0']);
  });

  test.each([
    ['the keyboard controller', 'FETCH 0x64; test $2, %al; jnz 1f; PUT 0x64, 0xfe; 1:'],
    ['the system control port', 'PUT 0x92, 1'],
    ['the reset control port', 'PUT 0xcf9, 6'],
  ])('a reset by %s is a reboot', (_what, source) => {
    const guest = startClock(newHub(), `${source}; TELLS $1`);
    guest.run(3n, 10n);
    expect(guest.log).toEqual(['3: reboot']);
  });

  test('sleep by ACPI is the end, and its other registers are empty', () => {
    expect(
      runClock(
        newHub(),
        `mov $0x604, %edx; mov $1, %eax; out %ax, %dx; in %dx, %ax; movzwl %ax, %eax; TELL
         mov $0x600, %edx; in %dx, %eax; TELL; mov $0x604, %edx; mov $0x3400, %eax; out %ax, %dx; TELLS $1`,
        10n,
      ),
    ).toEqual(['0: told 0', '0: told 0', '0: off']);
  });

  test('other writes there are none', () => {
    expect(runClock(newHub(), 'PUT 0x64, 0xff; PUT 0x92, 2; PUT 0xcf9, 2; sti; hlt', 10n)).toEqual([
      '0: wait',
    ]);
  });

  test('a port of nobody reads as all ones, in every size', () => {
    const log = runClock(
      newHub(),
      `xor %eax, %eax; mov $0x2f8, %edx; in %dx, %al; TELL; xor %eax, %eax; mov $0x2f8, %edx; in %dx, %ax; TELL
       mov $0xcf8, %edx; mov $0x80000000, %eax; out %eax, %dx; in %dx, %eax; TELL; sti; hlt`,
      10n,
    );
    expect(log).toEqual(['0: told 255', '0: told 65535', '0: told 4294967295', '0: wait']);
  });
});
