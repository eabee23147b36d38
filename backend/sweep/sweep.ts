// SPDX-License-Identifier: MIT

import { join } from 'node:path';
import type { OneclockError } from '../errors.js';
import { seedOf } from '../run/result.js';
import { type ChildEnd, ChildRun } from './child-run.js';
import { prepareSweepDirectory, runDirectory, writeSweep } from './directory.js';
import { type Metrics, metricsOf } from './metrics.js';
import { type Combination, type PlannedRun, paramArguments, planRuns, seedsOf, type Value } from './plan.js';
import type { CombinationResult, RunRecord, SweepResult, SweptParam } from './result.js';
import { type Summary, summarize } from './statistics.js';

export interface SweepOptions {
  /** What the result calls it. */
  readonly name: string;
  readonly file: string;
  readonly params: readonly SweptParam[];
  readonly combinations: readonly SweptCombination[];
  readonly repeat: number;
  /** The base seed. */
  readonly seed: bigint;
  /** For each run, besides its parameters, seed and directory. */
  readonly runArguments: readonly string[];
  /** The directory of the sweep; undefined: nothing is kept. */
  readonly out: string | undefined;
  /** Runs at once. */
  readonly parallel: number;
  /** Whether no run is begun any more when one was not ok. */
  readonly stopOnFailure: boolean;
  readonly progress: (state: SweepState) => void;
}

/** With the values as the script has them. */
export interface SweptCombination extends Combination {
  readonly params: Readonly<Record<string, Value>>;
}

/** How a sweep stands when a run begins. */
export interface SweepState {
  readonly planned: number;
  /** Runs that have begun, this one among them. */
  readonly begun: number;
  /** Runs that have ended, and were not ok. */
  readonly bad: number;
  /** What begins, such as `k=1 mode=a, repetition 2`. */
  readonly latest: string;
  readonly wallMs: number;
  /** Estimated; undefined before the first run has ended. */
  readonly leftMs: number | undefined;
}

/** A run that was begun. */
interface Done {
  readonly end: ChildEnd;
  readonly metrics: Metrics;
}

/** Every combination of parameters, each several times; each run is a process. */
export class Sweep {
  readonly #plan: readonly PlannedRun[];
  readonly #running = new Set<ChildRun>();
  /** In the order of the plan; undefined: not ended, or never begun. */
  readonly #done: (Done | undefined)[] = [];
  readonly #started = performance.now();
  #ended = 0;
  #bad = 0;
  #aborted: OneclockError | undefined;

  constructor(private readonly options: SweepOptions) {
    if (options.out !== undefined) prepareSweepDirectory(options.out);
    this.#plan = planRuns(options.combinations.length, seedsOf(options.seed, options.repeat));
  }

  /** Ends it before its time; runs under way end in good order. */
  abort(error: OneclockError): void {
    this.#aborted ??= error;
    this.dispose();
  }

