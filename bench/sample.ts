// SPDX-License-Identifier: MIT
import type { RunResult } from '../backend/run/index.js';
import { packageFile } from '../host/package-root.js';
import { Program } from './program.js';

/** A run may take this long before it gives up by itself, and this long before it is killed. */
const MAX_WALL = '120s';
const LIMIT_MS = 150_000;

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

/** The command line of `oneclock`, from this checkout. */
export function oneclock(...words: readonly string[]): string[] {
  return [process.execPath, packageFile('dist/backend/cli/main.js'), ...words];
}

export function topologyFile(name: string): string {
  return packageFile(`bench/topologies/${name}.yaml`);
}

/**
 * `oneclock run` of a topology of the benchmark.
 *
 * @throws where the run did not go as its topology expects
 */
export async function takeSample(topology: string): Promise<Sample> {
  const command = oneclock('run', '--json', '--max-wall', MAX_WALL, topologyFile(topology));
  const { status, stdout, stderr, wallMs } = await new Program(topology, command, { limitMs: LIMIT_MS })
    .ended;
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
