// SPDX-License-Identifier: MIT
import type { BoardEvent } from '../../protocols/board/index.js';
import type { Distribution } from './result.js';

export type Resumed = Extract<BoardEvent, { type: 'resumed' }>;
export type Paused = Extract<BoardEvent, { type: 'paused' }>;

/** A freeze, by the controller's clock and by the boards' own. */
interface Freeze {
  /** What the controller's clock showed when it began, and how much of that was correction; nanoseconds. */
  readonly expected: bigint;
  readonly corrected: bigint;
  /** What the boards' clocks showed, by board. */
  readonly readings: Map<number, bigint>;
}

/** Freezes that some boards have told of and others not are forgotten beyond this many: an agent has lost some. */
const MAX_PENDING = 4096;

/** One board's freezes. */
class Board {
  freezes = 0;
  readonly pauses: number[] = [];
  readonly resumes: number[] = [];
  readonly skews: number[] = [];
  frozenNs = 0n;
  /** The freeze that it tells of next, by number. */
  next = 0;
  /** How far it was ahead of the controller's uncorrected clock at the one before. */
  ahead = 0n;
  present = true;

  constructor(
    readonly zeroNs: bigint,
    readonly number: bigint,
    public frozenBeforeNs: bigint,
  ) {}
}

/**
 * How boards' clocks agree. A board's virtual time is its own CLOCK_MONOTONIC less the time that its module has accounted
 * as frozen; it is 0 where the run begins, while all are frozen. At the beginning of each freeze all of them should show the
 * same (rule T7), and what they do not is their skew.
 */
export class BoardTimes {
  readonly #boards: (Board | undefined)[];
  /** Those that are not compared yet. */
  readonly #freezes: Freeze[] = [];
  /** The number of the first of them. */
  #first = 0;

  constructor(boards: number) {
    this.#boards = Array.from({ length: boards }, () => undefined);
  }

  /**
   * The run begins, and the board is frozen.
   *
   * @param virtualNs its CLOCK_MONOTONIC less the time it was frozen
   * @param pauses how many pauses its module has counted, this one included
   */
  begin(board: number, virtualNs: bigint, pauses: bigint, frozenNs: bigint): void {
    this.#boards[board] = new Board(virtualNs, pauses, frozenNs);
  }

  /** The board takes no part any more. */
  gone(board: number): void {
    const known = this.#boards[board];
    if (known) known.present = false;
  }

  /** How far the board was at a time of its own, in nanoseconds since the run began. */
  sinceBegin(board: number, time: { readonly monotonicNs: bigint; readonly frozenNs: bigint }): bigint {
    const since = time.monotonicNs - time.frozenNs - (this.#boards[board]?.zeroNs ?? 0n);
    return since > 0n ? since : 0n;
  }

  paused(board: number, { number, latencyNs }: Paused): void {
    const known = this.#boards[board];
    if (known && number > known.number) known.pauses.push(Number(latencyNs));
  }

  /** The controller freezes the boards, when its clock shows `expected`, `corrected` of which is correction. */
  freeze(expected: bigint, corrected: bigint): void {
    this.#freezes.push({ expected, corrected, readings: new Map() });
    if (this.#freezes.length > MAX_PENDING) this.#forget(1);
  }

  /** @returns for each freeze that all boards have told of now, what correction their average asks for */
  resumed(board: number, event: Resumed): bigint[] {
    const known = this.#boards[board];
    if (!known) return [];
    if (event.number <= known.number) {
      // The freeze in which the run began counts for nothing.
      known.frozenBeforeNs = event.frozenNs;
      return [];
    }
    known.resumes.push(Number(event.latencyNs));
    known.frozenNs = event.frozenNs - known.frozenBeforeNs;
    known.freezes = Number(event.number - known.number);
    const frozenBefore = event.frozenNs - (event.resumedAtNs - event.pausedAtNs);
    const reading = event.pausedAtNs - frozenBefore - known.zeroNs;
    const freeze = this.#match(known, reading);
    if (freeze === undefined) return [];
    const { expected, corrected, readings } = this.#freezes[freeze] as Freeze;
    readings.set(board, reading);
    known.ahead = reading - (expected - corrected);
    known.next = this.#first + freeze + 1;
    return this.#compare();
  }

  /** Undefined for a board that was never begun. */
  of(board: number):
    | {
        readonly freezes: number;
        readonly frozenNs: bigint;
        readonly pauseNs: Distribution;
        readonly resumeNs: Distribution;
        readonly skewNs: Distribution;
      }
    | undefined {
    const known = this.#boards[board];
    if (!known) return undefined;
    const { freezes, frozenNs, pauses, resumes, skews } = known;
    return {
      freezes,
      frozenNs,
      pauseNs: distribution(pauses),
      resumeNs: distribution(resumes),
      skewNs: distribution(skews),
    };
  }

  /**
   * The place of the freeze that a board tells of: the next one, unless it did not see one that was too short, and a later
   * one is nearer. What it was ahead before it still is, or nearly: that may be more than the freezes are apart.
   */
  #match({ next, ahead }: Board, reading: bigint): number | undefined {
    let place = Math.max(next - this.#first, 0);
    const distance = (at: number) => {
      const { expected, corrected } = this.#freezes[at] as Freeze;
      return magnitude(expected - corrected + ahead - reading);
    };
    if (place >= this.#freezes.length) return undefined;
    while (place + 1 < this.#freezes.length && distance(place + 1) < distance(place)) place++;
    return place;
  }

  /** Compares the clocks at each freeze that nobody will tell of any more. */
  #compare(): bigint[] {
    const present = this.#boards.flatMap((board, place) => (board?.present ? [{ board, place }] : []));
    const told = present.reduce((least, { board }) => Math.min(least, board.next), Number.MAX_SAFE_INTEGER);
    const complete = this.#freezes.slice(0, Math.max(told - this.#first, 0));
    this.#forget(complete.length);
    return complete.flatMap(({ expected, corrected, readings }) => {
      if (present.some(({ place }) => !readings.has(place))) return [];
      const values = [...readings.values()];
      const least = values.reduce((a, b) => (a < b ? a : b));
      const most = values.reduce((a, b) => (a > b ? a : b));
      for (const [index, reading] of readings) {
        const [behind, ahead] = [most - reading, reading - least];
        this.#boards[index]?.skews.push(Number(behind > ahead ? behind : ahead));
      }
      return values.reduce((sum, value) => sum + value, 0n) / BigInt(values.length) - expected + corrected;
    });
  }

  #forget(count: number): void {
    this.#freezes.splice(0, count);
    this.#first += count;
  }
}

function magnitude(value: bigint): bigint {
  return value < 0n ? -value : value;
}

function distribution(values: readonly number[]): Distribution {
  if (values.length === 0) return { mean: 0, p99: 0, max: 0 };
  const sorted = [...values].sort((a, b) => a - b);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const p99 = sorted[Math.ceil(sorted.length * 0.99) - 1] as number;
  return { mean: Math.round(mean), p99, max: sorted.at(-1) as number };
}
