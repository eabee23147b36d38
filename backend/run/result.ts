// SPDX-License-Identifier: MIT
import type { ExitStatus } from '../errors.js';

/** How a node stood at the end of a run. */
export type NodeState = 'exited' | 'running' | 'killed' | 'hung' | 'evicted' | 'crashed';

export interface NodeResult {
  readonly kind: 'uml' | 'kvm' | 'board' | 'partition' | 'script';
  readonly state: NodeState;
  /** Exit status of `run`; null where it has not exited. */
  readonly exit: number | null;
  /** The signal that ended `run`; null where none did. */
  readonly signal: number | null;
  /** Virtual time at which `run` ended, or the guest failed; nanoseconds, decimal. */
  readonly endedNs: string | null;
  /** CPU time of the guest's processes on this machine. */
  readonly cpuMs: number;
  /** Why it failed. */
  readonly reason: string | null;
  /** What the topology expects of it, in words: `exits with 0`, `is running at the end`; null: nothing. */
  readonly expected: string | null;
  /** Why that is not what came; null where it is. */
  readonly unmet: string | null;
}

/** Of some number of measurements; nanoseconds. */
export interface Distribution {
  readonly mean: number;
  readonly p99: number;
  readonly max: number;
}

/** What the result says of a board besides. */
export interface BoardResult extends NodeResult {
  /** How often it was frozen after the run had begun, and for how long in all; nanoseconds, decimal. */
  readonly freezes: number;
  readonly frozenNs: string;
  /** The fraction of wall time for which it was frozen. */
  readonly frozenFraction: number;
  /** From the edge of the line until every process was told to stop, and to go on. */
  readonly pauseNs: Distribution;
  readonly resumeNs: Distribution;
  /** At the beginning of each freeze: how far its clock was from that of the board that differed most. */
  readonly skewNs: Distribution;
  /** Whether its processes see the time for which they are frozen: `hidden` or `visible`. */
  readonly clock: string;
  /** Of a board elsewhere, by interface: what its cable to this machine has carried. */
  readonly interfaces?: Readonly<Record<string, CardResult>>;
}

/** Frames at a network interface of this machine. */
export interface CardResult {
  /** From the board. */
  readonly received: number;
  /** To the board. */
  readonly sent: number;
  /** That got no further, in either direction. */
  readonly dropped: number;
}

export interface LinkResult {
  readonly frames: number;
  readonly bytes: number;
  readonly dropped: number;
}

export interface WireResult {
  /** Changes of its level. */
  readonly edges: number;
  /** How often pins began to drive it against each other. */
  readonly conflicts: number;
}

/** A variable that guests share. */
export interface SharedResult {
  /** Changes that guests have made. */
  readonly changes: number;
  /** Updates that were stored in guests. */
  readonly stores: number;
}

/** How the script of a run ended. */
export interface ScriptResult {
  /** `waiting`: the run ended before it. */
  readonly state: 'ended' | 'failed' | 'waiting';
  /** Virtual time of that; nanoseconds, decimal. */
  readonly endedNs: string;
  /** What it returned, as JSON has it; null where that is nothing. */
  readonly output: unknown;
  /** What it threw, or what it waited for; null where it ended well. */
  readonly error: string | null;
  /** In the order in which they were looked at. */
  readonly expectations: readonly ExpectationResult[];
}

/** Something that a script expected. */
export interface ExpectationResult {
  readonly text: string;
  readonly met: boolean;
  /** Virtual time; nanoseconds, decimal. */
  readonly atNs: string;
  /** The node that it is about; null where it is about none. */
  readonly node: string | null;
}

/** What `--json` prints and `result.json` holds. Fields are only ever added. */
export interface RunResult {
  readonly status: 'ok' | 'failed' | 'error';
  readonly exitCode: ExitStatus;
  /** Why the status is not `ok`. */
  readonly reason: string | null;
  readonly name: string;
  /** Virtual time at the end; nanoseconds, decimal. */
  readonly virtualNs: string;
  /** Wall time from the first guest's start to the end. */
  readonly wallMs: number;
  /** CPU time of this process over the whole of its life. */
  readonly cpuMs: number;
  readonly seed: number | string;
  readonly events: number;
  readonly activations: number;
  readonly traceHash: string;
  readonly nodes: Readonly<Record<string, NodeResult | BoardResult>>;
  readonly links: Readonly<Record<string, LinkResult>>;
  readonly wires: Readonly<Record<string, WireResult>>;
  readonly shared: Readonly<Record<string, SharedResult>>;
  /** Of a run with a script. */
  readonly script?: ScriptResult;
}

/** `nanoseconds` with the precision a person reads. */
export function milliseconds(value: number): number {
  return Math.round(value * 10) / 10;
}

/** A seed as results have it: a number where that is exact. */
export function seedOf(seed: bigint): number | string {
  return seed <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(seed) : seed.toString();
}
