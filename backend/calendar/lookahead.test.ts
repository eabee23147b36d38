// SPDX-License-Identifier: MIT
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { after, duration, type Instant, instant, Lookahead, NEVER } from './index.js';

const graphs = fc.integer({ min: 1, max: 7 }).chain((domains) =>
  fc.record({
    domains: fc.constant(domains),
    edges: fc.array(
      fc.record({
        from: fc.nat(domains - 1),
        to: fc.nat(domains - 1),
        latency: fc.bigInt(0n, 20n).map(duration),
      }),
      { maxLength: 16 },
    ),
    next: fc.array(fc.oneof(fc.bigInt(0n, 50n).map(instant), fc.constant(NEVER)), {
      minLength: domains,
      maxLength: domains,
    }),
  }),
);

/** Least latency of any way from one domain to another, by trying each as a stop on the way. */
function distances(
  domains: number,
  edges: readonly { from: number; to: number; latency: bigint }[],
): Instant[][] {
  const least = Array.from({ length: domains }, (_, a) =>
    Array.from({ length: domains }, (_, b) => (a === b ? instant(0n) : NEVER)),
  );
  const improve = (a: number, b: number, by: Instant) => {
    const row = least[a] as Instant[];
    if (by < (row[b] as Instant)) row[b] = by;
  };
  for (const { from, to, latency } of edges) improve(from, to, instant(latency));
  for (let via = 0; via < domains; via++) {
    for (let a = 0; a < domains; a++) {
      for (let b = 0; b < domains; b++) {
        improve(a, b, after(least[a]?.[via] as Instant, duration(least[via]?.[b] as Instant)));
      }
    }
  }
  return least;
}

describe('Lookahead', () => {
  it('lets each domain run to the least over the others of their next event and the way from there', () => {
    fc.assert(
      fc.property(graphs, ({ domains, edges, next }) => {
        const lookahead = new Lookahead(domains);
        for (const { from, to, latency } of edges) if (from !== to) lookahead.connect(from, to, latency);
        const least = distances(domains, edges);
        const expected = next.map((_, domain) =>
          next.reduce((horizon, at, other) => {
            if (other === domain) return horizon;
            const reached = after(at, duration(least[other]?.[domain] as Instant));
            return reached < horizon ? reached : horizon;
          }, NEVER),
        );
        expect(lookahead.horizons(next)).toEqual(expected);
        for (let a = 0; a < domains; a++) {
          for (let b = 0; b < domains; b++) expect(lookahead.distance(a, b)).toBe(least[a]?.[b]);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('forgets distances when a shorter way is found', () => {
    const lookahead = new Lookahead(2);
    lookahead.connect(0, 1, duration(9n));
    expect(lookahead.distance(0, 1)).toBe(9n);
    lookahead.connect(0, 1, duration(4n));
    expect(lookahead.distance(0, 1)).toBe(4n);
    expect(lookahead.distance(1, 0)).toBe(NEVER);
  });
});
