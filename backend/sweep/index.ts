// SPDX-License-Identifier: MIT
export { type Given, isSweep, readGiven } from './given.js';
export { type Combination, combinationsOf, MAX_RUNS, type Value } from './plan.js';
export { SweepProgress } from './progress.js';
export type { SweepResult, SweptParam } from './result.js';
export { Sweep, type SweptCombination } from './sweep.js';
export { table } from './table.js';
