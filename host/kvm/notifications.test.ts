// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest';
import type { PlatformOptions } from './index.js';
import { type ClockGuest, startClock } from './testing/clock-guests.js';
import { missing, newHub } from './testing/guests.js';

/** Of a ring with 4 descriptors, in the guest's memory. */
const AVAILABLE = 0x110002;
const EVENT = 0x112024;
const COPY = 0x113000;
const NOTIFY = (queue: number, slot = 0) =>
  `mov $${0xd0000050 + slot * 0x1000}, %edx; movl $${queue}, (%rdx)`;
const ADD = `incw ${AVAILABLE}`;
const advance = (to: number) => `RING 16, $${to}`;
const SLEEP = '1: hlt; jmp 1b';

/** A guest with two devices, whose first has queue 1 ready and may go on for 30 ns after a notification. */
function build(
  source: string,
  { event, ...own }: Partial<PlatformOptions> & { event?: number } = {},
): ClockGuest {
  const guest: ClockGuest = startClock(
    newHub(),
    source,
    {
      onNotified: (all) => {
        for (const { at, slot, queue, available } of all)
          guest.log.push(`${at}: notified ${slot}.${queue} up to ${available}`);
      },
      onWrite: (address) => {
        guest.log.push(`${guest.machine.now}: write to 0x${address.toString(16)}`);
      },
    },
    { devices: 2, ...own },
  );
  guest.machine.setQueue(0, 1, { available: AVAILABLE, event });
  guest.machine.setPatience(0, 30n);
  return guest;
}

describe.skipIf(missing !== '')(`notifications of queues${missing && ` (${missing})`}`, () => {
  test('do not stop the guest, and are told with what does, each with its time and index', () => {
    const { log, run, machine } = build(
      `START; ${advance(10)}; ${ADD}; ${NOTIFY(1)}; ${advance(25)}; ${ADD}; ${ADD}; ${NOTIFY(1)}; ${advance(35)}; sti; ${SLEEP}`,
    );
    run(0n, 100n);
    expect(log).toEqual(['10: notified 0.1 up to 1', '25: notified 0.1 up to 3', '35: wait']);
    expect(machine.seenExits).toBe(1);
  });

  test('keep the guest from going on to when something can come of them', () => {
    const { log, run } = build(
      `START; ${advance(10)}; ${NOTIFY(1)}; ${advance(39)}; ${advance(40)}; TELL; ${SLEEP}`,
    );
    run(0n, 100n);
    expect(log).toEqual(['10: notified 0.1 up to 0', '39: wait for 40']);
    run(40n, 100n);
    expect(log[2]).toBe('40: write to 0xd0000000');
  });

  test('keep it from its timer, too, and from what the page lets it do', () => {
    const { log, run, machine } = build(
      `START; movq $50, REQ(%rbx); ${NOTIFY(1)}; mov FREE(%rbx), %rax; mov %rax, ${COPY}; sti; ${SLEEP}`,
    );
    run(0n, 100n);
    expect(log).toEqual(['0: notified 0.1 up to 0', '0: wait for 50']);
    expect(machine.memory.bytes[COPY]).toBe(30);
  });

  test('are wanted by the driver for what it adds from then on', () => {
    const { run, machine } = build(`START; ${ADD}; ${ADD}; ${NOTIFY(1)}; sti; ${SLEEP}`, { event: EVENT });
    run(0n, 100n);
    expect(machine.memory.bytes[EVENT]).toBe(2);
  });

  test('come to the end of their room, and none is lost', () => {
    const { log, run, machine } = build(
      `START; mov $100, %ecx; 2: ${ADD}; ${NOTIFY(1)}; loop 2b; sti; ${SLEEP}`,
    );
    run(0n, 100n);
    const told = log.filter((line) => line.includes('notified')).length;
    const seen = log.filter((line) => line === '0: write to 0xd0000050').length;
    expect([told, seen, log.length]).toEqual([99, 1, 101]);
    expect(log[64]).toBe('0: write to 0xd0000050');
    expect(machine.seenExits).toBe(2);
  });

  test.each([
    ['a queue that is not ready', NOTIFY(0), 'write to 0xd0000050'],
    ['a queue that is none', NOTIFY(0x10001), 'write to 0xd0000050'],
    ['a device of which something may come at once', NOTIFY(1, 1), 'write to 0xd0001050'],
    ['a part of the register', 'mov $0xd0000050, %edx; movw $1, (%rdx)', 'write to 0xd0000050'],
  ])('of %s stop it', (_what, source, line) => {
    const { log, run } = build(`START; ${source}; sti; ${SLEEP}`);
    run(0n, 100n);
    expect(log).toEqual([`0: ${line}`, '0: wait']);
  });

  test('are told before a guest ends, whatever it ends by', () => {
    for (const end of ['RING 32, $0', 'cli; hlt', 'lidt nothing(%rip); ud2; nothing: .word 0; .quad 0']) {
      const { log, ends, run } = build(`START; ${NOTIFY(1)}; ${end}`);
      run(0n, 100n);
      expect(log[0]).toBe('0: notified 0.1 up to 0');
      expect(log.length + ends.length).toBe(2);
    }
  });

  test('are settled while the guest stands still only, for what there is', () => {
    const { machine, run } = build(`START; sti; ${SLEEP}`);
    expect(() => machine.setPatience(2, 1n)).toThrow(/virtio device/);
    expect(() => machine.setQueue(2, 0, { available: AVAILABLE })).toThrow(/queue/);
    for (const available of [AVAILABLE + 1, machine.memory.bytes.length, -2, 2 ** 52])
      expect(() => machine.setQueue(0, 0, { available })).toThrow(/queue/);
    expect(() => machine.setQueue(0, 64, { available: AVAILABLE })).toThrow(/queue/);
    run(0n, 100n);
    machine.setQueue(0, 1, undefined);
    machine.setQueue(0, 63, undefined);
    machine.stop();
    machine.setPatience(0, 1n);
    machine.setQueue(0, 1, undefined);
  });

  test('cannot be settled while it runs', () => {
    const { machine } = build('START; 1: jmp 1b');
    machine.run(0n, 100n);
    expect(() => machine.setPatience(0, 1n)).toThrow(/EBUSY|busy/);
    expect(() => machine.setQueue(0, 1, undefined)).toThrow(/EBUSY|busy/);
  });
});
