// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { instant, NEVER } from './index.js';
import { FakeWorld, type Model, numbers, randomModel, referenceTrace } from './testing/model.js';

/** Orders records of one instant by node, and leaves each node's own order as it was. */
function canonical(trace: readonly string[]): string {
  return trace
    .map((record) => ({ record, key: record.split(' ', 2).map(Number) as [number, number] }))
    .sort(({ key: a }, { key: b }) => a[0] - b[0] || a[1] - b[1])
    .map(({ record }) => record)
    .join('\n');
}

function run(model: Model, jobs: number, order: (below: number) => number, until = NEVER): string {
  return canonical(new FakeWorld(model, jobs, order, until).run());
}

/** 1 … `count` in ranges of `size`. */
function ranges(count: number, size: number): [number, number][] {
  return Array.from({ length: count / size }, (_, place) => [place * size + 1, (place + 1) * size]);
}

describe('the calendar', () => {
  // T1, T2, T3 and T6 are asserted by the participants of the model.
  it.each(ranges(3000, 500))(
    'gives the trace of the plain calendar, serial and parallel, whoever answers first: topologies %i to %i',
    (first, last) => {
      let reactions = 0;
      for (let seed = first; seed <= last; seed++) {
        const model = randomModel(seed);
        const reference = canonical(referenceTrace(model, NEVER));
        reactions += reference.split('\n').length;
        expect(
          run(model, 1, () => 0),
          `serial, seed ${seed}`,
        ).toBe(reference);
        expect(run(model, 16, numbers(seed + 7)), `parallel, seed ${seed}`).toBe(reference);
        expect(run(model, 2, numbers(seed + 9)), `two at once, seed ${seed}`).toBe(reference);
      }
      // The models do something, or the comparison would mean nothing.
      expect(reactions).toBeGreaterThan(25_000);
    },
  );

  it('opens the same windows, serial and parallel', () => {
    for (let seed = 1; seed <= 500; seed++) {
      const model = randomModel(seed);
      const windows = [1, 2, 16].map((jobs) => {
        const world = new FakeWorld(model, jobs, numbers(seed + jobs), NEVER);
        world.run();
        return world.barriers;
      });
      expect(new Set(windows).size, `seed ${seed}: ${windows}`).toBe(1);
    }
  });

  it('lets nothing happen at its end or later', () => {
    for (let seed = 1; seed <= 500; seed++) {
      const model = randomModel(seed);
      const until = instant(150n);
      expect(run(model, 4, numbers(seed), until), `seed ${seed}`).toBe(
        canonical(referenceTrace(model, until)),
      );
    }
  });
});
