// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { readGiven } from './given.js';
import { combinationsOf, paramArguments, planRuns, seedsOf } from './plan.js';

const labels = (...texts: string[]) => combinationsOf(readGiven(texts), 1).map(({ label }) => label);

describe('combinations', () => {
  it('come in the order given, the last parameter changing first', () => {
    expect(labels('k=2,1', 'mode=b,a,c')).toEqual([
      'k=2 mode=b',
      'k=2 mode=a',
      'k=2 mode=c',
      'k=1 mode=b',
      'k=1 mode=a',
      'k=1 mode=c',
    ]);
  });

  it('are one without parameters', () => {
    expect(labels()).toEqual(['']);
  });

  it('go to the command of the run as they came', () => {
    const [, second] = combinationsOf(readGiven(['k=1', 'text=a,b\\,c\\\\']), 1);
    expect(paramArguments(second as never)).toEqual(['--param', 'k=1', '--param', 'text=b\\,c\\\\']);
  });

  it('are bounded before they are made', () => {
    const many = Array.from({ length: 1000 }, (_, value) => value).join(',');
    expect(() => combinationsOf(readGiven([`a=${many}`, `b=${many}`, `c=${many}`]), 5)).toThrow(
      'the sweep would be 5000000000 runs (1000 x 1000 x 1000 x 5); expected 10000 at most',
    );
    expect(combinationsOf(readGiven([`a=${many}`]), 10)).toHaveLength(1000);
    expect(() => combinationsOf(readGiven([`a=${many}`]), 11)).toThrow('11000 runs');
  });
});

describe('seeds', () => {
  it('begin with the base seed; the others come from it, and are exact in JSON', () => {
    const seeds = seedsOf(7n, 1000);
    expect(seeds[0]).toBe(7n);
    expect(new Set(seeds).size).toBe(1000);
    for (const seed of seeds.slice(1)) expect(seed >= 0n && seed < 1n << 48n).toBe(true);
    // They are part of what a sweep is known by: this must not change.
    expect(seedsOf(1n, 3)).toEqual([1n, 188952328179228n, 237192123824571n]);
  });

  it('do not depend on how many there are, and differ with the base', () => {
    expect(seedsOf(7n, 10).slice(0, 3)).toEqual(seedsOf(7n, 3));
    const shared = new Set(seedsOf(7n, 100).filter((seed) => seedsOf(8n, 100).includes(seed)));
    expect(shared.size).toBe(0);
  });

  it('are the same in every combination', () => {
    expect(planRuns(2, [5n, 6n])).toEqual([
      { combination: 0, repetition: 1, seed: 5n },
      { combination: 0, repetition: 2, seed: 6n },
      { combination: 1, repetition: 1, seed: 5n },
      { combination: 1, repetition: 2, seed: 6n },
    ]);
  });
});
