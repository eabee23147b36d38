// SPDX-License-Identifier: MIT

/** What a file of costs holds: cost.proto in TypeScript. */

/** What a node cost since the sample before. */
export interface NodeCost {
  /** An index in the header's `nodes`. */
  readonly node: number;
  /** Microseconds of wall time for which it was let run. */
  readonly ranUs: number;
  /** How often it was let run. */
  readonly activations: number;
}

export interface CostSample {
  /** Everything before this instant of virtual time, in nanoseconds, has happened. */
  readonly virtualNs: bigint;
  /** Microseconds since the run began. */
  readonly wallUs: number;
  /** Microseconds of CPU time of the controller's process since it began. */
  readonly ownCpuUs: number;
  /** Those that ran, in the order of their indices. */
  readonly nodes: readonly NodeCost[];
}

/** A record. `unknown`: of a kind that was added later. */
export type CostRecord =
  | { readonly what: 'header'; readonly nodes: readonly string[] }
  | { readonly what: 'sample'; readonly sample: CostSample }
  | { readonly what: 'unknown' };
