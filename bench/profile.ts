// SPDX-License-Identifier: MIT
import { readdirSync, readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { START_UP } from './cases.js';
import { ADDON, type CpuProfile, PARTS, type Part, type SourceOf, selfTimes } from './profile-parts.js';
import { takeSample } from './sample.js';
import { withFolder } from './scratch.js';
import { countSystemCalls, type SystemCalls, straceWorks } from './syscalls.js';
import type { TableFormat } from './table.js';

const CASES = ['two-guests', 'ten-nodes'] as const;
const MOST_REPETITIONS = 3;
/** Microseconds between two samples. */
const INTERVAL = 500;
/** System calls that have a row of their own. */
const CALLS = ['sendmsg', 'recvmsg', 'epoll_wait'] as const;

/** CPU time of our process for each activation, without what a run costs that ends at once. */
export interface CaseProfile {
  readonly name: string;
  /** CPU time, without a profiler. */
  readonly ownUs: number;
  /** What it was spent on: their sum is `ownUs`. */
  readonly us: Readonly<Record<Part, number>>;
  /** System calls of the main thread; null without strace. */
  readonly calls: Readonly<Record<string, number>> | null;
}

export interface ProfileResult {
  readonly cases: readonly CaseProfile[];
}

/** Sums over several runs of one topology. */
interface Totals {
  runs: number;
  activations: number;
  ownMs: number;
  parts: Record<Part, number>;
  calls: SystemCalls | undefined;
}

export function profileRuns(repetitions: number, progress: (text: string) => void): Promise<ProfileResult> {
  return withFolder(async (folder) => {
    const totals = new Map<string, Totals>([START_UP, ...CASES].map((name) => [name, nothing()]));
    const turns = Math.min(repetitions, MOST_REPETITIONS);
    for (let turn = 1; turn <= turns; turn++) {
      for (const [name, sum] of totals) {
        progress(`profile, repetition ${turn} of ${turns}: ${name}`);
        await add(sum, name, join(folder, `${name}-${turn}`));
      }
    }
    if (straceWorks()) {
      for (const [name, sum] of totals) {
        progress(`counting system calls: ${name}`);
        sum.calls = await countSystemCalls(name, join(folder, 'calls'));
      }
    }
    const start = totals.get(START_UP) as Totals;
    return { cases: CASES.map((name) => perActivation(name, totals.get(name) as Totals, start)) };
  });
}

function nothing(): Totals {
  const parts = Object.fromEntries(PARTS.map((part) => [part, 0])) as Record<Part, number>;
  return { runs: 0, activations: 0, ownMs: 0, parts, calls: undefined };
}

/** One run without a profiler, which slows it, and one with it. */
async function add(sum: Totals, name: string, folder: string): Promise<void> {
  const { activations, ownCpuMs } = await takeSample(name);
  const interval = ['--cpu-prof-interval', `${INTERVAL}`];
  await takeSample(name, { node: ['--cpu-prof', ...interval, '--cpu-prof-dir', folder] });
  const [file] = readdirSync(folder);
  if (file === undefined) throw new Error(`Node.js has left no profile of ${name}`);
  const parts = selfTimes(JSON.parse(readFileSync(join(folder, file), 'utf8')) as CpuProfile, sources());
  for (const part of PARTS) sum.parts[part] += parts[part];
  sum.runs++;
  sum.activations += activations;
  sum.ownMs += ownCpuMs;
}

/** Finds sources by the source maps of dist/. */
function sources(): SourceOf {
  const maps = new Map<string, SourceMap>();
  return ({ url, lineNumber, columnNumber }) => {
    if (!url.startsWith('file:')) return undefined;
    let map = maps.get(url);
    if (map === undefined) {
      map = new SourceMap(JSON.parse(readFileSync(`${fileURLToPath(url)}.map`, 'utf8')));
      maps.set(url, map);
    }
    const entry = map.findEntry(lineNumber, columnNumber);
    return 'originalSource' in entry ? entry.originalSource : '';
  };
}

/** @param start the same of runs that end at once */
export function perActivation(name: string, of: Totals, start: Totals): CaseProfile {
  const beyond = (figure: (totals: Totals) => number) => {
    const activations = of.activations / of.runs;
    return (figure(of) / of.runs - figure(start) / start.runs) / activations;
  };
  const ownUs = beyond(({ ownMs }) => ownMs * 1000);
  const us = Object.fromEntries(
    PARTS.map((part) => [
      part,
      Math.max(
        0,
        beyond(({ parts }) => parts[part]),
      ),
    ]),
  ) as Record<Part, number>;
  // What the profile has for it is mostly waiting; and helper threads are not in it.
  const others = PARTS.reduce((sum, part) => (part === ADDON ? sum : sum + us[part]), 0);
  us[ADDON] = Math.max(0, ownUs - others);
  return { name, ownUs, us, calls: callsPerActivation(of, start) };
}

function callsPerActivation(of: Totals, start: Totals): Record<string, number> | null {
  if (of.calls === undefined || start.calls === undefined) return null;
  const activations = of.activations / of.runs;
  const names = [...new Set([...of.calls.keys(), ...start.calls.keys()])];
  const beyond = names.map((name): [string, number] => [
    name,
    ((of.calls?.get(name) ?? 0) - (start.calls?.get(name) ?? 0)) / activations,
  ]);
  return Object.fromEntries(beyond);
}

export function formatProfile({ cases }: ProfileResult, table: TableFormat): string {
  const share = (us: number, { ownUs }: CaseProfile) =>
    `${us.toFixed(1)} (${((us / ownUs) * 100).toFixed(0)} %)`;
  const header = ['us per activation', ...cases.map(({ name }) => name)];
  const times = table([
    header,
    ...PARTS.map((part) => [part, ...cases.map((profile) => share(profile.us[part], profile))]),
    ['CPU time of our process', ...cases.map((profile) => share(profile.ownUs, profile))],
  ]);
  return `${times}\n${formatCalls(cases, table)}`;
}

function formatCalls(cases: readonly CaseProfile[], table: TableFormat): string {
  if (cases.some(({ calls }) => calls === null)) {
    return 'System calls are not counted: strace is not installed, or may not trace here.\n';
  }
  const sum = (calls: CaseProfile['calls'], of: (name: string) => boolean) =>
    Object.entries(calls ?? {}).reduce((total, [name, count]) => (of(name) ? total + count : total), 0);
  const row = (name: string, of: (call: string) => boolean) => [
    name,
    ...cases.map(({ calls }) => sum(calls, of).toFixed(2)),
  ];
  return table([
    ['system calls per activation', ...cases.map(({ name }) => name)],
    ...CALLS.map((call) => row(call, (name) => name === call)),
    row('others', (name) => !(CALLS as readonly string[]).includes(name)),
    row('all', () => true),
  ]);
}