  /** Tells the runs under way to end. */
  dispose(): void {
    for (const run of this.#running) run.end();
  }

  /** Runs all. A run that goes wrong is in the result. */
  async execute(): Promise<SweepResult> {
    const places = this.#plan.entries();
    const workers = Math.min(this.options.parallel, this.#plan.length);
    await Promise.all(Array.from({ length: workers }, () => this.#work(places)));
    const result = this.#result();
    if (this.options.out !== undefined) writeSweep(this.options.out, result);
    return result;
  }

  /** Takes one run after the other from the list that all workers share. */
  async #work(places: Iterator<[number, PlannedRun]>): Promise<void> {
    const { stopOnFailure } = this.options;
    while (this.#aborted === undefined && !(stopOnFailure && this.#bad > 0)) {
      const next = places.next();
      if (next.done) return;
      const [place, run] = next.value;
      this.#report(place, run);
      const child = new ChildRun(this.#arguments(run));
      this.#running.add(child);
      const end = await child.finished;
      this.#running.delete(child);
      this.#done[place] = { end, metrics: end.result ? metricsOf(end.result) : new Map() };
      this.#ended++;
      if (end.exitCode !== 0) this.#bad++;
    }
  }

  /** What is known of each run that has ended, in the order of the plan. */
  get ends(): readonly (ChildEnd & { readonly name: string })[] {
    return this.#plan.flatMap((run, place) => {
      const done = this.#done[place];
      return done ? [{ ...done.end, name: this.#nameOf(run) }] : [];
    });
  }

  /** `k=1 mode=a, repetition 2` */
  #nameOf(run: PlannedRun): string {
    const { label } = this.#combination(run);
    const repetition = `repetition ${run.repetition}`;
    return label === '' ? repetition : `${label}, ${repetition}`;
  }

  #arguments(run: PlannedRun): string[] {
    const { file, out, runArguments } = this.options;
    return [
      ...runArguments,
      ...paramArguments(this.#combination(run)),
      ...['--seed', run.seed.toString()],
      ...(out === undefined ? [] : ['--out', join(out, this.#directory(run))]),
      ...['--', file],
    ];
  }

  #directory(run: PlannedRun): string {
    return runDirectory(this.#combination(run), run.combination, run.repetition);
  }

  #combination({ combination }: PlannedRun): SweptCombination {
    return this.options.combinations[combination] as SweptCombination;
  }

  #report(place: number, run: PlannedRun): void {
    const wallMs = performance.now() - this.#started;
    const { length: planned } = this.#plan;
    this.options.progress({
      planned,
      begun: place + 1,
      bad: this.#bad,
      latest: this.#nameOf(run),
      wallMs,
      leftMs: this.#ended === 0 ? undefined : (wallMs / this.#ended) * (planned - this.#ended),
    });
  }

  #result(): SweepResult {
    const { name, seed, repeat, params, combinations } = this.options;
    const metrics = [...new Set(this.#done.flatMap((done) => [...(done?.metrics.keys() ?? [])]))];
    const runs = this.#plan.flatMap((run, place) => this.#record(run, this.#done[place]) ?? []);
    return {
      ...this.#verdict(runs),
      name,
      seed: seedOf(seed),
      repeat,
      params,
      metrics,
      combinations: combinations.map(({ params }, place) => {
        const from = place * repeat;
        return combine(params, this.#done.slice(from, from + repeat), metrics);
      }),
      runs,
      planned: this.#plan.length,
      wallMs: Math.round(performance.now() - this.#started),
    };
  }

  #record(run: PlannedRun, done: Done | undefined): RunRecord | undefined {
    if (done === undefined) return undefined;
    const { status, exitCode, reason } = done.end;
    return {
      params: this.#combination(run).params,
      repetition: run.repetition,
      seed: seedOf(run.seed),
      status,
      exitCode,
      reason,
      directory: this.options.out === undefined ? null : this.#directory(run),
      metrics: Object.fromEntries(done.metrics),
    };
  }

  #verdict(runs: readonly RunRecord[]): Pick<SweepResult, 'status' | 'exitCode' | 'reason'> {
    const made = `${runs.length} of ${this.#plan.length} runs`;
    if (this.#aborted)
      return { status: 'error', exitCode: 3, reason: `${this.#aborted.message} after ${made} had begun` };
    const exitCode = Math.max(...runs.map((run) => run.exitCode));
    if (exitCode === 0) return { status: 'ok', exitCode, reason: null };
    const reason =
      runs.length < this.#plan.length
        ? `stopped after a run that was not ok; ${made} were made`
        : `${this.#bad} of ${runs.length} runs were not ok`;
    return { status: exitCode === 1 ? 'failed' : 'error', exitCode, reason };
  }
}

function combine(
  params: CombinationResult['params'],
  runs: readonly (Done | undefined)[],
  metrics: readonly string[],
): CombinationResult {
  const count = (status: string) => runs.filter((run) => run?.end.status === status).length;
  const good = runs.flatMap((run) => (run?.end.status === 'ok' ? [run.metrics] : []));
  const summaries = metrics.flatMap((name): [string, Summary][] => {
    const summary = summarize(good.flatMap((values) => values.get(name) ?? []));
    return summary ? [[name, summary]] : [];
  });
  return {
    params,
    ok: count('ok'),
    failed: count('failed'),
    errors: count('error'),
    metrics: Object.fromEntries(summaries),
  };
}
