// SPDX-License-Identifier: MIT
import type { LargeRun, ScaleResult, ScaleSize } from './scale.js';
import { formatSpread } from './spread.js';
import type { TableFormat } from './table.js';
import { estimate, growth } from './thousand.js';

/** What our process may have resident in the run of many guests. */
const MEMORY_TARGET_MB = 200;

export function formatScale({ sizes, large }: ScaleResult, table: TableFormat): string {
  return [
    formatSizes(sizes, table),
    formatGrowth(sizes),
    `\nOne run of ${large.guests} guests, all of which ping:\n\n`,
    formatLarge(large, table),
    `\nWhat 1000 guests would take, computed from these:\n\n`,
    table([['', '1000 guests'], ...estimate(1000, sizes, large).map(({ what, value }) => [what, value])]),
  ].join('');
}

function formatSizes(sizes: readonly ScaleSize[], table: TableFormat): string {
  return table([
    [
      'guests, active',
      'our CPU us per activation',
      'our CPU us per event',
      'activations',
      'events',
      'wall s',
      'of it boot',
      'boot, CPU ms of a guest',
      'our peak MB',
      "without guests' memory",
      'MB of a guest',
    ],
    ...sizes.map((size) => [
      `${size.guests}, ${size.active}`,
      formatSpread(size.ownUsPerActivation, 1),
      formatSpread(size.ownUsPerEvent, 1),
      `${size.activations}`,
      `${size.events}`,
      (size.wallMs.median / 1000).toFixed(1),
      (size.bootMs.median / 1000).toFixed(1),
      size.bootGuestCpuMs.median.toFixed(0),
      size.footprint.ownPeakMb.toFixed(0),
      size.footprint.ownPrivatePeakMb.toFixed(0),
      (size.footprint.guestsMb / size.guests).toFixed(1),
    ]),
  ]);
}

function formatGrowth(sizes: readonly ScaleSize[]): string {
  const lines = [
    { what: 'all active', of: sizes.filter(({ guests, active }) => active === guests) },
    { what: 'two active', of: sizes.filter(({ active }) => active === 2) },
  ].map(({ what, of }) => {
    const { from, to, cost, log } = growth(of);
    const judged = cost <= log ? 'reached' : 'missed';
    return `${what}: an event costs ${cost.toFixed(2)} times as much with ${to} guests as with ${from}; target, the ratio of their logarithms: at most ${log.toFixed(2)}: ${judged}`;
  });
  return `\n${lines.join('\n\n')}\n`;
}

function formatLarge(large: LargeRun, table: TableFormat): string {
  const { footprint } = large;
  const reached = footprint.ownPeakMb < MEMORY_TARGET_MB ? 'reached' : 'missed';
  return table([
    ['', `${large.guests} guests`],
    ['wall s', (large.wallMs / 1000).toFixed(1)],
    ['CPU s of guests', (large.guestCpuMs / 1000).toFixed(1)],
    ['CPU s of our process', (large.ownCpuMs / 1000).toFixed(1)],
    ['activations', `${large.activations}`],
    ['events', `${large.events}`],
    ['peak MB of our process', footprint.ownPeakMb.toFixed(0)],
    ['  target', `below ${MEMORY_TARGET_MB}: ${reached}`],
    ["  the same without guests' memory", footprint.ownPrivatePeakMb.toFixed(0)],
    ['MB of all guests', footprint.guestsMb.toFixed(0)],
    ['processes of guests', `${footprint.guestProcesses}`],
    ['descriptors of our process', `${footprint.descriptors}`],
  ]);
}
