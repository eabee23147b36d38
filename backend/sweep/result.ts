// SPDX-License-Identifier: MIT
import type { RunResult } from '../run/result.js';
import type { Value } from './plan.js';
import type { Summary } from './statistics.js';

/** What `--json` prints of a sweep, and `sweep.json` holds. Fields are only ever added. */
export interface SweepResult {
  /** Of the worst run; `error` where the sweep was ended before its end. */
  readonly status: RunResult['status'];
  readonly exitCode: number;
  /** Why the status is not `ok`. */
  readonly reason: string | null;
  readonly name: string;
  /** The base seed. */
  readonly seed: number | string;
  readonly repeat: number;
  /** Those that the command line names, with their values in the order given. */
  readonly params: readonly SweptParam[];
  /** Names in the order in which the runs told them. */
  readonly metrics: readonly string[];
  readonly combinations: readonly CombinationResult[];
  /** Those that were begun, in the order of the plan. */
  readonly runs: readonly RunRecord[];
  /** How many the plan had. */
  readonly planned: number;
  readonly wallMs: number;
}

export interface SweptParam {
  readonly name: string;
  readonly values: readonly Value[];
}

export interface CombinationResult {
  readonly params: Readonly<Record<string, Value>>;
  readonly ok: number;
  readonly failed: number;
  readonly errors: number;
  /** Of the runs that were `ok`. */
  readonly metrics: Readonly<Record<string, Summary>>;
}

export interface RunRecord {
  readonly params: Readonly<Record<string, Value>>;
  /** From 1. */
  readonly repetition: number;
  readonly seed: number | string;
  readonly status: RunResult['status'];
  readonly exitCode: number;
  readonly reason: string | null;
  /** The run directory, from that of the sweep; null where none was kept. */
  readonly directory: string | null;
  readonly metrics: Readonly<Record<string, number>>;
}
