// SPDX-License-Identifier: MIT

// decoder.js is left out on purpose: it loads protobufjs, which whoever writes costs does not need.
export { COST_VERSION, MAX_COST_RECORD } from './constants.js';
export { encodeCostHeader, encodeCostSample } from './encoder.js';
export type { CostRecord, CostSample, NodeCost } from './record.js';
