// SPDX-License-Identifier: MIT

/** The numbers of cost.proto. A unit test proves that they are those of the file. */

/** Header.version. */
export const COST_VERSION = 1;
/** Bytes in a record, without the size before it. */
export const MAX_COST_RECORD = 1_048_576;

export const RecordField = { HEADER: 1, SAMPLE: 2 } as const;
export const HeaderField = { VERSION: 1, NODES: 2 } as const;
export const SampleField = { VIRTUAL_NS: 1, WALL_US: 2, OWN_CPU_US: 3, NODES: 4 } as const;
export const NodeCostField = { NODE: 1, RAN_US: 2, ACTIVATIONS: 3 } as const;
