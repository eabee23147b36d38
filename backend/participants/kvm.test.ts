// SPDX-License-Identifier: MIT
import { readdirSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { interruptTable } from '../../host/kvm/testing/bare-metal.js';
import { missing, newHub, threads } from '../../host/kvm/testing/guests.js';
import { after, duration, instant, NEVER } from '../calendar/index.js';
import { OneclockError } from '../errors.js';
import { bareGuest } from './testing/bare-guests.js';

/** Interrupts of the device are taken where the guest lets them, and it is told of by a kick of its own. */
const TABLE = interruptTable(0x35);
const HANDLER = 'handler: push %rax; push %rdx; KICK; TAKEN; pop %rdx; pop %rax; iretq';
const SLEEP = '9: sti; hlt; jmp 9b';
const advance = (to: number) => `RING 16, $${to}`;

describe.skipIf(missing !== '')(`a KVM guest of the calendar${missing && ` (${missing})`}`, () => {
  test('is quiet until what it has asked for', () => {
    const { log, guest, run } = bareGuest(`START; movq $500, REQ(%rbx); ${SLEEP}`);
    expect([guest.wake, guest.now, guest.alive]).toEqual([0n, 0n, true]);
    run(0n, 100n);
    expect(log).toEqual(['0: quiet until 500']);
    expect(guest.wake).toBe(500n);
  });

  test('goes on by itself within its grant, and no further', () => {
    const { log, run } = bareGuest(`START; ${advance(90)}; ${advance(250)}; ${SLEEP}`);
    run(0n, 100n);
    expect(log).toEqual(['90: quiet until 250']);
    run(250n, 300n);
    expect(log.slice(1)).toEqual(['250: quiet']);
  });

  test('that is quiet wakes for an interrupt, at the instant at which it is raised', () => {
    const { log, guest, device, run, deliver, raised } = bareGuest(
      `${TABLE} PICS; START; DRIVE; movq $500, REQ(%rbx); ${SLEEP}; ${HANDLER}`,
    );
    run(0n, 100n);
    expect(log).toEqual(['0: quiet until 500']);
    device.interrupt();
    device.interrupt();
    expect(raised).toHaveLength(1);
    deliver(40n);
    expect(guest.wake).toBe(40n);
    run(40n, 100n);
    expect(log.slice(1)).toEqual(['40: kick', '40: quiet until 500']);
  });

  test('that waits in ADVANCE with interrupts off gets the time, and the interrupt when it lets it', () => {
    const { log, guest, device, run, deliver } = bareGuest(
      `${TABLE} PICS; START; DRIVE; 1: ${advance(250)}; cmpq $250, NOW(%rbx); jb 1b; TAKE; ${SLEEP}; ${HANDLER}`,
    );
    run(0n, 100n);
    expect(log).toEqual(['0: quiet until 250']);
    device.interrupt();
    deliver(40n);
    expect(guest.wake).toBe(40n);
    run(40n, 100n);
    // It may not be disturbed, and asks for the rest of its time.
    expect(log.slice(1)).toEqual(['40: quiet until 250']);
    run(250n, 300n);
    expect(log.slice(2)).toEqual(['250: kick', '250: quiet']);
  });

  test('is not disturbed in a kick: what comes of it comes when it is quiet, at the instant of the kick', () => {
    const guest = bareGuest(
      `${TABLE} PICS; START; DRIVE; ${advance(30)}; KICK; ${advance(80)}; ${SLEEP}; ${HANDLER}`,
      {
        kicked: ({ log, guest, device }) => {
          if (log.length > 1) return;
          device.interrupt();
          guest.curtail(guest.now);
        },
      },
    );
    guest.run(0n, 100n);
    expect(guest.log).toEqual(['30: kick', '30: quiet until 80']);
    guest.deliver(30n);
    expect(guest.guest.wake).toBe(30n);
    guest.run(30n, 100n);
    // The advance was cut short, and the guest does not ask for the rest of it.
    expect(guest.log.slice(2)).toEqual(['30: kick', '30: quiet']);
  });

  test('that is curtailed in a kick comes no further', () => {
    const { log, run } = bareGuest(`START; DRIVE; ${advance(10)}; KICK; ${advance(60)}; ${SLEEP}`, {
      kicked: ({ guest }) => {
        guest.curtail(instant(50n));
        // A limit behind the one that there is, is none.
        guest.curtail(instant(90n));
      },
    });
    run(0n, 100n);
    expect(log).toEqual(['10: kick', '10: quiet until 60']);
  });

  test('goes on behind its kicks where nothing can come of them so soon; they are done at their times, before all else', () => {
    const made = bareGuest(
      `START 0, 0xff; DRIVE; ${advance(10)}; KICK; ${advance(25)}; KICK; RING 17, $1; KICK; ${advance(60)}; ${SLEEP}`,
      {
        kicked: ({ guest, log }) => {
          if (log.length === 1) guest.curtail(instant(45n));
        },
        bell: () => {
          made.log.push(`${made.guest.now}: bell`);
          return 0n;
        },
      },
    );
    made.guest.setPatience(0, 30n);
    made.run(0n, 100n);
    expect(made.log).toEqual(['10: kick', '25: kick', '25: bell', '25: kick', '25: quiet until 60']);
  });

  test('does the same at the same times, whether or not it stops for its kicks', () => {
    const step = fc.oneof(fc.constant('KICK'), fc.constant('RING 17, $1'), fc.nat({ max: 40 }));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const until = (add: number) => `mov NOW(%rbx), %rcx; add $${add}, %rcx; RING 16, %rcx`;
        const source = steps.map((each) => (typeof each === 'string' ? each : until(each))).join('; ');
        const logs = [0n, 30n].map((patience) => {
          const made = bareGuest(`START 0, 0xff; DRIVE; ${source}; ${SLEEP}`, {
            // Whoever gets it may answer after 30.
            kicked: ({ guest }) => guest.curtail(after(guest.now, duration(30n))),
            bell: () => {
              made.log.push(`${made.guest.now}: bell`);
              return 0n;
            },
          });
          made.guest.setPatience(0, patience);
          made.run(0n, 100n);
          for (let at = made.guest.wake; at !== NEVER; at = made.guest.wake) made.run(at, at + 100n);
          made.guest.close();
          return made.log;
        });
        expect(logs[1]).toEqual(logs[0]);
        expect(logs[0]?.filter((line) => line.endsWith('kick'))).toHaveLength(
          steps.filter((each) => each === 'KICK').length,
        );
      }),
      { numRuns: 10, endOnFailure: true },
    );
  });

  test('is interrupted where it is by what comes of such kicks', () => {
    const seen: number[] = [];
    const { log, guest, raised, run, deliver } = bareGuest(
      `${TABLE} PICS; START; DRIVE; ${advance(10)}; KICK; ${advance(20)}; KICK; ${advance(25)}; ${SLEEP}; ${HANDLER}`,
      {
        kicked: ({ device, raised }) => {
          device.interrupt();
          seen.push(raised.length);
        },
      },
    );
    guest.setPatience(0, 30n);
    run(0n, 100n);
    expect(log).toEqual(['10: kick', '20: kick', '25: quiet']);
    // Whoever is told of it finds the guest at its present time.
    expect([seen, raised.length]).toEqual([[0, 0], 1]);
    deliver(25n);
    expect(guest.wake).toBe(25n);
    guest.setPatience(0, 0n);
    run(25n, 100n);
    expect(log.slice(3)).toEqual(['25: kick', '25: quiet']);
  });

  test.each([
    ['powers itself off', 'KICK; RING 32, $0', ['0: kick', 'failed: it powered itself off']],
    ['resets the device', `KICK; SET 0x70, 0; ${SLEEP}`, ['0: kick', '0: quiet']],
    ['takes the queue away', `KICK; SET 0x44, 0; ${SLEEP}`, ['0: kick', '0: quiet']],
  ])('has such kicks done also where it %s then', (_what, source, expected) => {
    const { log, guest, run } = bareGuest(`START; DRIVE; ${source}`);
    guest.setPatience(0, 30n);
    run(0n, 100n);
    expect(log).toEqual(expected);
  });

  test('forgets an interrupt whose driver has gone', () => {
    const { log, device, guest, run, deliver } = bareGuest(
      `${TABLE} PICS; START; DRIVE; ${advance(50)}; SET 0x70, 0; ${SLEEP}; ${HANDLER}`,
    );
    run(0n, 10n);
    device.interrupt();
    run(50n, 60n);
    expect(device.resets).toBe(1);
    deliver(50n);
    expect(guest.wake).toBe(NEVER);
    expect(log).toEqual(['0: quiet until 50', '50: quiet']);
  });

  test.each([
    ['off', 0, 'it powered itself off'],
    ['reboot', 1, 'it rebooted'],
    ['panic', 2, 'it stopped in a panic'],
  ])('that ends by itself has failed: %s', (_how, how, reason) => {
    const { run, failures, guest } = bareGuest(`START; RING 32, $${how}`);
    run(0n, 100n);
    expect(failures).toHaveLength(1);
    expect(failures[0]).toMatchObject({ hung: false, error: { code: 'PARTICIPANT', message: reason } });
    expect([guest.alive, guest.wake]).toEqual([false, NEVER]);
    // Its domain may not know yet.
    guest.run(instant(0n), instant(10n));
    guest.curtail(instant(5n));
    guest.fail(new OneclockError('PARTICIPANT', 'again'));
    guest.close();
    expect(failures).toHaveLength(1);
  });

  test('that dies is told of with what it did and what it said last', () => {
    const { run, failures } = bareGuest(
      `START; .irp c, 'h', 27, 'i', 10
         PUT 0x3f8, \\c
       .endr
       lidt nothing(%rip); ud2; nothing: .word 0; .quad 0`,
    );
    run(0n, 100n);
    expect(failures[0]?.error.message).toMatch(/^triple fault; last exit: .*; it said: h i$/);
    expect(failures[0]?.hung).toBe(false);
  });

  test('that breaks the rules of a device has failed', () => {
    const { run, failures, device } = bareGuest(`START; DRIVE; SET 0x50, 7; ${SLEEP}`);
    run(0n, 100n);
    expect(failures.map(({ error }) => error.message)).toEqual([
      'test: queue 7 of a device that has 1 queues (test) (last write: 0x7 to 0x50)',
    ]);
    expect(device.resets).toBe(1);
  });

  test('that does what it may not by an operation has failed, with its registers', () => {
    const { run, failures } = bareGuest(`START 0, 0xff; RING 17, $1; ${SLEEP}`, {
      bell: () => {
        throw new OneclockError('PARTICIPANT', 'expected this, found that');
      },
    });
    run(0n, 100n);
    expect(failures[0]?.error.message).toMatch(/expected this, found that; last exit: .*rip=0x/);
  });

  test.each([
    ['an operation', 'START 0, 0xff; RING 17, $1'],
    ['a kick', 'START; DRIVE; KICK'],
  ])('is not blamed for an invariant of ours that does not hold in %s', (_where, source) => {
    const broken = () => {
      throw new OneclockError('INTERNAL', 'one is two');
    };
    const { run, failures } = bareGuest(`${source}; ${SLEEP}`, { bell: broken, kicked: broken });
    expect(() => run(0n, 100n)).toThrow('one is two');
    expect(failures).toEqual([]);
  });

  test.each([
    ['closed', 0],
    ['failed', 1],
  ] as const)('may be %s in its own kick, seen at once or later', (how, count) => {
    for (const patience of [0n, 30n]) {
      const { run, failures, device, log, guest } = bareGuest(`START; DRIVE; KICK; KICK; ${SLEEP}`, {
        kicked: ({ guest, failures }) => {
          if (how === 'failed') guest.fail(new OneclockError('PARTICIPANT', 'enough'));
          else {
            guest.close();
            failures.push({ error: new OneclockError('INTERNAL', 'the test goes on'), hung: false });
          }
        },
      });
      guest.setPatience(0, patience);
      run(0n, 100n);
      expect(log.filter((line) => line.endsWith('kick'))).toEqual(['0: kick']);
      expect(failures.filter(({ error }) => error.message === 'enough')).toHaveLength(count);
      expect([guest.alive, device.resets]).toEqual([false, 1]);
    }
  });

  test('may fail while it runs, and its thread ends', () => {
    const before = threads().length;
    const { guest, failures } = bareGuest(`START; 1: jmp 1b`);
    expect(threads()).toHaveLength(before + 1);
    guest.run(instant(0n), instant(100n));
    guest.fail(new OneclockError('PARTICIPANT', 'enough'));
    expect(failures).toMatchObject([{ hung: false, error: { message: 'enough' } }]);
    expect(threads()).toHaveLength(before);
    expect(guest.cpuMs).toBeGreaterThanOrEqual(0);
  });

  test('that does nothing that anybody sees hangs: it is stopped, with its registers', () => {
    const { guest, failures, wait } = bareGuest(`START; mov $0x77, %ecx; 1: jmp 1b`);
    guest.run(instant(0n), instant(100n));
    wait('a guest that hangs', () => {
      guest.checkHang(300);
      return failures.length > 0;
    });
    expect(failures).toMatchObject([{ hung: true }]);
    expect(failures[0]?.error.message).toMatch(/it hangs: nothing heard of it for 0\.3 s .*rcx=0x77\b/);
  });

  test.each([
    ['moves its clock', 'page', 'START; 1: incq NOW(%rbx); pause; jmp 1b'],
    ['looks at its timers', 'timers', '1: mov $0x608, %edx; in %dx, %eax; jmp 1b'],
  ] as const)('that %s does not hang', (_what, clock, source) => {
    const { guest, failures, wait } = bareGuest(source, { clock });
    guest.run(instant(0n), instant(2n ** 60n));
    const end = performance.now() + 900;
    wait('the time', () => {
      guest.checkHang(300);
      return performance.now() > end || failures.length > 0;
    });
    expect([failures, guest.ending]).toEqual([[], false]);
  });

  test('runs beside another, each in its own time', () => {
    const hub = newHub();
    const source = (first: number) => `START; ${advance(first)}; ${advance(first * 2)}; ${SLEEP}`;
    const one = bareGuest(source(30), { hub, name: 'one' });
    const other = bareGuest(source(40), { hub, name: 'other' });
    one.guest.run(instant(0n), instant(50n));
    other.guest.run(instant(0n), instant(100n));
    one.wait('both', () => one.log.length > 0 && other.log.length > 0);
    expect([one.log, other.log]).toEqual([['30: quiet until 60'], ['80: quiet']]);
    other.guest.close();
    one.run(60n, 100n);
    expect(one.log.slice(1)).toEqual(['60: quiet']);
  });
});

describe.skipIf(missing !== '')(`a KVM guest that cannot be had${missing && ` (${missing})`}`, () => {
  test('leaves nothing, and says why', () => {
    const hub = newHub();
    const before = [threads().length, readdirSync('/proc/self/fd').length];
    const source = '.fill 5 << 20, 1, 0x90';
    expect(() => bareGuest(source, { hub })).toThrow(
      /^guest g: .*kernel: the guest's memory of 4\.0 MiB does not do/,
    );
    expect([threads().length, readdirSync('/proc/self/fd').length]).toEqual(before);
  });
});
