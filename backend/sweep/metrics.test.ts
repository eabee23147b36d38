// SPDX-License-Identifier: MIT
import { expect, it } from 'vitest';
import type { RunResult } from '../run/result.js';
import { MAX_METRICS, metricsOf } from './metrics.js';

const RUN = { virtualNs: '2500000000', wallMs: 12.5, events: 40 };

function metrics(output: unknown): [string, number][] {
  const script = { state: 'ended', endedNs: '0', output, error: null, expectations: [] };
  return [...metricsOf({ ...RUN, script } as unknown as RunResult)];
}

const OWN = [
  ['run.virtualS', 2.5],
  ['run.wallMs', 12.5],
  ['run.events', 40],
];

it.each([
  [undefined, []],
  [null, []],
  ['text', []],
  [7, [['output', 7]]],
  [true, [['output', 1]]],
  [
    { b: 1, a: { x: 2, y: { z: false } }, text: '3', none: null, list: [4, 'five', 6] },
    [
      ['b', 1],
      ['a.x', 2],
      ['a.y.z', 0],
      ['list.0', 4],
      ['list.2', 6],
    ],
  ],
  [{ a: { b: 1 }, 'a.b': 2 }, [['a.b', 1]]],
])('of the output %j', (output, expected) => {
  expect(metrics(output)).toEqual([...expected, ...OWN]);
});

it('an output is kept before a figure of the run with its name', () => {
  expect(metrics({ run: { events: 1 } })).toEqual([['run.events', 1], ...OWN.slice(0, 2)]);
});

it('a run of a topology has its own', () => {
  expect([...metricsOf(RUN as unknown as RunResult)]).toEqual(OWN);
});

it('are bounded in number and depth', () => {
  expect(metrics(Array.from({ length: 10_000 }, () => 1))).toHaveLength(MAX_METRICS + OWN.length);
  let deep: unknown = 1;
  for (let level = 0; level < 10_000; level++) deep = { deep };
  expect(metrics(deep)).toEqual(OWN);
});
