// SPDX-License-Identifier: MIT
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { after, duration, type Instant, Lookahead, NEVER } from './index.js';
import { connectAll, distances, graphs } from './testing/graphs.js';
import { Windows } from './windows.js';

/** The definition: the least over all other domains of their next event and the way from there. */
function expectedWindows(next: readonly Instant[], least: readonly Instant[][], span: number) {
  const base = next.reduce((a, b) => (b < a ? b : a), NEVER);
  const limit = after(base, duration(BigInt(span)));
  return next.flatMap((own, domain) => {
    const horizon = next.reduce((bound, at, other) => {
      if (other === domain) return bound;
      const reached = after(at, duration(least[other]?.[domain] as Instant));
      return reached < bound ? reached : bound;
    }, limit);
    return own < horizon ? [{ domain, horizon }] : [];
  });
}

describe('Windows', () => {
  it('opens each domain up to the least over the others of their next event and the way from there', () => {
    fc.assert(
      fc.property(graphs, graphs, ({ domains, ways, next, span }, other) => {
        const lookahead = new Lookahead(domains);
        const change = connectAll(lookahead, ways);
        const windows = new Windows(lookahead, domains);
        const later = next.map((at, domain) => other.next[domain] ?? at);
        for (const [turn, times] of [
          [0, next],
          [0, later],
          [1, later],
          [1, next],
        ] as const) {
          if (turn === 1) change();
          times.forEach((at, domain) => {
            windows.update(domain, at);
          });
          const base = times.reduce((a, b) => (b < a ? b : a), NEVER);
          expect(windows.safe).toBe(base);
          if (base === NEVER) continue;
          expect(windows.open(base, span)).toEqual(
            expectedWindows(times, distances(domains, ways, turn), span),
          );
        }
      }),
      { numRuns: 4000 },
    );
  });
});
