// SPDX-License-Identifier: MIT
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BoardClock } from './board-clock.js';

/** A clock, with the machine's own, which begins anywhere. */
function build(from = 1_000n) {
  const machine = { ns: from };
  return { machine, clock: new BoardClock(() => machine.ns) };
}

describe('the clock of boards', () => {
  it('begins when it is let go for the first time', () => {
    const { machine, clock } = build();
    machine.ns += 500n;
    expect([clock.now(), clock.frozen]).toEqual([0n, true]);
    clock.resume();
    expect([clock.now(), clock.frozen]).toEqual([0n, false]);
    machine.ns += 7n;
    expect(clock.now()).toBe(7n);
  });

  it('stands while it is frozen, and goes on from there', () => {
    const { machine, clock } = build();
    clock.resume();
    machine.ns += 100n;
    clock.freeze();
    machine.ns += 1_000_000n;
    expect([clock.now(), clock.frozen]).toEqual([100n, true]);
    clock.resume();
    machine.ns += 11n;
    expect(clock.now()).toBe(111n);
  });

  it('takes a second freeze, or a second letting go, for nothing', () => {
    const { machine, clock } = build();
    clock.resume();
    machine.ns += 10n;
    clock.freeze();
    machine.ns += 10n;
    clock.freeze();
    expect(clock.now()).toBe(10n);
    clock.resume();
    machine.ns += 5n;
    clock.resume();
    expect(clock.now()).toBe(15n);
  });

  it('goes on from where the boards are when they are ahead', () => {
    const { machine, clock } = build();
    clock.resume();
    machine.ns += 100n;
    clock.correct(30n);
    expect(clock.now()).toBe(130n);
  });

  it('stands still while it is frozen, whatever is corrected, and is right when it goes on', () => {
    const { machine, clock } = build();
    clock.resume();
    machine.ns += 100n;
    clock.freeze();
    clock.correct(5n);
    clock.correct(2n);
    machine.ns += 1_000n;
    expect(clock.now()).toBe(100n);
    clock.freeze();
    expect([clock.now(), clock.reading]).toEqual([100n, 100n]);
    clock.resume();
    expect(clock.now()).toBe(107n);
    clock.freeze();
    clock.resume();
    expect(clock.now()).toBe(107n);
  });

  it('stands until boards that are behind have come up', () => {
    const { machine, clock } = build();
    clock.resume();
    machine.ns += 100n;
    expect(clock.now()).toBe(100n);
    clock.correct(-40n);
    machine.ns += 39n;
    expect([clock.now(), clock.reading]).toEqual([100n, 99n]);
    machine.ns += 1n;
    expect(clock.now()).toBe(100n);
    machine.ns += 1n;
    expect(clock.now()).toBe(101n);
  });

  it('never goes backward, and shows running time and corrections where nothing went back (T1, T7)', () => {
    const step = fc.oneof(
      fc.record({ what: fc.constant('pass' as const), by: fc.bigInt({ min: 0n, max: 1_000_000n }) }),
      fc.record({ what: fc.constant('correct' as const), by: fc.bigInt({ min: -1_000n, max: 1_000n }) }),
      fc.record({ what: fc.constantFrom('freeze' as const, 'resume' as const), by: fc.constant(0n) }),
    );
    fc.assert(
      fc.property(
        fc.bigInt({ min: 0n, max: 1n << 62n }),
        fc.array(step, { maxLength: 60 }),
        (from, steps) => {
          const { machine, clock } = build(from);
          let frozen = true;
          // What it shows, but for corrections that lead backward, and corrections that wait.
          let reading = 0n;
          let pending = 0n;
          let latest = 0n;
          for (const { what, by } of steps) {
            if (what === 'pass') {
              machine.ns += by;
              if (!frozen) reading += by;
            } else if (what === 'correct') {
              clock.correct(by);
              pending += by;
            } else {
              clock[what]();
              frozen = what === 'freeze';
            }
            if (!frozen) {
              reading += pending;
              pending = 0n;
            }
            if (reading > latest) latest = reading;
            expect(clock.now()).toBe(latest);
            expect([clock.frozen, clock.reading]).toEqual([frozen, reading]);
          }
        },
      ),
    );
  });
});
