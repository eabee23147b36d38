// SPDX-License-Identifier: MIT
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { parse, resolve } from 'node:path';
import type { Duration } from '../calendar/time.js';
import { OneclockError } from '../errors.js';
import { Run, type RunOptions, type RunResult } from '../run/index.js';
import type { Alone } from '../scenario/alone.js';
import { isScript } from '../scenario/is-script.js';
import { type Given, isSweep, readGiven } from '../sweep/given.js';
import { readTopology } from '../topology/index.js';
import { endOnSignals } from './ending.js';
import { Progress } from './progress.js';
import { writeReport } from './report.js';
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
  readonly interactive?: boolean;
  readonly record?: boolean;
  /** Of a script: its parameters, `name=value`, or `name=value,value` for a sweep. */
  readonly param: readonly string[];
  /** Runs of each combination of values. */
  readonly repeat: number;
  /** Of a sweep: runs at once. */
  readonly parallelRuns?: number;
  readonly stopOnFailure?: boolean;
  /** Shows the page of `oneclock view` while the run goes on; with `open`, in a browser. */
  readonly watch?: boolean;
  readonly open?: boolean;
  /** Where the report for CI goes. */
  readonly junit?: string;
}

/** `oneclock run`. @returns the exit status */
export async function run(file: string, options: RunCommandOptions): Promise<number> {
  const given = readGiven(options.param);
  if (!isScript(file)) refuseParams(options.param);
  refuseWithoutOut(options);
  if (isSweep(given, options.repeat)) return (await import('./sweep.js')).sweep(file, options, given);
  // Nobody wants to hear of it when the run is over.
  if (options.junit !== undefined) writeReport(options.junit, '');
  if (options.watch && options.out === undefined)
    throw new OneclockError('INPUT', '--watch shows what is in a run directory: name one with --out');
  const progress = new Progress(process.stderr, options.json !== true);
  // Before anything is there that a signal could leave behind; the handlers run when this function waits.
  let running: Run | Alone | undefined;
  let early: OneclockError | undefined;
  const signal = endOnSignals(
    (error) => {
      early ??= error;
      running?.abort(error);
    },
    () => running?.dispose(),
  );
  try {
    running = isScript(file) ? await playing(file, options, given, progress) : plain(file, options, progress);
  } catch (error) {
    // A report that says so, and not an empty one.
    const lost = { name: parse(file).name, result: undefined, reason: (error as Error).message };
    if (options.junit !== undefined) writeReport(options.junit, (await import('./junit.js')).junitOf([lost]));
    throw error;
  }
  // It came while the script was loaded.
  if (early) running.abort(early);
  const shown = options.watch ? (await import('./watch.js')).watchRun(options) : undefined;
  const result = await running.execute();
  progress.end();
  print(result, options.json === true);
  if (options.junit !== undefined) writeReport(options.junit, (await import('./junit.js')).junit(result));
  if (shown) await shown.leave(() => signal.exitStatus !== undefined);
  return signal.exitStatus ?? result.exitCode;
}

function plain(file: string, options: RunCommandOptions, progress: Progress): Run {
  const topology = readTopology(file, { seed: options.seed, until: options.until });
  const source = options.record ? { record: { file: resolve(file), text: readFileSync(file, 'utf8') } } : {};
  return new Run(topology, { ...runOptions(options, progress), ...source });
}

/** The run of a script. */
async function playing(
  file: string,
  options: RunCommandOptions,
  given: Given,
  progress: Progress,
): Promise<Run | Alone> {
  if (options.record) {
    throw new OneclockError(
      'INPUT',
      '--record: a run with a script is not recorded, only that of a topology',
    );
  }
  // Loaded here: runs without a script start without them.
  const [{ Alone }, { loadScenario }, { scriptOf }, { isKept }, { readParams, topologyOf, untilOf }] =
    await Promise.all([
      import('../scenario/alone.js'),
      import('../scenario/load.js'),
      import('../scenario/scene.js'),
      import('../scenario/site.js'),
      import('./play.js'),
    ]);
  const scenario = await loadScenario(file);
  const params = readParams(scenario, new Map([...given].map(([name, [value = '']]) => [name, value])));
  const topology = topologyOf(file, scenario, params, { seed: options.seed, until: options.until });
  // A promise of the script that fails, and that nobody awaits.
  const watched = <T extends Run | Alone>(run: T): T => {
    process.on('unhandledRejection', (error, promise) => {
      if (!isKept(promise)) run.scriptFailed(error);
    });
    return run;
  };
  if (topology)
    return watched(
      new Run(topology, { ...runOptions(options, progress), script: scriptOf(scenario, params) }),
    );
  if (options.interactive)
    throw new OneclockError('INPUT', `--interactive: ${file} has no topology, and so no guests for shells`);
  return watched(
    new Alone(scenario, params, {
      name: parse(file).name,
      seed: options.seed ?? 1n,
      until: options.until ?? untilOf(file, scenario.options.until),
      out: options.out,
      maxWallMs: options.maxWall === undefined ? undefined : toMs(options.maxWall),
    }),
  );
}

export function runOptions(
  options: Omit<RunCommandOptions, 'param' | 'repeat'>,
  progress: Progress,
): RunOptions {
  return {
    out: options.out,
    jobs: options.serial ? 1 : (options.jobs ?? availableParallelism()),
    sharedMemory: options.shm,
    maxWallMs: options.maxWall === undefined ? undefined : toMs(options.maxWall),
    hangMs: hangMs(options.hang),
    progress: (state) => progress.show(state),
    ...(options.interactive && { interactive: true }),
  };
}

function refuseWithoutOut({ out, interactive, record }: RunCommandOptions): void {
  if (out !== undefined || !(interactive || record)) return;
  const [option, what] = interactive
    ? ['--interactive', 'by which shells find it']
    : ['--record', 'for the recording'];
  throw new OneclockError('INPUT', `${option}: the run needs a folder, ${what}: name one with --out`);
}

function refuseParams(params: readonly string[]): void {
  if (params.length === 0) return;
  throw new OneclockError('INPUT', '--param: a topology has no parameters; a script has');
}

export function print(result: RunResult, json: boolean): void {
  if (json) process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
  else process.stdout.write(summary(result));
  if (result.reason !== null) process.stderr.write(`oneclock: ${result.reason}\n`);
}
