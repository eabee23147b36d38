// SPDX-License-Identifier: MIT
import type { KvmResult } from './kvm.js';
import { formatKvm } from './kvm-format.js';
import type { Machine } from './machine.js';
import { type EngineResult, formatEngine } from './mm1.js';
import { formatParallel, type ParallelResult } from './parallel.js';
import { type ControllerResult, formatComparison } from './peer.js';
import { formatProfile, type ProfileResult } from './profile.js';
import { formatRuns, type RunsResult } from './runs.js';
import type { ScaleResult } from './scale.js';
import { formatScale } from './scale-format.js';
import type { TableFormat } from './table.js';
import { formatView, type ViewResult } from './view.js';

/** All that the benchmark has found out; what its JSON holds. A section that was not asked for is null. */
export interface Report {
  readonly date: string;
  readonly machine: Machine;
  /** Load averages before and after. */
  readonly load: readonly [string, string];
  readonly repetitions: number;
  readonly runs: RunsResult | null;
  /** Only with a peer. */
  readonly peer: readonly ControllerResult[] | null;
  readonly parallel: readonly ParallelResult[] | null;
  readonly profile: ProfileResult | null;
  readonly scale: ScaleResult | null;
  readonly kvm: KvmResult | null;
  readonly engine: EngineResult | null;
  readonly view: ViewResult | null;
}

/** What a person reads. */
export function formatReport(report: Report, table: TableFormat): string {
  const { machine, runs, peer, parallel, profile, scale, kvm, engine, view } = report;
  const section = (title: string, text: string | null) => (text === null ? '' : `\n${title}\n\n${text}`);
  return [
    `${report.date}, commit ${machine.commit ?? 'unknown'}, kernel ${machine.kernel}, Node.js ${machine.node}\n`,
    `${machine.cpu}, ${machine.cores} cores; load average ${report.load[0]} before, ${report.load[1]} after\n`,
    `${report.repetitions} repetitions: median (least..most)\n`,
    section('What runs cost:', runs && formatRuns(runs, table)),
    section(
      'Two guests with another controller; ratios of runs in turn:',
      peer && formatComparison(peer, table),
    ),
    section('Guests at once against one at a time:', parallel && formatParallel(parallel, table)),
    section(
      'CPU time of our process by what it is spent on, after start-up:',
      profile && formatProfile(profile, table),
    ),
    section('Cost against the number of guests:', scale && formatScale(scale, table)),
    section('KVM guests:', kvm && formatKvm(kvm, table)),
    section('The bare engine, an M/M/1 queue:', engine && formatEngine(engine, table)),
    section('The page of a run with 50 nodes and a million events:', view && formatView(view, table)),
  ].join('');
}
