// SPDX-License-Identifier: MIT
import type { CaseResult } from './cases.js';
import type { Machine } from './machine.js';
import { formatMessages, type MessageResult } from './messages.js';
import { type ControllerResult, formatComparison } from './peer.js';
import { formatSpread, type Spread } from './spread.js';
import { formatTable } from './table.js';

/** All that the benchmark has found out; what its JSON holds. */
export interface Report {
  readonly date: string;
  readonly machine: Machine;
  /** Load averages before and after. */
  readonly load: readonly [string, string];
  readonly repetitions: number;
  /** CPU time of our process in a run that ends at once. */
  readonly startUpCpuMs: Spread;
  /** Wall time of such a run. */
  readonly startUpWallMs: Spread;
  readonly cases: readonly CaseResult[];
  readonly messages: readonly MessageResult[];
  /** Only with a peer. */
  readonly peer: readonly ControllerResult[] | null;
}

const percent = ({ median, min, max }: Spread): Spread => ({
  median: median * 100,
  min: min * 100,
  max: max * 100,
});

/** What a person reads. */
export function formatReport(report: Report): string {
  const { machine, cases } = report;
  const row = (name: string, cell: (result: CaseResult) => string) => [name, ...cases.map(cell)];
  return [
    `${report.date}, commit ${machine.commit ?? 'unknown'}, kernel ${machine.kernel}, Node.js ${machine.node}\n`,
    `${machine.cpu}, ${machine.cores} cores; load average ${report.load[0]} before, ${report.load[1]} after\n`,
    `${report.repetitions} repetitions: median (least..most)\n\n`,
    formatTable([
      row('', ({ name }) => name),
      row('wall ms, of the whole command', ({ wallMs }) => formatSpread(wallMs, 0)),
      row('CPU ms of guests', ({ guestCpuMs }) => formatSpread(guestCpuMs, 0)),
      row('CPU ms of our process', ({ ownCpuMs }) => formatSpread(ownCpuMs, 0)),
      row('our share of CPU time, %', ({ ownShare }) => formatSpread(percent(ownShare), 1)),
      row('  the same after start-up, %', ({ ownShareAfterStart }) =>
        formatSpread(percent(ownShareAfterStart), 1),
      ),
      row('our CPU us per activation', ({ ownUsPerActivation }) => formatSpread(ownUsPerActivation, 1)),
      row('virtual s per wall s', ({ speed }) => formatSpread(speed, 1)),
      row('virtual s', ({ virtualNs }) => (Number(virtualNs) / 1e9).toFixed(3)),
      row('activations', ({ activations }) => `${activations}`),
      row('events', ({ events }) => `${events}`),
      row('trace, the same each time', ({ traceHash }) => traceHash.replace('sha256:', '').slice(0, 12)),
    ]),
    `\nStart-up (a run that ends at once): ${formatSpread(report.startUpCpuMs, 0)} ms of CPU time of our process, `,
    `${formatSpread(report.startUpWallMs, 0)} ms of wall time.\n`,
    `\nMessages of the time protocol in one run of two-guests, both guests and both ways:\n\n`,
    formatMessages(report.messages),
    report.peer === null
      ? ''
      : `\nTwo guests with another controller; ratios of runs in turn:\n\n${formatComparison(report.peer)}`,
  ].join('');
}
