// SPDX-License-Identifier: MIT
import { Tally } from '../scenario/engine/statistics.js';
import { studentQuantile } from '../scenario/engine/student.js';

const LEVEL = 0.95;

/** Of one metric over the repetitions of one combination. */
export interface Summary {
  /** Runs that count. */
  readonly n: number;
  readonly mean: number;
  /** Of the sample; null of a single run. */
  readonly deviation: number | null;
  /**
   * Half the width of the 95 % confidence interval of the mean, by Student's t: right for runs with seeds of their own, and
   * metrics that are about normally distributed. Null of a single run.
   */
  readonly confidence95: number | null;
  readonly min: number;
  readonly max: number;
}

/** Undefined of no values. */
export function summarize(values: readonly number[]): Summary | undefined {
  if (values.length === 0) return undefined;
  const tally = new Tally();
  for (const value of values) tally.record(value);
  const { count: n, mean, min, max } = tally;
  if (n === 1) return { n, mean, deviation: null, confidence95: null, min, max };
  const { deviation } = tally;
  const confidence95 = (studentQuantile(LEVEL, n - 1) * deviation) / Math.sqrt(n);
  return { n, mean, deviation, confidence95, min, max };
}
