// SPDX-License-Identifier: MIT
import { expect, it } from 'vitest';
import { compareEngines, formatEngine } from './mm1.js';
import { callbacks, processes } from './mm1-models.js';
import { formatTable } from './table.js';

const turn = (seconds: number) => ({
  customers: 1000,
  events: 4000,
  seconds,
  cpuSeconds: seconds,
  waited: 0.03,
});

it('compares turn by turn with SimPy, and says whether the target is reached', () => {
  const turns = {
    processes: [turn(0.001), turn(0.004)],
    callbacks: [turn(0.001), turn(0.001)],
    SimPy: [turn(0.01), turn(0.02)],
  };
  const result = compareEngines(turns, 'SimPy 4');
  const [own] = result.cases;
  expect(own?.ratio).toEqual({ median: 7.5, min: 5, max: 10 });
  expect(own?.eventsPerSecond).toEqual({ median: 2.5e6, min: 1e6, max: 4e6 });
  expect(result.reached).toBe(true);
  expect(formatEngine(result, formatTable)).toMatch(
    /customers \/ s by those of SimPy +7\.50 \(5\.00\.\.10\.00\)/,
  );
  expect(compareEngines({ processes: [turn(1)], SimPy: [] }, '').reached).toBe(false);
});

it('does without SimPy', () => {
  const result = compareEngines(
    { processes: [turn(1)], callbacks: [turn(1)], SimPy: [] },
    'SimPy is not here',
  );
  expect(result.cases.map(({ name, ratio }) => [name, ratio])).toEqual([
    ['processes', null],
    ['callbacks', null],
  ]);
  expect(formatEngine(result, formatTable)).toContain('SimPy is not here. Target: 1 million');
});

it('both ways to write the model are the same model', async () => {
  const [one, other] = await Promise.all([processes(3000, 5n), callbacks(3000, 5n)]);
  expect(one.waited).toBe(other.waited);
  expect(one.waited).toBeGreaterThan(0.005);
});
