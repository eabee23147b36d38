// SPDX-License-Identifier: MIT
import { expect, it } from 'vitest';
import type { ScaleSize } from './scale.js';
import { spread } from './spread.js';
import { along, estimate, growth } from './thousand.js';

const size = (guests: number, us: number): ScaleSize => ({
  guests,
  active: guests,
  wallMs: spread([1000]),
  bootMs: spread([500]),
  bootGuestCpuMs: spread([30]),
  bootOwnCpuMs: spread([100 + guests * 20]),
  activations: 1000,
  events: 2000,
  ownUsPerActivation: spread([us * 2]),
  ownUsPerEvent: spread([us]),
  footprint: footprint(guests),
});

const footprint = (guests: number) => ({
  ownPeakMb: 60 + guests,
  ownPrivatePeakMb: 50 + guests / 10,
  descriptors: 20 + guests * 10,
  guestProcesses: guests * 3,
  guestsMb: guests * 18,
});

const sizes = [size(2, 10), size(8, 12), size(128, 20)];
const large = {
  guests: 200,
  wallMs: 1000,
  guestCpuMs: 1000,
  ownCpuMs: 1000,
  activations: 1000,
  events: 1000,
  footprint: footprint(200),
};

it('goes along a straight line', () => {
  expect(along(10, [0, 1], [5, 2])).toBe(3);
});

it('compares the growth of cost with that of the logarithm', () => {
  expect(growth(sizes)).toEqual({ from: 2, to: 128, cost: 2, log: 7 });
});

it('estimates from what was measured', () => {
  const values = Object.fromEntries(
    estimate(1000, sizes, large, 4).map(({ what, value }) => [what.trim(), value]),
  );
  expect(values).toMatchObject({
    'GB of guests': '18.0',
    "GB of our process, without guests' memory": '0.15',
    'descriptors of our process (ulimit -n)': '10020',
    'processes of guests (ulimit -u)': '3000',
    'CPU s of all boots, ours included': '50',
    'on 4 cores, s at least': '13',
  });
});
