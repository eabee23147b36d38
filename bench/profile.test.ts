// SPDX-License-Identifier: MIT
import { expect, it } from 'vitest';
import { perActivation } from './profile.js';
import { ADDON, PARTS, type Part } from './profile-parts.js';

const totals = (figures: { ms: number; activations: number; us: Partial<Record<Part, number>> }) => ({
  runs: 2,
  activations: figures.activations,
  ownMs: figures.ms,
  parts: {
    ...(Object.fromEntries(PARTS.map((part) => [part, 0])) as Record<Part, number>),
    ...figures.us,
  },
  calls: new Map([['sendmsg', figures.activations]]),
});

it('takes off what a run costs that ends at once, and gives the addon what the profile cannot tell', () => {
  const of = totals({ ms: 32, activations: 200, us: { calendar: 2000, [ADDON]: 90_000 } });
  const start = totals({ ms: 12, activations: 2, us: { calendar: 1000 } });
  const { ownUs, us } = perActivation('case', of, start);
  expect(ownUs).toBeCloseTo(100);
  expect(us.calendar).toBeCloseTo(5);
  expect(us[ADDON]).toBeCloseTo(95);
});

it('counts no system calls without strace', () => {
  const of = { ...totals({ ms: 32, activations: 200, us: {} }), calls: undefined };
  expect(perActivation('case', of, of).calls).toBeNull();
});
