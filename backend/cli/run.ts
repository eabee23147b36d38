// SPDX-License-Identifier: MIT
import { availableParallelism } from 'node:os';
import type { Duration } from '../calendar/time.js';
import { Run, type RunResult } from '../run/index.js';
import { readTopology } from '../topology/index.js';
import { endOnSignals } from './ending.js';
import { Progress } from './progress.js';
import { summary } from './summary.js';
import { hangMs, toMs } from './wall-bounds.js';

export interface RunCommandOptions {
  readonly out?: string;
  readonly seed?: bigint;
  readonly until?: Duration;
  readonly serial?: boolean;
  readonly jobs?: number;
  readonly maxWall?: Duration;
  readonly hang?: Duration;
  /** False with `--no-shm`. */
  readonly shm: boolean;
  readonly json?: boolean;
}

/** `oneclock run`. @returns the exit status */
export async function run(file: string, options: RunCommandOptions): Promise<number> {
  const topology = readTopology(file, { seed: options.seed, until: options.until });
  const progress = new Progress(process.stderr, options.json !== true);
  // Before anything is there that a signal could leave behind; the handlers run when this function waits.
  let running: Run | undefined;
  const signal = endOnSignals(
    (error) => running?.abort(error),
    () => running?.dispose(),
  );
  running = new Run(topology, {
    out: options.out,
    jobs: options.serial ? 1 : (options.jobs ?? availableParallelism()),
    sharedMemory: options.shm,
    maxWallMs: options.maxWall === undefined ? undefined : toMs(options.maxWall),
    hangMs: hangMs(options.hang),
    progress: (state) => progress.show(state),
  });
  const result = await running.execute();
  progress.end();
  print(result, options.json === true);
  return signal.exitStatus ?? result.exitCode;
}

function print(result: RunResult, json: boolean): void {
  if (json) process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
  else process.stdout.write(summary(result));
  if (result.reason !== null) process.stderr.write(`oneclock: ${result.reason}\n`);
}
