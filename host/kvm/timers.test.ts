// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest';
import { interruptTable } from './testing/bare-metal.js';
import { runClock, startClock } from './testing/clock-guests.js';
import { missing, newHub } from './testing/guests.js';

const LOOK = 280;
/** When a counter has gone down by so many. */
const after = (ticks: number) => Math.ceil((ticks * 1e9) / 1_193_182);

/** Loads a counter of 16 bits. */
const load = (control: number, count: number, port = 0x40) =>
  `PUT 0x43, ${control}; PUT ${port}, ${count & 0xff}; PUT ${port}, ${count >> 8}`;
const PERIODIC = 0x34;
const ONE_SHOT = 0x38;
const END = 'PUT 0x20, 0x20';
const PM = 'mov $0x608, %edx; in %dx, %eax';
const HANDLER = `handler: push %rax; push %rdx; TELLS $0; ${END}; pop %rdx; pop %rax; iretq`;

const timers = { clock: 'timers' } as const;
const clock = (source: string, until: bigint) => runClock(newHub(), source, until, {}, timers);

describe.skipIf(missing !== '')(`time by the timers of a PC${missing && ` (${missing})`}`, () => {
  test('a guest that halts skips from tick to tick, and the ticks do not drift', () => {
    const guest = startClock(
      newHub(),
      `${interruptTable(0x30)}
       PICS; ${load(PERIODIC, 4773)}; sti; 1: hlt; jmp 1b; ${HANDLER}`,
      {},
      timers,
    );
    guest.run(0n, 1_000_000_000n);
    const ticks = [...Array(249).keys()].map((n) => `${after((n + 1) * 4773)}: told 0`);
    expect(guest.log.slice(0, 249)).toEqual(ticks);
    expect(guest.log.slice(249)).toEqual(
      [`${after(249 * 4773)}: told 0`, `${after(249 * 4773)}: wait for ${after(250 * 4773)}`].slice(1),
    );
  });

  test('a single shot comes once, and waits where it is past the limit', () => {
    const guest = startClock(
      newHub(),
      `${interruptTable(0x30)}
       PICS; ${load(ONE_SHOT, 1000)}; sti; hlt; cli; ${load(ONE_SHOT, 0xffff)}; sti; 1: hlt; jmp 1b; ${HANDLER}`,
      {},
      timers,
    );
    guest.run(0n, 1_000_000n);
    const first = after(1000);
    const second = first + after(0xffff);
    expect(guest.log).toEqual([`${first}: told 0`, `${first}: wait for ${second}`]);
    guest.run(BigInt(second - 1), BigInt(second - 1));
    guest.run(BigInt(second), 1n << 40n);
    expect(guest.log.slice(2)).toEqual([
      ...[`${second - 1}: wait for ${second}`, `${second}: told 0`],
      `${second}: wait`,
    ]);
  });

  test('a timer that is masked is waited for by nobody, and is there afterwards', () => {
    const guest = startClock(
      newHub(),
      `${interruptTable(0x30)}
       GATE 0x35, device
       PICS 1; ${load(PERIODIC, 1000)}; sti; 1: hlt; jmp 1b; ${HANDLER}
       device: PUT 0x21, 0; mov $0xd0000064, %edx; movl $1, (%rdx); ${END}; iretq`,
      {},
      timers,
    );
    guest.run(0n, 1n << 62n);
    guest.machine.interruptVirtio(0, 1);
    guest.run(10_000_000n, 10_000_001n);
    // One edge, however many there were; the next is in step.
    expect(guest.log).toEqual([
      ...['0: wait', '10000000: told 0'],
      `10000000: wait for ${after(Math.floor((10_000_000 * 1.193182e-3) / 1000) * 1000 + 1000)}`,
    ]);
  });

  test('each look at the PM timer costs time, and sees another value', () => {
    const log = clock(`mov $5, %ecx; 1: ${PM}; TELL; loop 1b; cli; hlt`, 1_000_000n);
    const told = [1, 2, 3, 4, 5].map((n) => `${n * LOOK}: told ${Math.floor(n * LOOK * 3.579545e-3)}`);
    expect(log).toEqual([...told, `${5 * LOOK}: off`]);
    expect(new Set(told.map((line) => line.split(' ')[2])).size).toBe(5);
  });

  test('the PM timer has 24 bits, and is right after years', () => {
    const years = 10n ** 18n;
    const guest = startClock(newHub(), `${PM}; TELL; sti; hlt`, {}, timers);
    guest.run(years, 1n << 62n);
    const value = (((years + BigInt(LOOK)) * 3_579_545n) / 1_000_000_000n) & 0xff_ffffn;
    expect(guest.log[0]).toBe(`${years + BigInt(LOOK)}: told ${value}`);
  });

  test('a look that would cross the limit is a wait', () => {
    const guest = startClock(newHub(), `${PM}; TELL; ${PM}; TELL; cli; hlt`, {}, timers);
    guest.run(0n, 300n);
    expect(guest.log).toEqual([`280: told 1`, '280: wait for 560']);
    guest.run(400n, 10_000n);
    expect(guest.log.slice(2)).toEqual(['400: told 1', '400: off']);
  });

  test('a loop that looks is interrupted by the timer, at its time', () => {
    const log = clock(
      `${interruptTable(0x30)}
       PICS; ${load(ONE_SHOT, 2)}; sti; mov $8, %ecx; 1: ${PM}; loop 1b; cli; hlt
       ${HANDLER}`,
      1_000_000n,
    );
    expect(log[0]).toBe(`${after(2)}: told 0`);
    // The look that was cut short cost less.
    expect(log.at(-1)).toBe(`${after(2) + 2 * LOOK}: off`);
  });

  test('counters are read latched, live, and by the byte', () => {
    const both = (port: number) =>
      `FETCH ${port}; mov %eax, %ecx; FETCH ${port}; shl $8, %eax; or %ecx, %eax; TELL`;
    const log = clock(
      `${load(PERIODIC, 1000)}; ${load(0xb6, 500, 0x42)}; ${load(0x70, 0, 0x41)}
       PUT 0x43, 0; PUT 0x43, 0x80; PUT 0x43, 0x40; ${PM}; ${PM}; ${PM}; ${PM}
       ${both(0x40)}; ${both(0x42)}; ${both(0x41)}
       FETCH 0x40; FETCH 0x40; PUT 0x43, 0x10; PUT 0x40, 100; FETCH 0x40; TELL; FETCH 0x40; TELL
       FETCH 0x43; TELL; cli; hlt`,
      1_000_000n,
    );
    expect(log.map((line) => line.replace(/^\d+: /, ''))).toEqual([
      ...['told 1000', 'told 500', 'told 0', 'told 100', 'told 100', 'told 255', 'off'],
    ]);
  });

  test('a guest may write anything to the timers', () => {
    const log = clock(
      `mov $0x100, %ecx; 1: mov %ecx, %eax; out %al, $0x43; out %al, $0x40; out %al, $0x41; out %al, $0x42
       in $0x40, %al; in $0x41, %al; in $0x42, %al; out %al, $0x40; loop 1b; PUT 0x43, 0x30; sti; hlt`,
      1n << 40n,
    );
    expect(log).toHaveLength(1);
    expect(log[0]).toMatch(/^\d+: wait$/);
  });

  test('there is no signature, and no doorbell', () => {
    const log = clock(
      `push %rbx; mov $0x40000000, %eax; cpuid; mov %ebx, %eax; or %ecx, %eax; or %edx, %eax; TELL; pop %rbx
       mov $0x6c0, %edx; mov $-1, %eax; out %eax, %dx; mov $0x6c4, %edx; out %eax, %dx; in %dx, %eax; TELL
       cli; hlt`,
      10n,
    );
    expect(log).toEqual(['0: told 0', '0: told 4294967295', '0: off']);
  });

  test('one that looks for ever can be kicked, and stopped', () => {
    const hub = newHub();
    const guest = startClock(hub, `1: ${PM}; jmp 1b`, {}, timers);
    guest.machine.run(0n, 1n << 62n);
    hub.poll(20);
    guest.machine.kick();
    while (guest.log.length === 0) hub.poll(1000);
    expect(guest.log).toEqual(['kick']);
    expect(guest.machine.now % BigInt(LOOK)).toBe(0n);
    expect(guest.machine.now).toBeGreaterThan(0n);
    guest.machine.resume();
    guest.machine.stop();
  });
});
