// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import {
  Calendar,
  type CalendarEvent,
  type Duration,
  duration,
  EventKind,
  earlier,
  type Instant,
  instant,
  Lookahead,
  NEVER,
  type Participant,
  type ParticipantHost,
  REAL_TIME_WINDOW,
  ZERO,
} from './index.js';
import { type Model, numbers, randomModel, referenceTrace } from './testing/model.js';
import { RealTimeWorld } from './testing/real-time-model.js';

const EXACT = { overrun: duration(0n), straight: false };
/** Nanoseconds of one step of the models: the longest window is far off, near, and in the middle of what they do. */
const SCALES = [1n, 1_000n, 1_000_000n];

/** Orders records of one instant by node, and leaves each node's own order as it was. */
function canonical(trace: readonly string[]): string {
  return trace
    .map((record) => ({ record, key: record.split(' ', 2).map(Number) as [number, number] }))
    .sort(({ key: a }, { key: b }) => a[0] - b[0] || a[1] - b[1])
    .map(({ record }) => record)
    .join('\n');
}

/** Random topologies, one node of each a board, with the end of the run. */
function* models(
  count: number,
): Generator<{ name: string; model: Model; board: number; until: Instant; seed: number }> {
  for (let seed = 1; seed <= count; seed++) {
    const scale = SCALES[seed % SCALES.length] as bigint;
    const board = seed % 5 === 0 ? 0 : seed % randomModel(seed).nodes.length;
    const model = randomModel(seed, scale, board);
    const until = instant(BigInt(300 + (seed % 2000)) * scale);
    yield { name: `seed ${seed}, scale ${scale}`, model, board, until, seed };
  }
}

describe('a timeline in real time', () => {
  // T1, T2 and T6 are asserted by the nodes of the model and by the domains.
  it.each([1, 2, 16])(
    'gives the trace of the plain calendar where it is stopped in time: %i at once',
    (jobs) => {
      let freezes = 0;
      for (const { name, model, board, until, seed } of models(600)) {
        const world = new RealTimeWorld(model, board, jobs, numbers(seed + jobs), until, EXACT);
        expect(canonical(world.run()), name).toBe(canonical(referenceTrace(model, until)));
        expect(world.worstLateness, name).toBe(0n);
        freezes += world.freezes;
      }
      expect(freezes).toBeGreaterThan(100);
    },
  );

  it.each([1, 16])(
    'comes to the end, and is late by its overrun at most, where it is stopped late: %i at once',
    (jobs) => {
      let late = 0;
      for (const { name, model, board, until, seed } of models(600)) {
        const overrun = duration(until / 20n);
        const world = new RealTimeWorld(model, board, jobs, numbers(seed), until, {
          overrun,
          straight: false,
        });
        world.run();
        if (world.worstLateness > 0n) late++;
        expect(world.worstLateness, name).toBeLessThanOrEqual(overrun);
      }
      expect(late).toBeGreaterThan(100);
    },
  );

  it('is not looked at more often than something happens, and every 10 ms', () => {
    for (const { name, model, board, until, seed } of models(600)) {
      const pace = { overrun: duration(0n), straight: true };
      const { fake } = runOf(new RealTimeWorld(model, board, 4, numbers(seed), until, pace));
      const { events, activations } = fake.calendar;
      const most = 2 * (events + activations + model.links.length + Number(until / REAL_TIME_WINDOW) + 1);
      expect(fake.barriers, name).toBeLessThanOrEqual(most);
    }
  });
});

describe('boards whose guests take no time', () => {
  it('are never frozen', () => {
    const pace = { overrun: duration(0n), straight: true, quick: true };
    for (const { name, model, board, until, seed } of models(600)) {
      const world = runOf(new RealTimeWorld(model, board, 1 + (seed % 4), numbers(seed), until, pace));
      expect(world.freezes, name).toBe(0);
    }
  });
});

function runOf(world: RealTimeWorld): RealTimeWorld {
  world.run();
  return world;
}

/** A guest that wants to run once each `period`, and is done at once. */
class Ticker implements Participant {
  readonly id = 1;
  readonly name = 'ticker';
  now: Instant = ZERO;
  host: ParticipantHost | undefined;

  constructor(readonly period: Duration) {}

  get wake(): Instant {
    return instant(this.now + this.period);
  }

  run(at: Instant): void {
    this.now = at;
    this.host?.quiet();
  }

  curtail(): void {}

  reach(at: Instant): void {
    this.now = at;
  }
}

function calendarOf(until: Instant): { calendar: Calendar; ends: string[] } {
  const ends: string[] = [];
  const calendar = new Calendar({
    jobs: 1,
    until,
    activated: () => undefined,
    barrier: () => undefined,
    ended: (end, at) => ends.push(`${end} ${at}`),
  });
  return { calendar, ends };
}

const MS = 1_000_000n;

describe('guests and boards that cannot reach each other', () => {
  it('are never further apart than the window', () => {
    const { calendar, ends } = calendarOf(instant(100n * MS));
    let now = ZERO;
    const boards = calendar.addRealTime(() => now);
    const ticker = new Ticker(duration(MS));
    ticker.host = calendar.addDomain().add(ticker);
    calendar.start(new Lookahead(2));
    for (; ends.length === 0; now = earlier(boards.horizon, instant(now + MS / 3n))) {
      calendar.resume();
      expect(ticker.now - now).toBeLessThan(REAL_TIME_WINDOW);
      expect(boards.horizon - ticker.now).toBeLessThanOrEqual(REAL_TIME_WINDOW + MS);
    }
    expect(ticker.now).toBe(99n * MS);
    expect(ends).toEqual([`until ${100n * MS}`]);
  });

  it('stop where a guest does not answer', () => {
    const { calendar } = calendarOf(instant(100n * MS));
    const boards = calendar.addRealTime(() => instant(3n * MS));
    const ticker = new Ticker(duration(MS));
    calendar.addDomain().add(ticker);
    calendar.start(new Lookahead(2));
    // It runs, and was not heard of since.
    expect(calendar.waiting).toBe(false);
    expect(calendar.wake).toBe(NEVER);
    expect(boards.horizon).toBe(MS + REAL_TIME_WINDOW);
  });
});

