// SPDX-License-Identifier: MIT
import type { Cost, ExitSample, ExitTurn } from './kvm-exits.js';
import { formatPercent, formatSpread, type Spread, spread } from './spread.js';
import type { TableFormat } from './table.js';

/** The most that our part of an exit is meant to be of it. */
export const EXIT_TARGET = 0.2;

/** One kind of exit. Each turn is compared by itself. */
export interface ExitSummary {
  readonly name: string;
  readonly handled: ExitSample['handled'];
  readonly wallUs: Spread;
  readonly cpuUs: Spread;
  /** To a bare exit by PIO. */
  readonly wallRatio: Spread;
  readonly cpuRatio: Spread;
  /** Of the exit, what a bare one of the same way does not cost; below 0 where other work on the machine is more than that. */
  readonly wallShare: Spread;
  readonly cpuShare: Spread;
  /** By CPU time, which other work on the machine hardly changes. */
  readonly reached: boolean;
}

export interface ExitResult {
  readonly bareWallUs: Spread;
  readonly bareCpuUs: Spread;
  readonly target: number;
  readonly exits: readonly ExitSummary[];
}

/** @param turns one or more, all with the same samples */
export function summarizeExits(turns: readonly ExitTurn[]): ExitResult {
  const [first] = turns as readonly [ExitTurn];
  return {
    bareWallUs: spread(turns.map(({ bare }) => bare.wallUs)),
    bareCpuUs: spread(turns.map(({ bare }) => bare.cpuUs)),
    target: EXIT_TARGET,
    exits: first.samples.map(({ name, handled }, place) => {
      const over = (figure: (sample: ExitSample, bare: Cost) => number) =>
        spread(turns.map(({ samples, bare }) => figure(samples[place] as ExitSample, bare)));
      const cpuShare = over(({ ours, bare }) => 1 - bare.cpuUs / ours.cpuUs);
      return {
        name,
        handled,
        wallUs: over(({ ours }) => ours.wallUs),
        cpuUs: over(({ ours }) => ours.cpuUs),
        wallRatio: over(({ ours }, bare) => ours.wallUs / bare.wallUs),
        cpuRatio: over(({ ours }, bare) => ours.cpuUs / bare.cpuUs),
        wallShare: over(({ ours, bare }) => 1 - bare.wallUs / ours.wallUs),
        cpuShare,
        reached: cpuShare.median <= EXIT_TARGET,
      };
    }),
  };
}

export function formatExits(
  { exits, bareWallUs, bareCpuUs, target }: ExitResult,
  table: TableFormat,
): string {
  return [
    table([
      [
        '',
        'wall us',
        'CPU us',
        'wall / bare',
        'CPU / bare',
        'our share of wall, %',
        'of CPU, %',
        `at most ${target * 100} %`,
      ],
      ['bare, by PIO', formatSpread(bareWallUs, 1), formatSpread(bareCpuUs, 1), '1', '1', '', '', ''],
      ...exits.map((exit) => [
        `${exit.name}, in ${exit.handled}`,
        formatSpread(exit.wallUs, 1),
        formatSpread(exit.cpuUs, 1),
        formatSpread(exit.wallRatio, 2),
        formatSpread(exit.cpuRatio, 2),
        formatPercent(exit.wallShare, 0),
        formatPercent(exit.cpuShare, 0),
        exit.reached ? 'reached' : 'missed',
      ]),
    ]),
    exits.some(({ name }) => name.includes('hypercall'))
      ? ''
      : '\nNo hypercalls: KVM keeps ours to itself there (it is not the patched one).\n',
  ].join('');
}
