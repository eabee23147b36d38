// SPDX-License-Identifier: MIT
import fc from 'fast-check';
import { after, duration, type Instant, instant, type Lookahead, NEVER } from '../index.js';

/** A way that has one latency after another; undefined: there is none for the time being. */
export interface TestWay {
  readonly from: number;
  readonly to: number;
  readonly latencies: readonly (bigint | undefined)[];
}

/** Domains, ways among them, and the next event of each. Many have one way only, as nodes at a switch do. */
export const graphs = fc.integer({ min: 1, max: 9 }).chain((domains) => {
  const domain = fc.nat(domains - 1);
  const latency = fc.option(fc.bigInt(0n, 20n), { nil: undefined, freq: 6 });
  const way = (from: fc.Arbitrary<number>) =>
    fc.record({ from, to: domain, latencies: fc.tuple(latency, latency) });
  return fc.record({
    domains: fc.constant(domains),
    ways: fc.array(fc.oneof(way(domain), way(fc.constant(0))), { maxLength: 16 }),
    next: fc.array(fc.oneof(fc.bigInt(0n, 50n).map(instant), fc.constant(NEVER)), {
      minLength: domains,
      maxLength: domains,
    }),
    span: fc.integer({ min: 1, max: 80 }),
  });
});

/** Connects all, both ways, with their first latencies; the result gives all of them their second. */
export function connectAll(lookahead: Lookahead, ways: readonly TestWay[]): () => void {
  const made = ways.flatMap(({ from, to, latencies: [first, second] }) => [
    { way: lookahead.connect(from, to, latencyOf(first)), second },
    { way: lookahead.connect(to, from, latencyOf(first)), second },
  ]);
  return () => {
    for (const { way, second } of made) lookahead.change(way, latencyOf(second));
  };
}

function latencyOf(nanoseconds: bigint | undefined) {
  return nanoseconds === undefined ? undefined : duration(nanoseconds);
}

/** Least latency of any way from one domain to another, by trying each as a stop on the way. */
export function distances(domains: number, ways: readonly TestWay[], turn: number): Instant[][] {
  const least = Array.from({ length: domains }, (_, a) =>
    Array.from({ length: domains }, (_, b) => (a === b ? instant(0n) : NEVER)),
  );
  const improve = (a: number, b: number, by: Instant) => {
    const row = least[a] as Instant[];
    if (by < (row[b] as Instant)) row[b] = by;
  };
  for (const { from, to, latencies } of ways) {
    const latency = latencies[turn];
    if (latency === undefined) continue;
    improve(from, to, instant(latency));
    improve(to, from, instant(latency));
  }
  for (let via = 0; via < domains; via++) {
    for (let a = 0; a < domains; a++) {
      for (let b = 0; b < domains; b++) {
        improve(a, b, after(least[a]?.[via] as Instant, duration(least[via]?.[b] as Instant)));
      }
    }
  }
  return least;
}
