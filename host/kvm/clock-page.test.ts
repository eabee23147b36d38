// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest';
import { NO_REQUEST } from './index.js';
import { interruptTable } from './testing/bare-metal.js';
import { PAGE, runClock, startClock, TIME_OF_DAY } from './testing/clock-guests.js';
import { missing, newHub, wait } from './testing/guests.js';

const VECTOR = 0x40;
const HANDLER = `
  handler: push %rax
    push %rdx
    mov NOW(%rbx), %rax
    or $0x1000000, %rax
    TELL
    pop %rdx
    pop %rax
    iretq`;
/** What the handler tells at an instant. */
const tick = (at: number) => `${at}: told ${at | 0x1000000}`;

describe.skipIf(missing !== '')(`time by the clock page${missing && ` (${missing})`}`, () => {
  test('START gives what the guest may know', () => {
    const log = runClock(
      newHub(),
      'START 0, 0xff; TELLS RET(%rbx); TELLS NOW(%rbx); TELLS FREE(%rbx); TELLS TOD(%rbx); mov FEATURES(%rbx), %eax; TELL; sti; hlt',
      1000n,
      {},
      { features: 0x1a },
    );
    expect(log).toEqual(
      [0n, 0n, 1000n, TIME_OF_DAY, 0x1an].map((value) => `0: told ${value}`).concat('0: wait'),
    );
  });

  test('START of another version tells ours, and the guest may try again', () => {
    const log = runClock(
      newHub(),
      `mov $PAGE, %ebx; movl $7, VERSION(%rbx); mov $PAGE >> 12, %eax; mov $0x6c0, %edx; out %eax, %dx
       TELLS RET(%rbx); mov VERSION(%rbx), %eax; TELL
       START; TELLS RET(%rbx); START; TELLS RET(%rbx); sti; hlt`,
      1000n,
    );
    expect(log).toEqual(
      [-64n & 0xffff_ffff_ffff_ffffn, 1n, 0n, 0n].map((v) => `0: told ${v}`).concat('0: wait'),
    );
  });

  test('a guest that halts skips to its timer, with no word to JavaScript', () => {
    const log = runClock(
      newHub(),
      `${interruptTable(VECTOR)}
       START ${VECTOR}
       mov $3, %ecx
       1: mov NOW(%rbx), %rax; add $100, %rax; mov %rax, REQ(%rbx); sti; hlt; cli; loop 1b
       TELLS REQ(%rbx); sti; hlt; ${HANDLER}`,
      1000n,
    );
    expect(log).toEqual([tick(100), tick(200), tick(300), `300: told ${NO_REQUEST}`, '300: wait']);
  });

  test('a request at or past its limit is a wait, and is due when the controller says so', () => {
    const guest = startClock(
      newHub(),
      `${interruptTable(VECTOR)}
       START ${VECTOR}; movq $1000, REQ(%rbx); sti; 1: hlt; TELLS NOW(%rbx); jmp 1b; ${HANDLER}`,
    );
    guest.run(0n, 1000n);
    expect(guest.machine.request).toBe(1000n);
    // Still nothing to do at 1000, which is past what it may.
    guest.run(700n, 900n);
    guest.run(900n, 900n);
    guest.run(1000n, 2000n);
    expect(guest.log).toEqual([
      ...['0: wait for 1000', '700: wait for 1000', '900: wait for 1000'],
      ...[tick(1000), '1000: told 1000', '1000: wait'],
    ]);
  });

  test('an interrupt of the controller wakes it at the time of the run', () => {
    const guest = startClock(
      newHub(),
      `${interruptTable(VECTOR)}
       START; movq $5000, REQ(%rbx); sti; 1: hlt; TELLS NOW(%rbx); jmp 1b; ${HANDLER}`,
    );
    guest.run(0n, 1000n);
    guest.machine.interrupt(VECTOR);
    expect(guest.machine.interruptPending(VECTOR)).toBe(true);
    expect(guest.machine.interruptPending(VECTOR + 1)).toBe(false);
    expect(guest.log).toEqual(['0: wait for 5000']);
    guest.run(123n, 1000n);
    expect(guest.machine.interruptPending()).toBe(false);
    expect(guest.log.slice(1)).toEqual([tick(123), '123: told 123', '123: wait for 5000']);
  });

  test('ADVANCE goes on by itself, up to its request, and up to its limit', () => {
    const guest = startClock(
      newHub(),
      `${interruptTable(VECTOR)}
       START ${VECTOR}
       RING 16, $400; TELLS RET(%rbx)
       movq $500, REQ(%rbx); RING 16, $600; TELLS RET(%rbx); TAKE; RING 16, $600; TELLS RET(%rbx)
       RING 16, $1000; TELLS RET(%rbx); RING 16, $1000; TELLS RET(%rbx); sti; 1: hlt; jmp 1b; ${HANDLER}`,
    );
    guest.run(0n, 1000n);
    expect(guest.log).toEqual([
      ...['400: told 400', '500: told 500', tick(500), '600: told 600'],
      '600: wait for 1000',
    ]);
    guest.log.length = 0;
    guest.run(800n, 900n);
    guest.run(1000n, 1600n);
    expect(guest.log).toEqual([...['800: told 800', '800: wait for 1000', '1000: told 1000', '1000: wait']]);
  });

  test('ADVANCE with interrupts off passes what waits, once it has been told of it', () => {
    const log = runClock(
      newHub(),
      `${interruptTable(VECTOR)}
       START ${VECTOR}; cli; movq $10, REQ(%rbx)
       RING 16, $100; TELLS RET(%rbx); RING 16, $100; TELLS RET(%rbx)
       movq $150, NOW(%rbx); RING 16, $200; TELLS RET(%rbx); sti; 1: hlt; jmp 1b; ${HANDLER}`,
      1000n,
    );
    expect(log).toEqual(['10: told 10', '100: told 100', '200: told 200', tick(200), '200: wait']);
  });

  test('ADVANCE ends at once for an interrupt that is new, and tells of it once', () => {
    const guest = startClock(
      newHub(),
      `${interruptTable(VECTOR)}
       START; cli; RING 16, $10; TELLS $1; RING 16, $100; TELLS RET(%rbx); RING 16, $100; TELLS RET(%rbx)
       sti; 1: hlt; jmp 1b; ${HANDLER}`,
      {
        onWrite: (_address, _size, value) => {
          guest.log.push(`${guest.machine.now}: told ${value}`);
          if (value === 1n) guest.machine.interrupt(VECTOR);
        },
      },
    );
    guest.run(0n, 1000n);
    expect(guest.log).toEqual(['10: told 1', '10: told 10', '100: told 100', tick(100), '100: wait']);
  });

  test('GET, GET_TOD and UPDATE', () => {
    const log = runClock(
      newHub(),
      `START; movq $42, NOW(%rbx); RING 4; TELLS RET(%rbx); RING 8; TELLS RET(%rbx); RING 5; TELLS RET(%rbx); sti; hlt`,
      1000n,
    );
    expect(log).toEqual([42n, TIME_OF_DAY + 42n, 0n].map((value) => `42: told ${value}`).concat('42: wait'));
  });

  test('operations of others come with their arguments, where their feature is there', () => {
    const source = `START 0, 0xff; movq $-1, ARG+8(%rbx); movq $7, ARG+16(%rbx)
       RING 17, $4096; TELLS RET(%rbx); RING 24, $64; TELLS RET(%rbx); sti; hlt`;
    const own = { onBell: () => -66n };
    expect(runClock(newHub(), source, 10n, own, { features: 2 })).toEqual([
      `0: told ${-66n & NO_REQUEST}`,
      `0: told ${-65n & NO_REQUEST}`,
      '0: wait',
    ]);
    expect(runClock(newHub(), source, 10n, {}, { features: 8 })).toEqual([
      `0: told ${-65n & NO_REQUEST}`,
      `0: operation 24 (64, ${NO_REQUEST}, 7)`,
      '0: told 0',
      '0: wait',
    ]);
  });

  test('curtailed while it stands still, it goes no further', () => {
    const hub = newHub();
    const guest = startClock(
      hub,
      `START; TELLS $1; TELLS FREE(%rbx); RING 16, $400; TELLS RET(%rbx); sti; hlt`,
      {
        onWrite: (_address, _size, value) => {
          if (value === 1n) guest.machine.curtail(300n);
          else guest.log.push(`told ${value}`);
        },
      },
    );
    guest.run(0n, 1000n);
    expect(guest.log).toEqual(['told 300', '0: wait for 400']);
  });

  test.each([
    [0, 'off'],
    [1, 'reboot'],
    [2, 'panic'],
  ])('END %d is %s', (how, name) => {
    const guest = startClock(newHub(), `START; movq $5, NOW(%rbx); RING 32, $${how}; TELLS $1`);
    guest.run(0n, 10n);
    expect(guest.log).toEqual([`5: ${name}`]);
    expect(guest.ends).toEqual([]);
  });

  test('a guest without a page waits for interrupts', () => {
    const guest = startClock(newHub(), `sti; hlt; TELLS $1; hlt`);
    guest.run(5n, 10n);
    expect(guest.machine.page).toBeUndefined();
    guest.run(7n, 10n);
    expect(guest.log).toEqual(['5: wait', '7: wait']);
    expect(guest.machine.liveNow).toBe(0n);
  });

  test('its time can be read while it runs', () => {
    const hub = newHub();
    const guest = startClock(hub, `START; TELLS $1; movq $77, NOW(%rbx); 1: jmp 1b`);
    guest.machine.run(0n, 100n);
    wait(hub, 'its time', () => guest.machine.liveNow === 77n);
    expect(guest.machine.page).toBe(PAGE);
    expect(guest.machine.now).toBe(0n);
    expect(guest.machine.thread).toBeGreaterThan(0);
    guest.machine.kick();
    wait(hub, 'the kick', () => guest.log.includes('kick'));
    expect(guest.machine.now).toBe(77n);
    const used = guest.machine.cpuMs;
    expect(used).toBeGreaterThan(0);
    guest.machine.stop();
    expect(guest.machine.cpuMs).toBeGreaterThanOrEqual(used);
  });
});

