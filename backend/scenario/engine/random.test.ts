// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { RandomStream, Simulation, simulate, Tally } from './index.js';

const DRAWS = 40_000;

function draw(count: number, next: (stream: RandomStream) => number): Tally {
  const stream = new RandomStream(1n, 'test');
  const tally = new Tally();
  for (let k = 0; k < count; k++) tally.record(next(stream));
  return tally;
}

describe('moments: the mean is within its 99.9 % interval, the deviation within 3 %', () => {
  const { PI, SQRT2, sqrt, exp } = Math;
  it.each<[string, (stream: RandomStream) => number, number, number]>([
    ['next', (s) => s.next(), 0.5, sqrt(1 / 12)],
    ['uniform', (s) => s.uniform(-2, 4), 1, sqrt(3)],
    ['integer', (s) => s.integer(1, 6), 3.5, sqrt(35 / 12)],
    ['bernoulli', (s) => Number(s.bernoulli(0.3)), 0.3, sqrt(0.21)],
    ['exponential', (s) => s.exponential(5), 5, 5],
    ['normal', (s) => s.normal(-3, 2), -3, 2],
    ['lognormal', (s) => s.lognormal(2, 0.5), 2 * exp(0.125), 2 * exp(0.125) * sqrt(exp(0.25) - 1)],
    ['pareto', (s) => s.pareto(2, 5), 2.5, sqrt((4 * 5) / (16 * 3))],
    ['weibull', (s) => s.weibull(3, 2), (3 * sqrt(PI)) / 2, 3 * sqrt(1 - PI / 4)],
    ['weibull of shape 1', (s) => s.weibull(SQRT2, 1), SQRT2, SQRT2],
    ['poisson', (s) => s.poisson(4), 4, 2],
    ['poisson of many', (s) => s.poisson(100), 100, 10],
    ['poisson of very many', (s) => s.poisson(1e6), 1e6, 1e3],
    ['exponential of a span', (s) => Number(s.exponential('5us')), 5000, 5000],
    ['choice with weights', (s) => s.choice([1, 2, 3], [1, 0, 3]), 2.5, sqrt(0.75)],
  ])('%s', (_, next, mean, deviation) => {
    const tally = draw(DRAWS, next);
    const [low, high] = tally.interval(0.999);
    expect(low).toBeLessThan(mean);
    expect(high).toBeGreaterThan(mean);
    expect(Math.abs(tally.deviation / deviation - 1)).toBeLessThan(0.03);
  });
});

describe('shape: Kolmogorov and Smirnov find no difference (1 %)', () => {
  it.each<[string, (stream: RandomStream) => number, (x: number) => number]>([
    ['uniform', (s) => s.uniform(2, 3), (x) => x - 2],
    ['exponential', (s) => s.exponential(2), (x) => 1 - Math.exp(-x / 2)],
    ['pareto', (s) => s.pareto(1, 3), (x) => 1 - x ** -3],
    ['weibull', (s) => s.weibull(2, 3), (x) => 1 - Math.exp(-((x / 2) ** 3))],
    // The polar method: the angle of two normal numbers is even, the square of their distance exponential.
    ['normal', (s) => (s.normal(0, 1) ** 2 + s.normal(0, 1) ** 2) / 2, (x) => 1 - Math.exp(-x)],
  ])('%s', (_, next, chance) => {
    const stream = new RandomStream(2n, 'test');
    const values = Array.from({ length: DRAWS }, () => next(stream)).sort((a, b) => a - b);
    const distance = values.reduce(
      (most, x, k) => Math.max(most, Math.abs(chance(x) - k / DRAWS), Math.abs(chance(x) - (k + 1) / DRAWS)),
      0,
    );
    expect(distance).toBeLessThan(1.628 / Math.sqrt(DRAWS));
  });

  it.each([3, 29, 31, 60])('poisson of %i, by chi square (1 %%)', (mean) => {
    const stream = new RandomStream(3n, 'test');
    const counts = new Map<number, number>();
    for (let k = 0; k < DRAWS; k++) {
      const n = stream.poisson(mean);
      counts.set(n, (counts.get(n) ?? 0) + 1);
    }
    let chance = Math.exp(-mean);
    let square = 0;
    let classes = 0;
    for (let n = 0; n < 4 * mean; n++) {
      const expected = chance * DRAWS;
      if (expected >= 10) {
        square += ((counts.get(n) ?? 0) - expected) ** 2 / expected;
        classes++;
      }
      chance *= mean / (n + 1);
    }
    // Wilson and Hilferty; the classes do not cover all, so this is on the safe side.
    const bound = classes * (1 - 2 / (9 * classes) + 2.326 * Math.sqrt(2 / (9 * classes))) ** 3;
    expect(square).toBeLessThan(bound);
  });

  it('shuffle makes each order as often, and keeps the list', () => {
    const stream = new RandomStream(4n, 'test');
    const counts = new Map<string, number>();
    const list = ['a', 'b', 'c'] as const;
    for (let k = 0; k < 6000; k++) {
      const text = stream.shuffle(list).join('');
      counts.set(text, (counts.get(text) ?? 0) + 1);
    }
    expect(counts.size).toBe(6);
    // Chi square of 5 degrees, 1 %.
    expect([...counts.values()].reduce((sum, n) => sum + (n - 1000) ** 2 / 1000, 0)).toBeLessThan(15.09);
    expect(list).toEqual(['a', 'b', 'c']);
  });
});

