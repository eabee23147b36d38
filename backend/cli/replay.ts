// SPDX-License-Identifier: MIT
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { duration } from '../calendar/time.js';
import { OneclockError } from '../errors.js';
import { Recording, Run, type RunResult } from '../run/index.js';
import { loadTopology, problemsError } from '../topology/index.js';
import { endOnSignals } from './ending.js';
import { Progress } from './progress.js';
import { print, type RunCommandOptions, runOptions } from './run.js';

export type ReplayOptions = Pick<RunCommandOptions, 'out' | 'serial' | 'jobs' | 'maxWall' | 'hang' | 'json'>;

/** `oneclock replay`. @returns the exit status */
export async function replay(recorded: string, options: ReplayOptions): Promise<number> {
  if (options.out !== undefined && resolve(options.out) === resolve(recorded)) {
    throw new OneclockError('INPUT', `--out: ${options.out} holds the recording: name another folder`);
  }
  const progress = new Progress(process.stderr, options.json !== true);
  let running: Run | undefined;
  const signal = endOnSignals(
    (error) => running?.abort(error),
    () => running?.dispose(),
  );
  const recording = new Recording(recorded);
  const { file, seed, until, messagesOnly } = recording.header;
  const overrides = { seed, until: until === undefined ? undefined : duration(until) };
  // Paths in it lead from where it was.
  const { topology, problems } = loadTopology(recording.topology, file, overrides);
  if (!topology) throw problemsError(file, problems);
  running = new Run(topology, {
    ...runOptions({ ...options, shm: !messagesOnly }, progress),
    replay: recording,
  });
  const result = await running.execute();
  progress.end();
  print(result, options.json === true);
  if (result.status === 'error') return signal.exitStatus ?? result.exitCode;
  if (recording.damage !== undefined) {
    process.stderr.write(
      `oneclock: the run has come to its end before the damage of the recording: ${recording.damage}\n`,
    );
  }
  compare(recorded, result);
  return signal.exitStatus ?? result.exitCode;
}

/** The whole trace is that of the recorded run, where that came to its end. @throws OneclockError `EXPECTATION` */
function compare(recorded: string, { traceHash }: RunResult): void {
  const expected = endOf(recorded);
  if (expected === undefined || expected === traceHash) return;
  throw new OneclockError(
    'EXPECTATION',
    `the replay has another trace than the run in ${recorded} had: see oneclock diff; were kernels, or files of this ` +
      'machine that guests use, changed since?',
  );
}

/** The hash of a run that was not ended from outside; undefined: there is none. */
function endOf(recorded: string): string | undefined {
  try {
    const result = JSON.parse(readFileSync(join(recorded, 'result.json'), 'utf8')) as Partial<RunResult>;
    return result.status === 'ok' || result.status === 'failed' ? result.traceHash : undefined;
  } catch {
    return undefined;
  }
}
