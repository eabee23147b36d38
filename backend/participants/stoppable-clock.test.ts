// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest';
import {
  Calendar,
  EventKind,
  type Interrupt,
  instant,
  Lookahead,
  NEVER,
  type Participant,
} from '../calendar/index.js';
import { StoppableClock } from './stoppable-clock.js';

/** A guest that wants to run every ten nanoseconds of its own time, and notes when it does. */
class Ticker implements Participant {
  readonly id = 0;
  readonly name = 'ticker';
  wake = instant(0n);
  now = instant(0n);
  readonly ran: bigint[] = [];
  quiet: () => void = () => undefined;

  run(at: bigint): void {
    this.ran.push(at);
    this.now = instant(at);
    this.wake = instant(at + 10n);
    this.quiet();
  }

  curtail(): void {}
  reach(): void {}
}

function world(until: bigint) {
  const seen: bigint[] = [];
  const calendar = new Calendar({
    jobs: 1,
    until: instant(until),
    activated: (_participant, at) => seen.push(at),
    barrier: () => undefined,
    ended: () => undefined,
  });
  const domain = calendar.addDomain();
  const guest = new Ticker();
  const clock = new StoppableClock(guest);
  const host = domain.add(clock);
  guest.quiet = () => host.quiet();
  let acts = 0;
  /** Has something done in the domain, as a script does it. */
  const at = (when: bigint, apply: () => void) =>
    domain.accept({ at: instant(when), kind: EventKind.SCRIPT, source: 0, sequence: acts++, apply });
  return { calendar, domain, guest, clock, seen, at };
}

describe('a clock that stands still', () => {
  test('leaves out the time for which it did, and wakes are later by that', () => {
    const { calendar, domain, guest, clock, seen, at } = world(100n);
    at(25n, () => {
      domain.hold(clock);
      clock.stop(instant(25n));
    });
    at(62n, () => {
      clock.go(instant(62n));
      domain.letGo(clock, 0);
    });
    calendar.start(new Lookahead(1));
    expect(guest.ran).toEqual([0n, 10n, 20n, 30n, 40n, 50n, 60n]);
    expect(seen).toEqual([0n, 10n, 20n, 67n, 77n, 87n, 97n]);
  });

  test('gives the guest its interrupts when it goes on, in their order', () => {
    const { calendar, domain, clock, at } = world(100n);
    const taken: string[] = [];
    const interrupt = (name: string): Interrupt => ({
      participant: clock,
      deliver: (done) => {
        taken.push(`${name} at ${domain.now}`);
        done();
      },
    });
    at(5n, () => domain.hold(clock));
    at(20n, () => domain.raise(0, interrupt('first')));
    at(30n, () => domain.raise(0, interrupt('second')));
    at(50n, () => domain.letGo(clock, 0));
    calendar.start(new Lookahead(1));
    expect(taken).toEqual(['first at 50', 'second at 50']);
  });

  test('never is never, and what is not stopped is not moved', () => {
    const { guest, clock } = world(10n);
    guest.wake = NEVER;
    clock.go(instant(5n));
    expect([clock.wake, clock.inside(NEVER), clock.inside(instant(7n))]).toEqual([NEVER, NEVER, 7n]);
    clock.stop(instant(5n));
    clock.stop(instant(6n));
    clock.go(instant(9n));
    expect([clock.wake, clock.inside(instant(9n))]).toEqual([NEVER, 5n]);
  });
});
