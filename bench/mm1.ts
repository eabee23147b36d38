// SPDX-License-Identifier: MIT
import { existsSync } from 'node:fs';
import { packageFile } from '../host/package-root.js';
import { callbacks, type ModelResult, processes } from './mm1-models.js';
import { Program } from './program.js';
import { formatSpread, type Spread, spread } from './spread.js';
import type { TableFormat } from './table.js';

const CUSTOMERS = 500_000;
/** SimPy takes several times as long for each. */
const SIMPY_CUSTOMERS = 100_000;
const SIMPY_LIMIT_MS = 120_000;
/** Events a second that the engine is meant to reach. */
const TARGET = 1e6;
const MODELS = { processes, callbacks } as const;

/** One way to write the model, in one turn. */
export interface Turn {
  readonly customers: number;
  readonly events: number;
  /** Of wall time. */
  readonly seconds: number;
  readonly cpuSeconds: number;
  /** Mean time in the queue, in seconds; theory has 0.032. */
  readonly waited: number;
}

export interface EngineCase {
  readonly name: string;
  readonly customersPerSecond: Spread;
  /** Whatever the engine of the case calls an event. */
  readonly eventsPerSecond: Spread;
  /** In a second of CPU time, which another program at work beside it does not change as much. */
  readonly eventsPerCpuSecond: Spread;
  /** Events that virtual time passes for: an arrival and the end of a service for each customer. */
  readonly timedPerSecond: Spread;
  /** Customers a second by those of SimPy, each turn by itself; null without SimPy. */
  readonly ratio: Spread | null;
  readonly waited: number;
}

export interface EngineResult {
  readonly cases: readonly EngineCase[];
  /** Such as `SimPy 4.1.2 on Python 3.11.7`; or why it was not there. */
  readonly peer: string;
  readonly target: number;
  readonly reached: boolean;
}

interface SimPyTurn extends Turn {
  readonly version: string;
  readonly python: string;
}

/** An M/M/1 queue on the bare engine in two ways, and with SimPy, in turn. */
export async function measureEngine(
  repetitions: number,
  progress: (text: string) => void,
): Promise<EngineResult> {
  const turns: { [name: string]: Turn[] } = { processes: [], callbacks: [], SimPy: [] };
  let peer = '';
  // Repetition 0 is for the compiler, and to see whether SimPy is there.
  for (let repetition = 0; repetition <= repetitions; repetition++) {
    progress(`engine, ${repetition === 0 ? 'warming up' : `repetition ${repetition} of ${repetitions}`}`);
    for (const [name, model] of Object.entries(MODELS)) {
      const turn = await timed(model);
      if (repetition > 0) turns[name]?.push(turn);
    }
    if (repetition > 0 && (turns.SimPy as Turn[]).length < repetition - 1) continue;
    const simpy = await runSimPy();
    peer = typeof simpy === 'string' ? simpy : `SimPy ${simpy.version} on Python ${simpy.python}`;
    if (repetition > 0 && typeof simpy !== 'string') turns.SimPy?.push(simpy);
  }
  return compareEngines(turns, peer);
}

/** @param turns of each case, in order; those of SimPy are as many as the others, or none */
export function compareEngines(
  turns: { readonly [name: string]: readonly Turn[] },
  peer: string,
): EngineResult {
  const rate = ({ customers, seconds }: Turn) => customers / seconds;
  const simpy = turns.SimPy ?? [];
  const cases = Object.entries(turns)
    .filter(([, all]) => all.length > 0)
    .map(([name, all]) => ({
      name,
      customersPerSecond: spread(all.map(rate)),
      eventsPerSecond: spread(all.map(({ events, seconds }) => events / seconds)),
      eventsPerCpuSecond: spread(all.map(({ events, cpuSeconds }) => events / cpuSeconds)),
      timedPerSecond: spread(all.map((turn) => 2 * rate(turn))),
      ratio: simpy.length === 0 ? null : spread(all.map((turn, at) => rate(turn) / rate(simpy[at] as Turn))),
      waited: (all[0] as Turn).waited,
    }));
  const own = cases.find(({ name }) => name === 'processes');
  // By CPU time, which is no less than wall time where nothing else is at work, and holds where something is.
  return { cases, peer, target: TARGET, reached: (own?.eventsPerCpuSecond.median ?? 0) >= TARGET };
}

export function formatEngine({ cases, peer, target, reached }: EngineResult, table: TableFormat): string {
  const row = (name: string, cell: (result: EngineCase) => string) => [name, ...cases.map(cell)];
  const millions = ({ median, min, max }: Spread) =>
    formatSpread({ median: median / 1e6, min: min / 1e6, max: max / 1e6 }, 2);
  return [
    table([
      row('', ({ name }) => name),
      row('million customers / s', (result) => millions(result.customersPerSecond)),
      row('million events / s', (result) => millions(result.eventsPerSecond)),
      row('of them with a time, million / s', (result) => millions(result.timedPerSecond)),
      row('million events / CPU s', (result) => millions(result.eventsPerCpuSecond)),
      row('customers / s by those of SimPy', ({ ratio }) => (ratio === null ? '' : formatSpread(ratio, 2))),
      row('mean wait in the queue, ms (theory: 32)', ({ waited }) => (1000 * waited).toFixed(1)),
    ]),
    `\n${peer}. Target: ${target / 1e6} million events a second of CPU time by processes: ${reached ? 'reached' : 'missed'}.\n`,
  ].join('');
}

async function timed(model: (customers: number, seed: bigint) => Promise<ModelResult>): Promise<Turn> {
  const begun = performance.now();
  const cpuBegun = process.cpuUsage();
  const { events, waited } = await model(CUSTOMERS, 1n);
  const seconds = (performance.now() - begun) / 1000;
  const cpu = process.cpuUsage(cpuBegun);
  return { customers: CUSTOMERS, events, waited, seconds, cpuSeconds: (cpu.user + cpu.system) / 1e6 };
}

/** What SimPy took, or why it could not be asked. */
async function runSimPy(): Promise<SimPyTurn | string> {
  const folder = packageFile('build/simpy');
  const path = existsSync(folder) ? [`PYTHONPATH=${folder}`] : [];
  const words = [packageFile('bench/mm1.py'), `${SIMPY_CUSTOMERS}`, '1'];
  const program = new Program('SimPy', ['env', ...path, 'python3', ...words], { limitMs: SIMPY_LIMIT_MS });
  const { status, stdout, stderr } = await program.ended;
  if (status !== 0) return `SimPy could not be run: ${stderr.trim().split('\n').at(-1)}`;
  return { customers: SIMPY_CUSTOMERS, ...(JSON.parse(stdout) as Omit<SimPyTurn, 'customers'>) };
}
