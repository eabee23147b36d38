// SPDX-License-Identifier: MIT
import type { Engine } from './engine.js';
import { studentQuantile } from './student.js';

/** Statistics of single observations, such as waiting times. Figures of none are NaN. */
export class Tally {
  #count = 0;
  #mean = 0;
  /** The sum of squared differences from the mean (Welford's method). */
  #squares = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = Number.NEGATIVE_INFINITY;

  record(value: number): void {
    this.#count++;
    const difference = value - this.#mean;
    this.#mean += difference / this.#count;
    this.#squares += difference * (value - this.#mean);
    if (value < this.#min) this.#min = value;
    if (value > this.#max) this.#max = value;
  }

  /** Forgets all, for instance what was recorded while the model warmed up. */
  reset(): void {
    this.#count = 0;
    this.#mean = 0;
    this.#squares = 0;
    this.#min = Number.POSITIVE_INFINITY;
    this.#max = Number.NEGATIVE_INFINITY;
  }

  get count(): number {
    return this.#count;
  }

  get sum(): number {
    return this.#mean * this.#count;
  }

  get mean(): number {
    return this.#count === 0 ? Number.NaN : this.#mean;
  }

  /** Of the sample: the squares are divided by one less than the count. */
  get variance(): number {
    return this.#count < 2 ? Number.NaN : this.#squares / (this.#count - 1);
  }

  /** The standard deviation of the sample. */
  get deviation(): number {
    return Math.sqrt(this.variance);
  }

  get min(): number {
    return this.#count === 0 ? Number.NaN : this.#min;
  }

  get max(): number {
    return this.#count === 0 ? Number.NaN : this.#max;
  }

  /**
   * The confidence interval of the mean, as [low, high]. It is right for observations that do not depend on each
   * other; waiting times in one queue do: use {@link BatchMeans}, or runs with several seeds.
   */
  interval(level = 0.95): [number, number] {
    if (this.#count < 2) return [Number.NaN, Number.NaN];
    const half = studentQuantile(level, this.#count - 1) * Math.sqrt(this.variance / this.#count);
    return [this.#mean - half, this.#mean + half];
  }
}

/**
 * The mean of observations that depend on their neighbours: the means of batches hardly do, if a batch is long
 * against the span over which they do.
 */
export class BatchMeans {
  /** The means of the full batches. */
  readonly batches = new Tally();
  readonly #batch = new Tally();

  /** @param size observations in a batch */
  constructor(readonly size: number) {}

  record(value: number): void {
    this.#batch.record(value);
    if (this.#batch.count < this.size) return;
    this.batches.record(this.#batch.mean);
    this.#batch.reset();
  }

  get mean(): number {
    return this.batches.mean;
  }

  /** The confidence interval of the mean, as [low, high]. */
  interval(level = 0.95): [number, number] {
    return this.batches.interval(level);
  }
}

/** Statistics of what has a value at every instant, such as the length of a queue; each value counts as it lasts. */
export class TimeWeighted {
  #value: number;
  #min: number;
  #max: number;
  #begun: number;
  #since: number;
  /** Values times nanoseconds, and their squares, up to `since`. */
  #area = 0;
  #squares = 0;

  constructor(
    private readonly engine: Engine,
    initial = 0,
  ) {
    this.#value = initial;
    this.#min = initial;
    this.#max = initial;
    this.#begun = engine.nanoseconds;
    this.#since = this.#begun;
  }

  get value(): number {
    return this.#value;
  }

  set(value: number): void {
    const now = this.engine.nanoseconds;
    const area = this.#value * (now - this.#since);
    this.#area += area;
    this.#squares += this.#value * area;
    this.#since = now;
    this.#value = value;
    if (value < this.#min) this.#min = value;
    if (value > this.#max) this.#max = value;
  }

  add(difference: number): void {
    this.set(this.#value + difference);
  }

  /** Forgets all but the value, for instance when the model has warmed up. */
  reset(): void {
    this.#begun = this.engine.nanoseconds;
    this.#since = this.#begun;
    this.#area = 0;
    this.#squares = 0;
    this.#min = this.#value;
    this.#max = this.#value;
  }

  /** Over the time since the beginning; the value where no time has passed. */
  get mean(): number {
    const now = this.engine.nanoseconds;
    if (now === this.#begun) return this.#value;
    return (this.#area + this.#value * (now - this.#since)) / (now - this.#begun);
  }

  get deviation(): number {
    const now = this.engine.nanoseconds;
    if (now === this.#begun) return 0;
    const squares = this.#squares + this.#value * this.#value * (now - this.#since);
    return Math.sqrt(Math.max(0, squares / (now - this.#begun) - this.mean ** 2));
  }

  get min(): number {
    return this.#min;
  }

  get max(): number {
    return this.#max;
  }
}
