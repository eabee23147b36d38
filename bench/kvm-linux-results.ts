// SPDX-License-Identifier: MIT
import type { LinuxRun, LinuxTurn } from './kvm-linux.js';
import { formatSpread, type Spread, spread } from './spread.js';
import type { TableFormat } from './table.js';

/** What guests with Linux cost. Each turn is compared by itself. */
export interface LinuxResult {
  /** The whole of the run with `sleep 1000`, which is its start for the most part. */
  readonly wholeMs: Spread;
  readonly wholeExits: Spread;
  /** The sleep alone. */
  readonly sleepMs: Spread;
  readonly sleepExits: Spread;
  readonly pings: number;
  /** For each ping, from the first packet to the last. */
  readonly kvmPingUs: Spread;
  readonly umlPingUs: Spread;
  readonly kvmPingExits: Spread;
  /** Those that JavaScript has seen. */
  readonly kvmPingSeen: Spread;
  /** KVM by User-Mode Linux. */
  readonly ratio: Spread;
  /** The same of whole runs. */
  readonly wholeRatio: Spread;
  readonly kvmActivations: number;
  readonly umlActivations: number;
}

/**
 * @param turns one or more
 * @throws where the runs of one turn are not those of another
 */
export function summarizeLinux(turns: readonly LinuxTurn[]): LinuxResult {
  const [first] = turns as readonly [LinuxTurn];
  for (const name of ['sleep', 'kvm', 'uml'] as const) {
    const traces = new Set(turns.map((turn) => turn[name].traceHash));
    if (traces.size > 1)
      throw new Error(`runs of Linux guests differ: their traces are ${[...traces].join(', ')}`);
  }
  const { pings } = first;
  const over = (figure: (turn: LinuxTurn) => number) => spread(turns.map(figure));
  const pingUs = ({ span }: LinuxRun) => (span.wallMs * 1000) / pings;
  return {
    wholeMs: over(({ sleep }) => sleep.wallMs),
    wholeExits: over(({ sleep }) => sleep.exits),
    sleepMs: over(({ sleep }) => sleep.span.wallMs),
    sleepExits: over(({ sleep }) => sleep.span.exits),
    pings,
    kvmPingUs: over(({ kvm }) => pingUs(kvm)),
    umlPingUs: over(({ uml }) => pingUs(uml)),
    kvmPingExits: over(({ kvm }) => kvm.span.exits / pings),
    kvmPingSeen: over(({ kvm }) => kvm.span.seen / pings),
    ratio: over(({ kvm, uml }) => pingUs(kvm) / pingUs(uml)),
    wholeRatio: over(({ kvm, uml }) => kvm.wallMs / uml.wallMs),
    kvmActivations: first.kvm.activations,
    umlActivations: first.uml.activations,
  };
}

export function formatLinux(result: LinuxResult, table: TableFormat): string {
  const { pings, kvmActivations, umlActivations } = result;
  return [
    table([
      ['', 'wall ms', 'exits'],
      ['whole run with `sleep 1000`', formatSpread(result.wholeMs, 0), formatSpread(result.wholeExits, 0)],
      ['`sleep 1000` alone', formatSpread(result.sleepMs, 0), formatSpread(result.sleepExits, 0)],
    ]),
    '\n',
    table([
      [`two guests, ${pings} pings`, 'KVM', 'User-Mode Linux', 'KVM / UML'],
      [
        'wall us a ping',
        formatSpread(result.kvmPingUs, 0),
        formatSpread(result.umlPingUs, 0),
        formatSpread(result.ratio, 2),
      ],
      ['exits a ping', formatSpread(result.kvmPingExits, 1), '', ''],
      ['of which JavaScript sees', formatSpread(result.kvmPingSeen, 1), '', ''],
      ['activations, whole run', `${kvmActivations}`, `${umlActivations}`, ''],
      ['wall time, whole run', '', '', formatSpread(result.wholeRatio, 2)],
    ]),
  ].join('');
}
