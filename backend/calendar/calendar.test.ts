// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { instant, NEVER } from './index.js';
import { FakeWorld, type Model, numbers, randomModel, referenceTrace } from './testing/model.js';

/** Orders records of one instant by node, and leaves each node's own order as it was. */
function canonical(trace: readonly string[]): string[] {
  return [...trace].sort((a, b) => {
    const [timeA, nodeA] = a.split(' ').map(Number) as [number, number];
    const [timeB, nodeB] = b.split(' ').map(Number) as [number, number];
    return timeA - timeB || nodeA - nodeB;
  });
}

function run(model: Model, jobs: number, order: (below: number) => number, until = NEVER): string[] {
  return canonical(new FakeWorld(model, jobs, order, until).run());
}

describe('the calendar', () => {
  it('gives the trace of the plain calendar, serial and parallel, whoever answers first', () => {
    let reactions = 0;
    for (let seed = 1; seed <= 1000; seed++) {
      const model = randomModel(seed);
      const reference = canonical(referenceTrace(model, NEVER));
      reactions += reference.length;
      expect(
        run(model, 1, () => 0),
        `serial, seed ${seed}`,
      ).toEqual(reference);
      expect(run(model, 16, numbers(seed + 7)), `parallel, seed ${seed}`).toEqual(reference);
      expect(run(model, 2, numbers(seed + 9)), `two at once, seed ${seed}`).toEqual(reference);
    }
    // The models do something, or the comparison would mean nothing.
    expect(reactions).toBeGreaterThan(50_000);
  });

  it('lets nothing happen at its end or later', () => {
    for (let seed = 1; seed <= 200; seed++) {
      const model = randomModel(seed);
      const until = instant(150n);
      expect(run(model, 4, numbers(seed), until), `seed ${seed}`).toEqual(
        canonical(referenceTrace(model, until)),
      );
    }
  });
});
