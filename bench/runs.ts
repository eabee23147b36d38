// SPDX-License-Identifier: MIT
import { CASES, type CaseResult, START_UP, summarize } from './cases.js';
import { checkMessages, countCase, formatMessages, type MessageResult } from './messages.js';
import { type Sample, takeSample } from './sample.js';
import { formatPercent, formatSpread, type Spread, spread } from './spread.js';
import type { TableFormat } from './table.js';

/** What runs cost. */
export interface RunsResult {
  /** CPU time of our process in a run that ends at once. */
  readonly startUpCpuMs: Spread;
  /** Wall time of such a run. */
  readonly startUpWallMs: Spread;
  readonly cases: readonly CaseResult[];
  readonly messages: readonly MessageResult[];
}

export async function measureRuns(
  repetitions: number,
  progress: (text: string) => void,
): Promise<RunsResult> {
  const samples = new Map<string, Sample[]>([START_UP, ...CASES].map((name) => [name, []]));
  // In turn, so that whatever else the machine does meets all of them.
  for (let repetition = 1; repetition <= repetitions; repetition++) {
    for (const [name, taken] of samples) {
      progress(`runs, repetition ${repetition} of ${repetitions}: ${name}`);
      taken.push(await takeSample(name));
    }
  }
  const started = samples.get(START_UP) as Sample[];
  const startUpCpuMs = spread(started.map(({ ownCpuMs }) => ownCpuMs));
  const cases: CaseResult[] = CASES.map((name) =>
    summarize(name, samples.get(name) as Sample[], startUpCpuMs.median),
  );
  progress('counting messages');
  const messages = [await countCase('two-guests', true), await countCase('two-guests', false)];
  for (const counted of messages) checkMessages(counted, cases);
  return { startUpCpuMs, startUpWallMs: spread(started.map(({ wallMs }) => wallMs)), cases, messages };
}

export function formatRuns(result: RunsResult, table: TableFormat): string {
  const { cases, messages, startUpCpuMs, startUpWallMs } = result;
  const row = (name: string, cell: (result: CaseResult) => string) => [name, ...cases.map(cell)];
  return [
    table([
      row('', ({ name }) => name),
      row('wall ms, of the whole command', ({ wallMs }) => formatSpread(wallMs, 0)),
      row('CPU ms of guests', ({ guestCpuMs }) => formatSpread(guestCpuMs, 0)),
      row('CPU ms of our process', ({ ownCpuMs }) => formatSpread(ownCpuMs, 0)),
      row('our share of CPU time, %', ({ ownShare }) => formatPercent(ownShare, 1)),
      row('  the same after start-up, %', ({ ownShareAfterStart }) => formatPercent(ownShareAfterStart, 1)),
      row('our CPU us per activation', ({ ownUsPerActivation }) => formatSpread(ownUsPerActivation, 1)),
      row('virtual s per wall s', ({ speed }) => formatSpread(speed, 1)),
      row('virtual s', ({ virtualNs }) => (Number(virtualNs) / 1e9).toFixed(3)),
      row('activations', ({ activations }) => `${activations}`),
      row('events', ({ events }) => `${events}`),
      row('trace, the same each time', ({ traceHash }) => traceHash.replace('sha256:', '').slice(0, 12)),
    ]),
    `\nStart-up (a run that ends at once): ${formatSpread(startUpCpuMs, 0)} ms of CPU time of our process, `,
    `${formatSpread(startUpWallMs, 0)} ms of wall time.\n`,
    `\nMessages of the time protocol in one run of two-guests, both guests and both ways:\n\n`,
    formatMessages(messages, table),
  ].join('');
}
