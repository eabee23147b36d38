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
          expect(windows.open(span)).toEqual(expectedWindows(times, distances(domains, ways, turn), span));
        }
      }),
      { numRuns: 4000 },
    );
  });

  it('ends all windows at one instant where a search would be long', () => {
    let cut = 0;
    fc.assert(
      fc.property(graphs, fc.integer({ min: -60, max: 4 }), ({ domains, ways, next, span }, steps) => {
        const lookahead = new Lookahead(domains);
        connectAll(lookahead, ways);
        const windows = new Windows(lookahead, domains, steps);
        next.forEach((at, domain) => {
          windows.update(domain, at);
        });
        const base = windows.safe;
        const least = distances(domains, ways, 0);
        const whole = expectedWindows(next, least, span);
        // The earliest cannot run where they are on a cycle without latency.
        if (!whole.some(({ domain }) => next[domain] === base)) return;
        const found = windows.open(span);
        const end = found.reduce((latest, { horizon }) => Math.max(latest, Number(horizon - base)), 0);
        expect(end).toBeGreaterThan(0);
        expect(found).toEqual(expectedWindows(next, least, end));
        if (whole.some(({ horizon }) => Number(horizon - base) > end)) cut++;
      }),
      { numRuns: 4000 },
    );
    expect(cut).toBeGreaterThan(50);
  });
});