describe('a calendar with boards', () => {
  it('ends at once where it only waits for them', () => {
    const { calendar, ends } = calendarOf(NEVER);
    calendar.addRealTime(() => instant(7n));
    calendar.start(new Lookahead(1));
    expect([calendar.waiting, ends]).toEqual([true, []]);
    calendar.finish();
    expect(ends).toEqual(['finished 7']);
  });

  it('comes to no end while boards may still do something', () => {
    const { calendar, ends } = calendarOf(NEVER);
    let now = ZERO;
    const boards = calendar.addRealTime(() => now);
    calendar.start(new Lookahead(1));
    for (let i = 0; i < 100; i++) {
      expect(boards.horizon - now).toBe(REAL_TIME_WINDOW);
      now = calendar.wake;
      calendar.resume();
    }
    expect([now, ends]).toEqual([100n * REAL_TIME_WINDOW, []]);
  });

  it('has one timeline for them', () => {
    const { calendar } = calendarOf(NEVER);
    calendar.addRealTime(() => ZERO);
    expect(() => calendar.addRealTime(() => ZERO)).toThrow('one timeline in real time');
  });

  it('keeps to a change of latency that comes while a board acts', () => {
    const { calendar } = calendarOf(instant(100n * MS));
    let now = ZERO;
    const boards = calendar.addRealTime(() => now);
    const ticker = new Ticker(duration(NEVER));
    const domain = calendar.addDomain();
    ticker.host = domain.add(ticker);
    const lookahead = new Lookahead(2);
    const way = lookahead.connect(boards.index, domain.index, duration(5n * MS));
    const reached: bigint[] = [];
    calendar.at(instant(2n * MS), () => lookahead.change(way, duration(1n)));
    calendar.start(lookahead);
    const post = (latency: bigint) =>
      boards.post(domain, {
        at: instant(now + latency),
        kind: EventKind.FRAME,
        source: 0,
        sequence: reached.length,
        apply: () => reached.push(domain.now),
      });
    expect(boards.horizon).toBe(2n * MS);
    now = instant(2n * MS - 1n);
    post(5n * MS);
    calendar.resume();
    now = instant(2n * MS);
    calendar.resume();
    post(1n);
    for (; now < 8n * MS; now = instant(now + 1_000n)) calendar.resume();
    expect(reached).toEqual([2n * MS + 1n, 7n * MS - 1n]);
  });
});

describe('what reaches boards', () => {
  function timeline() {
    const { calendar } = calendarOf(NEVER);
    const at = { now: ZERO };
    const boards = calendar.addRealTime(() => at.now);
    const seen: string[] = [];
    const event = (due: bigint, source: number): CalendarEvent => ({
      at: instant(due),
      kind: EventKind.FRAME,
      source,
      sequence: 0,
      apply: () => seen.push(`${due}/${source} at ${at.now}`),
    });
    return { at, boards, seen, event };
  }

  it('waits for its instant, in the order of time and source', () => {
    const { at, boards, seen, event } = timeline();
    for (const each of [event(30n, 0), event(20n, 2), event(20n, 1), event(10n, 9)]) boards.accept(each);
    boards.post(boards, event(20n, 0));
    expect(boards.due).toBe(10n);
    boards.deliver();
    expect(seen).toEqual([]);
    at.now = instant(10n);
    boards.deliver();
    at.now = instant(20n);
    boards.deliver();
    expect(seen).toEqual(['10/9 at 10', '20/0 at 20', '20/1 at 20', '20/2 at 20']);
    expect([boards.due, boards.events, boards.worstLateness]).toEqual([30n, 4, 0n]);
  });

  it('is not lost where it is late, and says how late', () => {
    const { at, boards, seen, event } = timeline();
    at.now = instant(100n);
    boards.accept(event(40n, 0));
    boards.accept(event(90n, 0));
    boards.deliver();
    expect(seen).toEqual(['40/0 at 100', '90/0 at 100']);
    expect([boards.due, boards.worstLateness]).toEqual([NEVER, 60n]);
  });

  it('may be caused by what has just come', () => {
    const { at, boards, seen, event } = timeline();
    at.now = instant(50n);
    boards.accept({ ...event(10n, 0), apply: () => boards.accept(event(50n, 1)) });
    boards.deliver();
    expect(seen).toEqual(['50/1 at 50']);
  });

  it('may be answered, and boards go no further than to where the answer could be', () => {
    const { calendar } = calendarOf(NEVER);
    const boards = calendar.addRealTime(() => ZERO);
    const idle = calendar.addDomain();
    const busy = calendar.addDomain();
    busy.add(new Ticker(duration(MS)));
    const lookahead = new Lookahead(3);
    lookahead.connect(boards.index, idle.index, duration(20n));
    lookahead.connect(idle.index, boards.index, duration(3n));
    calendar.start(lookahead);
    expect(calendar.waiting).toBe(false);
    expect(boards.horizon).toBe(REAL_TIME_WINDOW);
    boards.post(idle, {
      at: instant(20n),
      kind: EventKind.FRAME,
      source: 0,
      sequence: 0,
      apply: () => undefined,
    });
    expect(boards.horizon).toBe(23n);
  });
});
