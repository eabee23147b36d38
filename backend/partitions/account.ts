// SPDX-License-Identifier: MIT
import { LINES, type Warp } from '../../protocols/hypercall/index.js';
import { type Duration, type Instant, later } from '../calendar/time.js';
import { invariant } from '../errors.js';

const MAX_PENDING = 0xffff_ffff;

/**
 * What a partition has missed while it was away: `struct oneclock_hc_warp`, which says what counts as missed. What is not
 * acknowledged is told again, with what came after it.
 */
export class Account {
  #sequence = 0n;
  /** When the first absence began that is not acknowledged. */
  #left: Instant | undefined;
  #ticks = 0n;
  #pending = new Array<number>(LINES).fill(0);

  /** @param since when the partition began to count: its ticks are at `since` + `period`, `since` + 2 periods … */
  constructor(
    private readonly since: Instant,
    private readonly period: Duration,
  ) {}

  /** Before the first absence: nothing was missed. */
  first(slotEnd: Instant): Warp {
    return { ...this.#warp(this.since, slotEnd), left: this.since };
  }

  /** Keeps interrupts of a line for the next warp. */
  keep(line: number, count = 1): void {
    this.#pending[line] = Math.min((this.#pending[line] as number) + count, MAX_PENDING);
  }

  /** The partition enters, up to `slotEnd`, and was away since `left`. */
  enter(left: Instant, entered: Instant, slotEnd: Instant): Warp {
    invariant(
      left > this.since && entered >= left,
      () => `expected ${this.since} before ${left} and that not after ${entered}`,
    );
    this.#sequence++;
    this.#left ??= left;
    this.#ticks += this.#ticksTo(entered) - this.#ticksTo((left - 1n) as Instant);
    return this.#warp(entered, slotEnd);
  }

  /**
   * The partition has applied the warp `sequence`.
   *
   * @returns the sequence of the present warp: where that is another one, nothing was acknowledged
   * @throws Error where there was no such warp
   */
  acknowledge(sequence: bigint): bigint {
    if (sequence < 1n || sequence > this.#sequence) {
      throw new Error(`expected the sequence of a warp, 1 to ${this.#sequence}, found ${sequence}`);
    }
    if (sequence === this.#sequence) {
      this.#left = undefined;
      this.#ticks = 0n;
      this.#pending.fill(0);
    }
    return this.#sequence;
  }

  #ticksTo(at: Instant): bigint {
    return (later(at, this.since) - this.since) / this.period;
  }

  #warp(entered: Instant, slotEnd: Instant): Warp {
    return {
      sequence: this.#sequence,
      left: this.#left ?? entered,
      entered,
      slotEnd,
      ticks: this.#ticks,
      pending: [...this.#pending],
    };
  }
}
