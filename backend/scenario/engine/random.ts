// SPDX-License-Identifier: MIT
import { type Duration, duration } from '../../calendar/time.js';
import { OneclockError } from '../../errors.js';
import { Random } from '../../network/random.js';
import { readNanoseconds, type Span } from './span.js';

const EXACT = 2 ** 53;

/**
 * A stream of random numbers with a name. Streams of different names do not depend on each other, nor on which others
 * there are: one more random process in a model leaves the draws of the rest as they were.
 *
 * Where a parameter is a span of time (`10ms`, 500n), so is the result: whole nanoseconds, and never negative.
 */
export class RandomStream {
  readonly #names: readonly string[];
  readonly #random: Random;
  /** The polar method makes two normal numbers at a time. */
  #spare: number | undefined;

  constructor(
    private readonly seed: bigint,
    ...names: readonly string[]
  ) {
    this.#names = names;
    this.#random = Random.for(seed, 'script', ...names);
  }

  /** The stream `name` below this one; the same, from its beginning, at each call. */
  split(name: string): RandomStream {
    return new RandomStream(this.seed, ...this.#names, name);
  }

  /** A number from 0 to below 1, in steps of 2^-53. */
  next(): number {
    return this.#random.belowNumber(EXACT) / EXACT;
  }

  /** Evenly from `low` to below `high`. */
  uniform(low: number, high: number): number;
  uniform(low: Span, high: Span): Duration;
  uniform(low: number | Span, high: number | Span): number | Duration {
    const from = value(low);
    const to = value(high);
    check(from <= to, 'uniform', 'the low end must not be above the high one', low, high);
    return like(low, from + (to - from) * this.next());
  }

  /** A whole number from `low` to `high`, both included, each with the same chance. */
  integer(low: number, high: number): number {
    const count = high - low + 1;
    check(
      Number.isSafeInteger(low) && Number.isSafeInteger(high) && count >= 1 && count <= EXACT,
      'integer',
      'the ends must be whole numbers, the low one first',
      low,
      high,
    );
    return low + this.#random.belowNumber(count);
  }

  /** True with the chance `chance`, 0 … 1. */
  bernoulli(chance: number): boolean {
    check(chance >= 0 && chance <= 1, 'bernoulli', 'a chance must be 0 … 1', chance);
    return this.next() < chance;
  }

  /** The time between events that come independently of each other, `mean` apart on average. */
  exponential(mean: number): number;
  exponential(mean: Span): Duration;
  exponential(mean: number | Span): number | Duration {
    const scale = value(mean);
    check(scale >= 0, 'exponential', 'the mean must not be negative', mean);
    return like(mean, -scale * Math.log(1 - this.next()));
  }

  /** As a span of time: 0 where the draw is negative. */
  normal(mean: number, deviation: number): number;
  normal(mean: Span, deviation: Span): Duration;
  normal(mean: number | Span, deviation: number | Span): number | Duration {
    const scale = value(deviation);
    check(scale >= 0, 'normal', 'the deviation must not be negative', deviation);
    return like(mean, value(mean) + scale * this.#standardNormal());
  }

  /** Of a number whose logarithm is normal with `deviation`; `median` is its median. */
  lognormal(median: number, deviation: number): number;
  lognormal(median: Span, deviation: number): Duration;
  lognormal(median: number | Span, deviation: number): number | Duration {
    check(value(median) > 0 && deviation >= 0, 'lognormal', 'the median must be above 0', median, deviation);
    return like(median, value(median) * Math.exp(deviation * this.#standardNormal()));
  }

  /** At least `minimum`; the chance to be above x falls with x to the power of -`shape`. */
  pareto(minimum: number, shape: number): number;
  pareto(minimum: Span, shape: number): Duration;
  pareto(minimum: number | Span, shape: number): number | Duration {
    check(value(minimum) > 0 && shape > 0, 'pareto', 'both must be above 0', minimum, shape);
    return like(minimum, value(minimum) * (1 - this.next()) ** (-1 / shape));
  }

  /** With `shape` 1 it is exponential; above, failures grow more likely with age. */
  weibull(scale: number, shape: number): number;
  weibull(scale: Span, shape: number): Duration;
  weibull(scale: number | Span, shape: number): number | Duration {
    check(value(scale) > 0 && shape > 0, 'weibull', 'both must be above 0', scale, shape);
    return like(scale, value(scale) * (-Math.log(1 - this.next())) ** (1 / shape));
  }

  /** How many events come in a span in which `mean` come on average. */
  poisson(mean: number): number {
    check(mean >= 0 && mean < 2 ** 31, 'poisson', 'the mean must be 0 … 2^31', mean);
    return mean < 30 ? this.#fewEvents(mean) : this.#manyEvents(mean);
  }

  /** One of `items`; with `weights`, each with a chance in proportion to its weight. */
  choice<T>(items: readonly T[], weights?: readonly number[]): T {
    check(items.length > 0, 'choice', 'there must be something to choose from', items.length);
    if (weights === undefined) return items[this.#random.belowNumber(items.length)] as T;
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    check(
      weights.length === items.length && weights.every((weight) => weight >= 0) && total > 0,
      'choice',
      'there must be a weight for each item, none negative, and one above 0',
      ...weights,
    );
    let left = this.next() * total;
    // Rounding may leave something over, which is the last's that has a chance.
    let chosen = 0;
    for (let at = 0; at < items.length; at++) {
      const weight = weights[at] as number;
      if (weight === 0) continue;
      chosen = at;
      left -= weight;
      if (left < 0) break;
    }
    return items[chosen] as T;
  }

  /** `items` in a random order; the list itself is left as it is. */
  shuffle<T>(items: readonly T[]): T[] {
    const shuffled = [...items];
    for (let at = shuffled.length - 1; at > 0; at--) {
      const other = this.#random.belowNumber(at + 1);
      const item = shuffled[at] as T;
      shuffled[at] = shuffled[other] as T;
      shuffled[other] = item;
    }
    return shuffled;
  }

  /** G. Marsaglia's polar method. */
  #standardNormal(): number {
    const spare = this.#spare;
    if (spare !== undefined) {
      this.#spare = undefined;
      return spare;
    }
    for (;;) {
      const x = 2 * this.next() - 1;
      const y = 2 * this.next() - 1;
      const square = x * x + y * y;
      if (square >= 1 || square === 0) continue;
      const factor = Math.sqrt((-2 * Math.log(square)) / square);
      this.#spare = y * factor;
      return x * factor;
    }
  }

  /** Counts events until their time is over. */
  #fewEvents(mean: number): number {
    const limit = Math.exp(-mean);
    let count = -1;
    for (let product = 1; product > limit; product *= 1 - this.next()) count++;
    return count;
  }

  /** PTRS: transformed rejection (W. Hörmann, "The transformed rejection method for generating Poisson random variables", 1993). */
  #manyEvents(mean: number): number {
    const b = 0.931 + 2.53 * Math.sqrt(mean);
    const a = -0.059 + 0.02483 * b;
    const inverse = 1.1239 + 1.1328 / (b - 3.4);
    const accepted = 0.9277 - 3.6224 / (b - 2);
    for (;;) {
      const u = this.next() - 0.5;
      const v = 1 - this.next();
      const us = 0.5 - Math.abs(u);
      if (us === 0) continue;
      const count = Math.floor(((2 * a) / us + b) * u + mean + 0.43);
      if (us >= 0.07 && v <= accepted) return count;
      if (count < 0 || (us < 0.013 && v > us)) continue;
      const left = Math.log((v * inverse) / (a / (us * us) + b));
      if (left <= count * Math.log(mean) - mean - logFactorial(count)) return count;
    }
  }
}

/** The logarithm of `n`!, by Stirling's series above 9. */
function logFactorial(n: number): number {
  if (n < 10) {
    let product = 1;
    for (let factor = 2; factor <= n; factor++) product *= factor;
    return Math.log(product);
  }
  const x = n + 1;
  const series = 1 / (12 * x) - 1 / (360 * x ** 3) + 1 / (1260 * x ** 5);
  return (x - 0.5) * Math.log(x) - x + 0.5 * Math.log(2 * Math.PI) + series;
}

function value(parameter: number | Span): number {
  return typeof parameter === 'number' ? parameter : readNanoseconds(parameter);
}

/** `result` as a number, or as a duration, as `parameter` is. */
function like(parameter: number | Span, result: number): number | Duration {
  return typeof parameter === 'number' ? result : duration(BigInt(result > 0 ? Math.round(result) : 0));
}

function check(right: boolean, what: string, rule: string, ...found: readonly unknown[]): void {
  if (!right) throw new OneclockError('INPUT', `random.${what}: ${rule}; found ${found.join(', ')}`);
}
