// SPDX-License-Identifier: MIT
import { plot } from './plot.js';
import type { ScaleSize } from './scale.js';

/** Cost against the number of guests. */
export function plotScale(sizes: readonly ScaleSize[]): string {
  const all = sizes.filter(({ guests, active }) => active === guests);
  const two = sizes.filter(({ active }) => active === 2);
  const points = (of: readonly ScaleSize[], figure: 'ownUsPerActivation' | 'ownUsPerEvent') =>
    of.map((size) => ({ x: size.guests, y: size[figure] }));
  return plot({
    title: 'CPU time of the controller against the number of guests',
    x: 'guests on one switch',
    y: 'microseconds',
    series: [
      {
        name: 'per activation, all guests active',
        color: '#1f5fa8',
        points: points(all, 'ownUsPerActivation'),
      },
      {
        name: 'per activation, two active',
        color: '#1f5fa8',
        dashed: true,
        points: points(two, 'ownUsPerActivation'),
      },
      { name: 'per event, all guests active', color: '#c2570c', points: points(all, 'ownUsPerEvent') },
      { name: 'per event, two active', color: '#c2570c', dashed: true, points: points(two, 'ownUsPerEvent') },
    ],
  });
}
