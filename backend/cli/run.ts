// SPDX-License-Identifier: MIT
import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import type { Duration } from '../calendar/time.js';
import { OneclockError } from '../errors.js';
import { Run, type RunResult } from '../run/index.js';
import { readTopology } from '../topology/index.js';
import { endOnSignals } from './ending.js';
import { junit } from './junit.js';
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
  /** Where the report for CI goes. */
  readonly junit?: string;
}

/** `oneclock run`. @returns the exit status */
export async function run(file: string, options: RunCommandOptions): Promise<number> {
  const topology = readTopology(file, { seed: options.seed, until: options.until });
  // Nobody wants to hear of it when the run is over.
  if (options.junit !== undefined) writeReport(options.junit, '');
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
  if (options.junit !== undefined) writeReport(options.junit, junit(result));
  return signal.exitStatus ?? result.exitCode;
}

function writeReport(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (cause) {
    throw new OneclockError('INPUT', `--junit: ${file} cannot be written (${(cause as Error).message})`, {
      cause,
    });
  }
}

function print(result: RunResult, json: boolean): void {
  if (json) process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
  else process.stdout.write(summary(result));
  if (result.reason !== null) process.stderr.write(`oneclock: ${result.reason}\n`);
}
