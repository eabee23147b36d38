// SPDX-License-Identifier: MIT
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Random } from './random.js';

const SEED = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });

function words(random: Random, count: number): bigint[] {
  return Array.from({ length: count }, () => random.word());
}

describe('Random', () => {
  test('gives what the reference implementation in C gives', () => {
    // xoshiro128starstar.c, version 1.1, with the state { 1, 2, 3, 4 }.
    const reference = [
      11520n,
      0n,
      5927040n,
      70819200n,
      2031721883n,
      1637235492n,
      1287239034n,
      3734860849n,
      3729100597n,
      4258142804n,
    ];
    const halves = words(new Random(1, 2, 3, 4), 5).flatMap((word) => [word >> 32n, word & 0xffff_ffffn]);
    expect(halves).toEqual(reference);
  });

  test('derives the same stream from the same seed and names on every machine', () => {
    // From an independent implementation on Python's hashlib.
    expect(Random.for(1n, 'link', 'ab', 'a.eth0').word()).toBe(0xc6d9_9761_4205_2638n);
  });

  test('gives other streams for other seeds and names, however the names are cut', () => {
    const streams = [
      Random.for(1n, 'ab', 'c'),
      Random.for(1n, 'a', 'bc'),
      Random.for(1n, 'abc'),
      Random.for(1n, 'abc', ''),
      Random.for(1n),
      Random.for(2n, 'ab', 'c'),
      Random.for(1n + 2n ** 63n, 'ab', 'c'),
    ];
    expect(new Set(streams.map((random) => words(random, 2).join())).size).toBe(streams.length);
  });

  test('stays below the limit, and repeats itself', () => {
    fc.assert(
      fc.property(SEED, fc.bigInt({ min: 1n, max: 2n ** 64n }), (seed, limit) => {
        const [a, b] = [Random.for(seed, 'x'), Random.for(seed, 'x')];
        for (let i = 0; i < 5; i++) {
          const drawn = a.below(limit);
          expect(drawn >= 0n && drawn < limit).toBe(true);
          expect(b.below(limit)).toBe(drawn);
        }
      }),
    );
  });

  test('takes the lower bits of a word for small limits, with the same bounds', () => {
    fc.assert(
      fc.property(SEED, fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), (seed, limit) => {
        const drawn = Random.for(seed).belowNumber(limit);
        expect(Number.isInteger(drawn) && drawn >= 0 && drawn < limit).toBe(true);
      }),
    );
    const word = Random.for(7n).word();
    expect(BigInt(Random.for(7n).belowNumber(2 ** 53))).toBe(word & (2n ** 53n - 1n));
  });

  test('rejects the words that would make a draw uneven', () => {
    // With the limit 2^63 + 1 only one multiple of it fits, and almost every second word is rejected.
    const limit = 2n ** 63n + 1n;
    const [random, reference] = [Random.for(3n), Random.for(3n)];
    for (let i = 0; i < 200; i++) {
      let word = reference.word();
      while (word >= limit) word = reference.word();
      expect(random.below(limit)).toBe(word);
    }
  });

  test('skip passes over exactly one word', () => {
    const [a, b, c] = [Random.for(5n), Random.for(5n), Random.for(5n)];
    a.skip();
    b.word();
    expect(c.below(1n)).toBe(0n);
    const next = a.word();
    expect(b.word()).toBe(next);
    expect(c.word()).toBe(next);
  });

  test('is even: 16 cells of 160 000 draws each lie within five standard deviations', () => {
    const random = Random.for(11n, 'even');
    const big = new Array<number>(16).fill(0);
    const small = new Array<number>(16).fill(0);
    for (let i = 0; i < 160_000; i++) {
      const [x, y] = [Number(random.below(16n)), random.belowNumber(16)];
      big[x] = (big[x] ?? 0) + 1;
      small[y] = (small[y] ?? 0) + 1;
    }
    for (const count of [...big, ...small]) expect(Math.abs(count - 10_000)).toBeLessThan(5 * 97);
  });

  test('refuses impossible seeds, limits and states', () => {
    expect(() => Random.for(-1n)).toThrow('found -1');
    expect(() => Random.for(2n ** 64n)).toThrow('found 18446744073709551616');
    expect(() => Random.for(0n).below(0n)).toThrow('found 0');
    expect(() => Random.for(0n).below(2n ** 64n + 1n)).toThrow('found 18446744073709551617');
    expect(() => Random.for(0n).belowNumber(0.5)).toThrow('found 0.5');
    expect(() => new Random(0, 0, 0, 0)).toThrow('all zero');
  });
});
