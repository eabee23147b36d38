// SPDX-License-Identifier: MIT
export { type LoadResult, loadTopology, type Overrides } from './load.js';
export { formatMac } from './mac.js';
export type * from './model.js';
export { formatProblem, type Problem, problemsError } from './problem.js';
export { inspectTopology, readTopology } from './read.js';
export { parseTimeOfDay } from './time-of-day.js';
