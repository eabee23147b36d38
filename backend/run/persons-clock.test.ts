// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest';
import {
  after,
  Calendar,
  duration,
  type Instant,
  instant,
  Lookahead,
  NEVER,
  type Participant,
  type ParticipantHost,
  ZERO,
} from '../calendar/index.js';
import { PERSONS_LATENCY } from './persons.js';
import { PersonsClock } from './persons-clock.js';

const MS = 1_000_000n;
const STEP = 100_000n;

/** A guest that wants to run every 5 ms of virtual time, and takes some wall time for it. */
class Ticker implements Participant {
  readonly id = 0;
  readonly name = 'ticker';
  readonly runs: { readonly at: bigint; readonly wall: bigint }[] = [];
  now: Instant = ZERO;
  wake: Instant = ZERO;
  host: ParticipantHost | undefined;
  /** When the run that goes on is over, in wall time. */
  busyUntil: bigint | undefined;

  constructor(
    private readonly wall: () => bigint,
    private readonly takes: (at: bigint) => bigint,
  ) {}

  run(at: Instant): void {
    this.now = at;
    this.runs.push({ at, wall: this.wall() });
    this.wake = after(at, duration(5n * MS));
    this.busyUntil = this.wall() + this.takes(at);
  }

  /** Goes on, where its time has come. */
  work(): void {
    if (this.busyUntil === undefined || this.busyUntil > this.wall()) return;
    this.busyUntil = undefined;
    this.host?.quiet();
  }

  curtail(): void {}

  reach(at: Instant): void {
    this.now = at;
  }
}

/** Lets `wallMs` of wall time pass for a guest. */
function pass(wallMs: bigint, takes: (at: bigint) => bigint) {
  let wall = 0n;
  let ended: Instant | undefined;
  const calendar = new Calendar({
    jobs: 1,
    until: instant(1_000n * MS),
    activated: () => undefined,
    barrier: () => undefined,
    ended: (_end, at) => {
      ended = at;
    },
  });
  const domain = calendar.addDomain();
  const clock = new PersonsClock(calendar, undefined, () => wall);
  const ticker = new Ticker(() => wall, takes);
  ticker.host = domain.add(ticker);
  const lookahead = new Lookahead(2);
  lookahead.connect(clock.timeline.index, domain.index, PERSONS_LATENCY);
  calendar.start(lookahead);
  let latest = ZERO;
  for (; wall < wallMs * MS && ended === undefined; wall += STEP) {
    ticker.work();
    clock.step();
    expect(clock.timeline.now).toBeGreaterThanOrEqual(latest);
    latest = clock.timeline.now;
  }
  return { runs: ticker.runs, now: latest, ended, wall };
}

describe('the time of persons', () => {
  test('goes as fast as wall time, and guests no further ahead than what a person does takes', () => {
    const { runs, now } = pass(300n, () => 0n);
    expect(runs.length).toBeGreaterThan(55);
    for (const { at, wall } of runs) expect(at).toBeLessThanOrEqual(wall + PERSONS_LATENCY);
    expect(now).toBeGreaterThan(290n * MS);
    expect(now).toBeLessThanOrEqual(300n * MS);
  });

  test('stands still where a guest needs longer, and does not catch up', () => {
    const { runs, now } = pass(300n, (at) => (at === 50n * MS ? 100n * MS : 0n));
    for (const { at, wall } of runs.filter(({ at }) => at > 50n * MS)) {
      expect(at).toBeLessThanOrEqual(wall - 85n * MS);
    }
    expect(now).toBeLessThanOrEqual(215n * MS);
    expect(now).toBeGreaterThan(185n * MS);
  });

  test('comes to the end of the run', () => {
    const { ended, wall } = pass(2_000n, () => 0n);
    expect(ended).toBe(1_000n * MS);
    expect(wall).toBeGreaterThanOrEqual(999n * MS);
    expect(wall).toBeLessThan(1_010n * MS);
  });

  test('does not end while a guest runs', () => {
    const { ended } = pass(1_500n, () => NEVER);
    expect(ended).toBeUndefined();
  });
});
