// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { numbers } from '../calendar/testing/model.js';
import { BoardTimes, type Paused, type Resumed } from './board-times.js';

/** A board as its module sees it: a clock of its own, how often it was paused, and for how long. */
class ModelBoard {
  frozen = 0n;
  number: bigint;
  /** What its virtual clock showed where the run began. */
  zero = 0n;
  #pausedAt = 0n;

  constructor(
    /** Its CLOCK_MONOTONIC when the machine's is 0. */
    private readonly offset: bigint,
    /** Pauses and frozen time of other runs before. */
    { number = 0n, frozen = 0n } = {},
    /** Billionths by which its clock is too fast. */
    private readonly drift = 0n,
  ) {
    this.number = number;
    this.frozen = frozen;
  }

  at(wall: bigint): bigint {
    return this.offset + wall + (wall * this.drift) / 1_000_000_000n;
  }

  /** What its virtual clock shows while it is frozen. */
  get virtual(): bigint {
    return this.#pausedAt - this.frozen;
  }

  pause(wall: bigint, latencyNs = 1n): Paused {
    this.number++;
    this.#pausedAt = this.at(wall);
    return { type: 'paused', number: this.number, pausedAtNs: this.#pausedAt, latencyNs, spreadNs: 0n };
  }

  resume(wall: bigint, latencyNs = 1n): Resumed {
    const resumedAtNs = this.at(wall);
    this.frozen += resumedAtNs - this.#pausedAt;
    return {
      type: 'resumed',
      number: this.number,
      pausedAtNs: this.#pausedAt,
      resumedAtNs,
      latencyNs,
      frozenNs: this.frozen,
      watchdogReleases: 0n,
    };
  }
}

/** Boards that are paused at 1000 and let go at 5000; the run begins in between. */
function begun(...boards: ModelBoard[]): BoardTimes {
  const times = new BoardTimes(boards.length);
  boards.forEach((board, place) => {
    board.pause(1_000n);
    board.zero = board.virtual;
    times.begin(place, board.virtual, board.number, board.frozen);
  });
  boards.forEach((board, place) => {
    expect(times.resumed(place, board.resume(5_000n))).toEqual([]);
  });
  return times;
}

const NONE = { mean: 0, p99: 0, max: 0 };
const same = (value: number) => ({ mean: value, p99: value, max: value });

describe('the times of boards', () => {
  it('begin at zero: what was before, the freeze in which the run begins included, counts for nothing', () => {
    const times = begun(new ModelBoard(77n), new ModelBoard(1n << 62n, { number: 40n, frozen: 9_999n }));
    for (const place of [0, 1]) {
      expect(times.of(place)).toEqual({
        freezes: 0,
        frozenNs: 0n,
        pauseNs: NONE,
        resumeNs: NONE,
        skewNs: NONE,
      });
    }
  });

  it('are nothing of a board that never began', () => {
    const times = new BoardTimes(2);
    const board = new ModelBoard(0n);
    times.paused(0, board.pause(10n));
    expect(times.resumed(0, board.resume(20n))).toEqual([]);
    times.gone(0);
    expect(times.of(0)).toBeUndefined();
    expect(times.of(7)).toBeUndefined();
  });

  it('have freezes, frozen time, latencies and skew, exactly', () => {
    const [a, b, c] = [new ModelBoard(5n), new ModelBoard(1_000_000n, { number: 3n }), new ModelBoard(0n)];
    const times = begun(a, b, c);
    // They ran for 2000, and were paused 10, 25 and 60 later.
    times.freeze(2_000n, 0n);
    times.paused(0, a.pause(7_010n, 100n));
    times.paused(1, b.pause(7_025n, 200n));
    times.paused(2, c.pause(7_060n, 300n));
    expect(times.resumed(0, a.resume(8_010n, 11n))).toEqual([]);
    expect(times.resumed(1, b.resume(8_025n, 12n))).toEqual([]);
    expect(times.of(0)?.skewNs).toEqual(NONE);
    expect(times.resumed(2, c.resume(8_160n, 13n))).toEqual([(10n + 25n + 60n) / 3n]);
    expect(times.of(0)).toEqual({
      freezes: 1,
      frozenNs: 1_000n,
      pauseNs: same(100),
      resumeNs: same(11),
      skewNs: same(50),
    });
    expect(times.of(1)).toMatchObject({ frozenNs: 1_000n, skewNs: same(35) });
    expect(times.of(2)).toMatchObject({ frozenNs: 1_100n, skewNs: same(50) });
    // c was let go 100 later than it was paused against the others: it is 60 - 150 now.
    times.freeze(4_000n, 0n);
    for (const [place, board] of [a, b, c].entries()) {
      times.paused(place, board.pause(10_000n));
      times.resumed(place, board.resume(10_500n));
    }
    // They stand at 2010 + 1990, 2025 + 1975 and 2060 + 1840.
    expect(times.of(0)?.skewNs).toEqual({ mean: 75, p99: 100, max: 100 });
    expect(times.of(1)?.skewNs).toEqual({ mean: 68, p99: 100, max: 100 });
    expect(times.of(2)).toMatchObject({ freezes: 2, frozenNs: 1_600n, skewNs: { mean: 75, max: 100 } });
  });

  it('do not depend on the order in which boards tell of them', () => {
    const boards = [new ModelBoard(0n), new ModelBoard(9n)];
    const times = begun(...boards);
    const told: Resumed[][] = [[], []];
    for (let freeze = 1n; freeze <= 3n; freeze++) {
      times.freeze(freeze * 1_000n, 0n);
      for (const [place, board] of boards.entries()) {
        board.pause(5_000n + freeze * 2_000n + BigInt(place) * 8n - 1_000n);
        told[place]?.push(board.resume(5_000n + freeze * 2_000n + BigInt(place) * 8n));
      }
    }
    for (const event of told[1] ?? []) expect(times.resumed(1, event)).toEqual([]);
    const corrections = (told[0] ?? []).flatMap((event) => times.resumed(0, event));
    // The second is 8 later each time, but in the beginning: it stays so far ahead.
    expect(corrections).toEqual([4n, 4n, 4n]);
    expect(times.of(0)?.skewNs).toEqual(same(8));
  });

  it('leave out a freeze that was too short for one board', () => {
    const [a, b] = [new ModelBoard(0n), new ModelBoard(100n)];
    const times = begun(a, b);
    const both = (wall: bigint) => {
      a.pause(wall);
      b.pause(wall + 6n);
      return [times.resumed(0, a.resume(wall + 100n)), times.resumed(1, b.resume(wall + 100n + 6n))] as const;
    };
    times.freeze(10_000n, 0n);
    expect(both(15_000n)[1]).toEqual([3n]);
    // Only the first board sees this one.
    times.freeze(20_000n, 0n);
    a.pause(25_100n);
    expect(times.resumed(0, a.resume(25_104n))).toEqual([]);
    times.freeze(30_000n, 0n);
    const [first, second] = both(35_104n);
    expect(first).toEqual([]);
    // It went on for 4 while the first stood.
    expect(second).toEqual([5n]);
    expect(times.of(0)).toMatchObject({ freezes: 3, skewNs: { mean: 8, max: 10 } });
    expect(times.of(1)).toMatchObject({ freezes: 2, skewNs: { mean: 8, max: 10 } });
  });

  it('wait no more for a board that has gone', () => {
    const [a, b, c] = [new ModelBoard(0n), new ModelBoard(0n), new ModelBoard(0n)];
    const times = begun(a, b, c);
    const freeze = (place: number, board: ModelBoard, wall: bigint) => {
      board.pause(wall);
      return times.resumed(place, board.resume(wall + 100n));
    };
    times.freeze(10_000n, 0n);
    expect(freeze(0, a, 15_000n)).toEqual([]);
    times.gone(2);
    expect(freeze(1, b, 15_010n)).toEqual([5n]);
    expect(times.of(2)).toMatchObject({ freezes: 0 });
    times.freeze(20_000n, 0n);
    expect(freeze(0, a, 25_100n)).toEqual([]);
    expect(freeze(1, b, 25_110n)).toEqual([5n]);
    times.gone(1);
    times.freeze(30_000n, 0n);
    expect(freeze(0, a, 35_200n)).toEqual([0n]);
  });

  it('compare what all boards that are left saw, whatever one that has gone saw', () => {
    const [a, b, c] = [new ModelBoard(0n), new ModelBoard(0n), new ModelBoard(0n)];
    const times = begun(a, b, c);
    const freeze = (place: number, board: ModelBoard, wall: bigint) => {
      board.pause(wall);
      return times.resumed(place, board.resume(wall + 100n));
    };
    // The second board misses it, and the third, which has seen it, goes.
    times.freeze(10_000n, 0n);
    freeze(0, a, 15_000n);
    freeze(2, c, 15_000n);
    times.gone(2);
    times.freeze(20_000n, 0n);
    freeze(0, a, 25_100n);
    expect(freeze(1, b, 25_000n)).toEqual([0n]);
  });

  it('say how far a board was at a time of its own', () => {
    const [a, b] = [new ModelBoard(0n), new ModelBoard(500n, { frozen: 50n })];
    const times = begun(a, b);
    expect(times.sinceBegin(0, { monotonicNs: 6_000n, frozenNs: 4_000n })).toBe(1_000n);
    expect(times.sinceBegin(1, { monotonicNs: b.at(6_000n), frozenNs: b.frozen })).toBe(1_000n);
    // Something of before the run.
    expect(times.sinceBegin(0, { monotonicNs: 500n, frozenNs: 0n })).toBe(0n);
  });

  it('are bounded in what they keep of boards that tell nothing', () => {
    const [a, b] = [new ModelBoard(0n), new ModelBoard(0n)];
    const times = begun(a, b);
    for (let freeze = 1n; freeze <= 10_000n; freeze++) times.freeze(freeze * 1_000n, 0n);
    const late = 10_000n * 1_000n;
    a.pause(5_000n + late);
    expect(times.resumed(0, a.resume(6_000n + late))).toEqual([]);
    b.pause(5_004n + late);
    expect(times.resumed(1, b.resume(6_000n + late))).toEqual([2n]);
  });

  it('have the mean of one board, whose skew is nothing', () => {
    const board = new ModelBoard(0n);
    const times = begun(board);
    times.freeze(1_000n, 300n);
    board.pause(6_250n);
    // It is 250 further, besides the 300 that are in the clock already.
    expect(times.resumed(0, board.resume(7_000n))).toEqual([550n]);
    expect(times.of(0)).toMatchObject({ freezes: 1, frozenNs: 750n, skewNs: NONE });
  });

  it('match what was seen with what was meant, with drift, delays, and freezes that some miss', () => {
    let compared = 0;
    for (let seed = 1; seed <= 30; seed++) {
      const random = numbers(seed);
      const some = (below: number) => BigInt(random(below));
      const delays = Array.from({ length: 3 }, () => some(20_000));
      const boards = delays.map(() => new ModelBoard(some(1_000_000_000), {}, some(40_000) - 20_000n));
      const times = begun(...boards);
      let wall = 5_000n;
      let expected = 0n;
      let worst = 0;
      for (let freeze = 0; freeze < 500; freeze++) {
        const ran = 200_000n + some(5_000_000);
        wall += ran;
        expected += ran;
        times.freeze(expected, 0n);
        const missed = random(20) === 0 ? random(3) : -1;
        const pause = missed < 0 ? 1_000_000n + some(5_000_000) : 1n;
        const readings: bigint[] = [];
        const corrections = boards.flatMap((board, place) => {
          if (place === missed) return [];
          board.pause(wall + (delays[place] as bigint));
          readings.push(board.virtual - board.zero);
          return times.resumed(place, board.resume(wall + pause + (delays[place] as bigint)));
        });
        wall += pause;
        if (missed >= 0) {
          expect(corrections, `seed ${seed}, freeze ${freeze}`).toEqual([]);
          continue;
        }
        compared++;
        const mean = readings.reduce((sum, reading) => sum + reading, 0n) / 3n;
        expect(corrections, `seed ${seed}, freeze ${freeze}`).toEqual([mean - expected]);
        const [least, , most] = readings.sort((a, b) => Number(a - b)) as [bigint, bigint, bigint];
        worst = Math.max(worst, Number(most - least));
      }
      expect(Math.max(...boards.map((_, place) => times.of(place)?.skewNs.max ?? 0))).toBe(worst);
    }
    expect(compared).toBeGreaterThan(10_000);
  });
});