describe.skipIf(missing !== '')(`what a guest may not do with its clock${missing && ` (${missing})`}`, () => {
  test.each([
    [
      'halt with interrupts off',
      'START; cli; hlt',
      /it halts for ever: interrupts are off; last exit: halt with/,
    ],
    [
      'ring before START',
      'mov $0x6c4, %edx; mov $4, %eax; out %eax, %dx',
      /operation 4 before START; last exit: out of 0x4/,
    ],
    [
      'a page above its memory',
      'mov $0x6c0, %edx; mov $512, %eax; out %eax, %dx',
      /frame 0x200 of a memory of 0x200; last exit/,
    ],
    ['a page far above', 'mov $0x6c0, %edx; mov $-1, %eax; out %eax, %dx', /frame 0xffffffff of a memory/],
    ['START by 2 bytes', 'mov $0x6c0, %edx; out %ax, %dx', /an access of 2 bytes to a port of the clock/],
    [
      'reading a port',
      'mov $0x6c4, %edx; in %dx, %eax',
      /an access of 4 bytes .* last exit: in of 4 bytes from port 0x6c4/,
    ],
    [
      'START with another page',
      'START; mov $2, %eax; mov $0x6c0, %edx; out %eax, %dx',
      /START with page frame 0x2, after one with 0x100/,
    ],
    ['a vector of an exception', 'START 14', /the timer interrupt has vector 14/],
    ['a vector that is none', 'START 256', /the timer interrupt has vector 256/],
    [
      'going back',
      'START; movq $5, NOW(%rbx); RING 5; movq $4, NOW(%rbx); RING 5',
      /goes back from 5 ns to 4 ns/,
    ],
    [
      'going as far as its limit',
      'START; movq $100, NOW(%rbx); RING 5',
      /at 100 ns, where it may not reach 100 ns/,
    ],
    [
      'going to the end of all',
      'START; movq $-1, NOW(%rbx); sti; hlt',
      /at 18446744073709551615 ns, where it may not reach/,
    ],
    [
      'writing its own limit',
      'START; movq $900, FREE(%rbx); movq $100, NOW(%rbx); RING 5',
      /at 100 ns, where it may not/,
    ],
    [
      'an operation that is none',
      'START; RING 99',
      /operation 99, which there is not; last exit: out of 0x63/,
    ],
    ['ADVANCE into the past', 'START; movq $5, NOW(%rbx); RING 16, $4', /ADVANCE to 4 ns, where 5 ns to/],
    ['ADVANCE past the end of time', 'START; RING 16, $-1', /ADVANCE to 18446744073709551615 ns/],
    ['an END that is none', 'START; RING 32, $3', /END with 3/],
  ])('%s', (_what, source, message) => {
    const hub = newHub();
    const guest = startClock(hub, source);
    guest.run(0n, 100n);
    expect(guest.ends[0]?.message).toMatch(/^guest g: .*; last exit: .*; rip=0x/);
    expect(guest.ends[0]?.message).toMatch(message);
    expect(guest.log).toEqual([]);
  });

  test('the last exit before a triple fault is told, though JavaScript never saw it', () => {
    const guest = startClock(newHub(), 'START; RING 4; ud2');
    guest.run(0n, 100n);
    expect(guest.ends[0]?.message).toMatch(/triple fault; last exit: out of 0x4 \(4 bytes\) to port 0x6c4; /);
  });

  test('a request past the end of time is none', () => {
    expect(
      runClock(newHub(), 'START; mov $1, %eax; shl $63, %rax; mov %rax, REQ(%rbx); sti; hlt', 10n),
    ).toEqual(['0: wait']);
  });

  test.each([
    ['rings', 'START; 1: RING 4; jmp 1b'],
    ['reads ports of nobody', '1: in $0x10, %al; jmp 1b'],
    [
      'halts, with an interrupt that always waits',
      `${interruptTable(VECTOR)}
       START ${VECTOR}; 1: movq $0, REQ(%rbx); sti; hlt; jmp 1b; handler: iretq`,
    ],
  ])('one that for ever %s can be kicked, and stopped', (_what, source) => {
    const hub = newHub();
    const guest = startClock(hub, source);
    guest.machine.run(0n, 100n);
    hub.poll(20);
    guest.machine.kick();
    wait(hub, 'the kick', () => guest.log.includes('kick'));
    const count = guest.machine.exits;
    expect(count).toBeGreaterThan(0n);
    guest.machine.resume();
    hub.poll(5);
    guest.machine.kick();
    wait(hub, 'another kick', () => guest.log.length === 2);
    expect(guest.machine.exits).toBeGreaterThan(count);
    guest.machine.resume();
    guest.machine.stop();
    expect(guest.ends).toEqual([]);
  });
});

describe.skipIf(missing !== '')(`what the controller may not do${missing && ` (${missing})`}`, () => {
  test('run a guest that does not wait, or back in time, or interrupt one that runs', () => {
    const guest = startClock(
      newHub(),
      `${interruptTable(VECTOR)}; START; sti; hlt; 1: jmp 1b; handler: iretq`,
    );
    expect(() => guest.machine.resume()).toThrow('goes on by run()');
    guest.run(10n, 100n);
    expect(() => guest.machine.run(9n, 100n)).toThrow('is run at 9, and is at 10');
    expect(() => guest.machine.interruptVirtio(1, 1)).toThrow('virtio device 1');
    guest.machine.interrupt(VECTOR);
    guest.machine.run(10n, 100n);
    expect(() => guest.machine.run(10n, 100n)).toThrow('does not wait');
    expect(() => guest.machine.curtail(50n)).toThrow('while it runs');
    expect(() => guest.machine.interruptVirtio(0, 1)).toThrow('does not stand still');
    guest.machine.stop();
    guest.machine.run(10n, 100n);
    guest.machine.curtail(10n);
  });
});
