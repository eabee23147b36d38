// SPDX-License-Identifier: MIT
import { parse } from 'node:path';
import { formatDuration } from '../calendar/time.js';
import { OneclockError } from '../errors.js';
import type { Scenario } from '../scenario/index.js';
import { isScript } from '../scenario/is-script.js';
import { loadScenario } from '../scenario/load.js';
import {
  type Combination,
  combinationsOf,
  type Given,
  Sweep,
  SweepProgress,
  type SweepResult,
  type SweptCombination,
  type SweptParam,
  table,
} from '../sweep/index.js';
import { readTopology } from '../topology/index.js';
import { endOnSignals } from './ending.js';
import { junitOf } from './junit.js';
import { readParams, topologyOf, untilOf } from './play.js';
import { writeReport } from './report.js';
import type { RunCommandOptions } from './run.js';

/** What is known of all runs before the first begins. */
interface Outline {
  readonly name: string;
  readonly seed: bigint;
  readonly params: readonly SweptParam[];
  readonly combinations: readonly SweptCombination[];
}

/** `oneclock run` with several values or repetitions. @returns the exit status */
export async function sweep(file: string, options: RunCommandOptions, given: Given): Promise<number> {
  let running: Sweep | undefined;
  const signal = endOnSignals(
    (error) => running?.abort(error),
    () => running?.dispose(),
  );
  const single = ['interactive', 'record', 'watch'] as const;
  const found = single.find((option) => options[option]);
  if (found) throw new OneclockError('INPUT', `--${found}: that is of one run, and this is a sweep`);
  // Nobody wants to hear of it when all runs are over.
  if (options.junit !== undefined) writeReport(options.junit, '');
  const { repeat, out, parallelRuns = 1, stopOnFailure = false, json = false } = options;
  const combinations = combinationsOf(given, repeat);
  const outline = isScript(file)
    ? await outlineOfScript(file, options, given, combinations)
    : outlineOfTopology(file, options);
  const progress = new SweepProgress(process.stderr, !json);
  running = new Sweep({
    ...outline,
    file,
    repeat,
    runArguments: runArguments(options),
    out,
    parallel: parallelRuns,
    stopOnFailure,
    progress: (state) => progress.show(state),
  });
  // A signal may have come while the script was loaded.
  if (signal.exitStatus !== undefined) running.abort(new OneclockError('INTERRUPTED', 'ended by a signal'));
  const result = await running.execute();
  progress.end();
  print(result, json);
  const suites = running.ends.map((end) => ({ ...end, name: `${outline.name}: ${end.name}` }));
  if (options.junit !== undefined) writeReport(options.junit, junitOf(suites));
  return signal.exitStatus ?? result.exitCode;
}

/** Reads every combination, so that a mistake is told before the first run. @throws OneclockError `INPUT` */
async function outlineOfScript(
  file: string,
  { seed, until }: RunCommandOptions,
  given: Given,
  combinations: readonly Combination[],
): Promise<Outline> {
  const scenario = await loadScenario(file);
  const params = [...given].map(([name, texts]) => readValues(scenario, name, texts));
  const swept = combinations.map((combination) => {
    const texts = new Map([...combination.given].map(([name, [text = '']]) => [name, text]));
    const all = readParams(scenario, texts);
    const named = [...texts.keys()].map((name) => [name, all[name]] as const);
    return { ...combination, params: Object.fromEntries(named) as SweptCombination['params'], all };
  });
  untilOf(file, scenario.options.until);
  // One that is not made from the parameters is the same for all.
  const checked = typeof scenario.options.topology === 'function' ? swept : swept.slice(0, 1);
  const [topology] = checked.map(({ label, all }) => {
    try {
      return topologyOf(file, scenario, all, { seed, until });
    } catch (error) {
      if (!(error instanceof OneclockError) || label === '') throw error;
      throw new OneclockError(error.code, `with ${label}: ${error.message}`, { cause: error });
    }
  });
  return {
    name: topology?.name ?? parse(file).name,
    seed: topology?.seed ?? seed ?? 1n,
    params,
    combinations: swept.map(({ all: _, ...combination }) => combination),
  };
}

function readValues(scenario: Scenario, name: string, texts: readonly string[]): SweptParam {
  const values = texts.map(
    (text) => readParams(scenario, new Map([[name, text]]))[name] as SweptParam['values'][0],
  );
  const twice = values.find((value, place) => values.indexOf(value) !== place);
  if (twice === undefined) return { name, values };
  throw new OneclockError(
    'INPUT',
    `--param ${name}: the value ${twice} is given twice; --repeat repeats runs`,
  );
}

function outlineOfTopology(file: string, { seed, until }: RunCommandOptions): Outline {
  const topology = readTopology(file, { seed, until });
  const [combination] = combinationsOf(new Map(), 1) as [Combination];
  return {
    name: topology.name,
    seed: topology.seed,
    params: [],
    combinations: [{ ...combination, params: {} }],
  };
}

/** The options that each run has as the sweep has them. */
function runArguments({ until, serial, jobs, maxWall, hang, shm }: RunCommandOptions): string[] {
  return [
    ...(until === undefined ? [] : ['--until', formatDuration(until)]),
    ...(serial ? ['--serial'] : []),
    ...(jobs === undefined ? [] : ['--jobs', String(jobs)]),
    ...(maxWall === undefined ? [] : ['--max-wall', formatDuration(maxWall)]),
    ...(hang === undefined ? [] : ['--hang', formatDuration(hang)]),
    ...(shm ? [] : ['--no-shm']),
  ];
}

function print(result: SweepResult, json: boolean): void {
  process.stdout.write(json ? `${JSON.stringify(result, null, 2)}\n` : table(result));
  if (result.reason !== null) process.stderr.write(`oneclock: ${result.reason}\n`);
}
