// SPDX-License-Identifier: MIT
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { duration, Lookahead, NEVER } from './index.js';
import { connectAll, distances, graphs } from './testing/graphs.js';

describe('Lookahead', () => {
  it('knows the least latency from each domain to each, before and after latencies change', () => {
    fc.assert(
      fc.property(graphs, ({ domains, ways }) => {
        const lookahead = new Lookahead(domains);
        const change = connectAll(lookahead, ways);
        for (const turn of [0, 1]) {
          const least = distances(domains, ways, turn);
          for (let a = 0; a < domains; a++) {
            for (let b = 0; b < domains; b++) expect(lookahead.distance(a, b)).toBe(least[a]?.[b]);
          }
          change();
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('tells ways that lead there only from those that lead back', () => {
    const lookahead = new Lookahead(3);
    lookahead.connect(0, 1, duration(9n));
    lookahead.connect(0, 1, duration(4n));
    lookahead.connect(1, 2, duration(5n));
    expect(lookahead.distance(0, 2)).toBe(9n);
    expect(lookahead.distance(1, 0)).toBe(NEVER);
    expect(lookahead.distance(2, 0)).toBe(NEVER);
  });

  it('has a core for each domain that may lie between others, and leaves for the rest', () => {
    const lookahead = new Lookahead(6);
    for (const leaf of [0, 1, 2]) {
      lookahead.connect(leaf, 3, duration(7n));
      lookahead.connect(3, leaf, duration(0n));
    }
    lookahead.connect(4, 5, duration(1n));
    lookahead.connect(5, 4, duration(1n));
    const { cores } = lookahead.structure;
    expect(cores.map(({ domain, leaves }) => [domain, leaves.map((leaf) => leaf.domain)])).toEqual([
      [3, [0, 1, 2]],
      [4, [5]],
    ]);
  });
});
