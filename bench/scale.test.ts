// SPDX-License-Identifier: MIT
import { expect, it } from 'vitest';
import { costOfTraffic } from './scale.js';
import { sample } from './testing/samples.js';

it('is the difference of a long and a short run', () => {
  const short = sample({ ownCpuMs: 300, activations: 100, events: 200, guestCpuMs: 80 });
  const long = sample({ ownCpuMs: 400, activations: 2100, events: 5200 });
  const cost = costOfTraffic(8, [{ short, long }]);
  expect(cost.activations).toBe(2000);
  expect(cost.ownUsPerActivation.median).toBe(50);
  expect(cost.ownUsPerEvent.median).toBe(20);
  expect(cost.bootGuestCpuMs.median).toBe(10);
});

it('fails where repetitions differ', () => {
  const pair = { short: sample({}), long: sample({}) };
  const other = { ...pair, long: sample({ traceHash: 'sha256:1' }) };
  expect(() => costOfTraffic(8, [pair, other])).toThrow('the repetitions of 8 guests differ');
});
