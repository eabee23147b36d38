// SPDX-License-Identifier: MIT
import type { RunResult } from '../backend/run/index.js';
import { packageFile } from '../host/package-root.js';
import { Program } from './program.js';

/** A run may take this long before it gives up by itself, and this long before it is killed. */
const MAX_WALL = '120s';
const LIMIT_MS = 150_000;

/** How a run differs from that of a topology of the benchmark as it is. */
export interface Variant {
  /** The topology's file. */
  readonly file?: string;
  /** More options of `oneclock run`. */
  readonly words?: readonly string[];
  /** More options of Node.js. */
  readonly node?: readonly string[];
  /** A program that runs the command which it is given. */
  readonly through?: readonly string[];
  /** Called when the run is under way. */
  readonly started?: (program: Program) => void;
}

/** What one run of one topology took. */
export interface Sample {
  /** From the start of the command to its end. */
  readonly wallMs: number;
  /** CPU time of the guests. */
  readonly guestCpuMs: number;
  /** CPU time of our process. */
  readonly ownCpuMs: number;
  readonly activations: number;
  readonly events: number;
  readonly virtualNs: string;
  readonly traceHash: string;
}

const MAIN = packageFile('dist/backend/cli/main.js');

/** The command line of `oneclock`, from this checkout. */
export function oneclock(...words: readonly string[]): string[] {
  return [MAIN, ...words];
}

export function topologyFile(name: string): string {
  return packageFile(`bench/topologies/${name}.yaml`);
}

/**
 * `oneclock run` of a topology of the benchmark.
 *
 * @throws where the run did not go as its topology expects
 */
export async function takeSample(topology: string, variant: Variant = {}): Promise<Sample> {
  const { file = topologyFile(topology), words = [], node = [], through = [] } = variant;
  const options = ['--json', '--max-wall', MAX_WALL, ...words];
  const own = node.length === 0 ? [MAIN] : [process.execPath, ...node, MAIN];
  const command = [...through, ...own, 'run', ...options, file];
  const program = new Program(topology, command, { limitMs: LIMIT_MS });
  variant.started?.(program);
  const { status, stdout, stderr, wallMs } = await program.ended;
  if (status !== 0) throw new Error(`the run of ${topology} ended with status ${status}: ${stderr.trim()}`);
  const result = JSON.parse(stdout) as RunResult;
  return {
    wallMs,
    guestCpuMs: Object.values(result.nodes).reduce((sum, { cpuMs }) => sum + cpuMs, 0),
    ownCpuMs: result.cpuMs,
    activations: result.activations,
    events: result.events,
    virtualNs: result.virtualNs,
    traceHash: result.traceHash,
  };
}
