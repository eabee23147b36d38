// SPDX-License-Identifier: MIT
import { availableParallelism } from 'node:os';
import type { LargeRun, ScaleSize } from './scale.js';

/** How the cost of an event grows from the least to the greatest number of guests. */
export interface Growth {
  readonly from: number;
  readonly to: number;
  /** Cost with `to` by that with `from`. */
  readonly cost: number;
  /** log `to` by log `from`. */
  readonly log: number;
}

/** @param sizes two or more, the least first */
export function growth(sizes: readonly ScaleSize[]): Growth {
  const [least, most] = [sizes[0], sizes.at(-1)] as [ScaleSize, ScaleSize];
  return {
    from: least.guests,
    to: most.guests,
    cost: most.ownUsPerEvent.median / least.ownUsPerEvent.median,
    log: Math.log(most.guests) / Math.log(least.guests),
  };
}

/** The straight line through two points, at `x`. */
export function along(
  x: number,
  [x0, y0]: readonly [number, number],
  [x1, y1]: readonly [number, number],
): number {
  return y0 + ((x - x0) * (y1 - y0)) / (x1 - x0);
}

/** What a run of so many guests would take; all of them active. */
export function estimate(
  guests: number,
  sizes: readonly ScaleSize[],
  large: LargeRun,
  cores = availableParallelism(),
): { what: string; value: string }[] {
  const all = sizes.filter((size) => size.active === size.guests);
  const [least, most] = [all[0], all.at(-1)] as [ScaleSize, ScaleSize];
  const linear = (of: (footprint: ScaleSize['footprint']) => number) =>
    along(guests, [least.guests, of(least.footprint)], [large.guests, of(large.footprint)]);
  const logarithmic = (of: (size: ScaleSize) => number) =>
    along(Math.log(guests), [Math.log(least.guests), of(least)], [Math.log(most.guests), of(most)]);
  const guestsMb = (large.footprint.guestsMb / large.guests) * guests;
  const ownMb = linear(({ ownPrivatePeakMb }) => ownPrivatePeakMb);
  const bootOwnMs = (most.bootOwnCpuMs.median - least.bootOwnCpuMs.median) / (most.guests - least.guests);
  const bootS = ((most.bootGuestCpuMs.median + bootOwnMs) * guests) / 1000;
  return [
    { what: 'GB of guests', value: (guestsMb / 1000).toFixed(1) },
    { what: "GB of our process, without guests' memory", value: (ownMb / 1000).toFixed(2) },
    { what: 'GB in all', value: ((guestsMb + ownMb) / 1000).toFixed(1) },
    {
      what: 'descriptors of our process (ulimit -n)',
      value: linear(({ descriptors }) => descriptors).toFixed(0),
    },
    {
      what: 'processes of guests (ulimit -u)',
      value: linear(({ guestProcesses }) => guestProcesses).toFixed(0),
    },
    { what: 'CPU s of all boots, ours included', value: bootS.toFixed(0) },
    { what: `  on ${cores} cores, s at least`, value: (bootS / cores).toFixed(0) },
    {
      what: 'our CPU us per event',
      value: logarithmic(({ ownUsPerEvent }) => ownUsPerEvent.median).toFixed(1),
    },
    {
      what: 'our CPU us per activation',
      value: logarithmic(({ ownUsPerActivation }) => ownUsPerActivation.median).toFixed(1),
    },
  ];
}