describe('streams', () => {
  const numbers = (stream: RandomStream) => Array.from({ length: 5 }, () => stream.next());

  it('are the same for the same seed and names, and others for others', () => {
    const first = numbers(new RandomStream(1n, 'a'));
    expect(numbers(new RandomStream(1n, 'a'))).toEqual(first);
    const others = [
      new RandomStream(2n, 'a'),
      new RandomStream(1n, 'b'),
      new RandomStream(1n, 'a', 'a'),
      new RandomStream(1n, 'a').split('b'),
    ];
    expect(new Set([first, ...others.map(numbers)].map(String)).size).toBe(5);
    expect(numbers(new RandomStream(1n, 'a').split('b'))).toEqual(numbers(new RandomStream(1n, 'a', 'b')));
  });

  it('of a process do not depend on which others there are', async () => {
    const draws = async (names: readonly ('a' | 'b' | 'c' | 'new')[]) => {
      const seen: { [name in 'a' | 'b' | 'c' | 'new']?: number[] } = {};
      const sim = new Simulation({ seed: 9n });
      for (const name of names) {
        sim.process(name, async () => {
          for (let k = 0; k < 3; k++) {
            await sim.sleep('1s');
            seen[name] = [...(seen[name] ?? []), sim.random().next()];
          }
        });
      }
      await sim.run();
      return seen;
    };
    const few = await draws(['a', 'c']);
    const many = await draws(['new', 'c', 'b', 'a']);
    expect(many).toMatchObject(few);
    expect(few.a).not.toEqual(few.c);
  });

  it('go on where they were, when asked for again', async () => {
    await simulate(async (sim) => {
      expect(sim.random('x')).toBe(sim.random('x'));
      expect(sim.random().next()).not.toBe(sim.random().next());
    });
  });
});

describe('spans', () => {
  it('are whole nanoseconds, never negative', () => {
    const stream = new RandomStream(1n, 'test');
    for (let k = 0; k < 200; k++) {
      const spans = [stream.normal('1ms', '5ms'), stream.uniform(3n, 9n), stream.pareto('1us', 2)];
      for (const span of spans) expect(span >= 0n).toBe(true);
    }
    expect(stream.weibull('1us', 2)).toBeTypeOf('bigint');
    expect(stream.lognormal('1us', 0)).toBe(1000n);
  });
});

it.each<[string, (stream: RandomStream) => unknown]>([
  ['uniform', (s) => s.uniform(2, 1)],
  ['integer', (s) => s.integer(1, 1.5)],
  ['integer', (s) => s.integer(3, 2)],
  ['bernoulli', (s) => s.bernoulli(1.1)],
  ['exponential', (s) => s.exponential(-1)],
  ['normal', (s) => s.normal(0, -1)],
  ['lognormal', (s) => s.lognormal(0, 1)],
  ['pareto', (s) => s.pareto(1, 0)],
  ['weibull', (s) => s.weibull(0, 1)],
  ['poisson', (s) => s.poisson(-1)],
  ['choice', (s) => s.choice([])],
  ['choice', (s) => s.choice([1, 2], [1])],
  ['choice', (s) => s.choice([1, 2], [0, 0])],
])('refuses what is no %s', (name, next) => {
  expect(() => next(new RandomStream(1n, 'test'))).toThrow(new RegExp(`^random\\.${name}: .*; found `));
});
