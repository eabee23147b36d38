// SPDX-License-Identifier: MIT
import { createHash } from 'node:crypto';
import { invariant } from '../errors.js';

const WORD = 1n << 64n;
/** 2^53: integers below it are exact in a `number`. */
const EXACT = 2 ** 53;

/**
 * A deterministic stream of random numbers: xoshiro128** 1.1 (D. Blackman, S. Vigna, "Scrambled linear
 * pseudorandom number generators", ACM TOMS 47, 2021; https://prng.di.unimi.it/xoshiro128starstar.c). Its 32-bit
 * arithmetic is exact in JavaScript, and some twenty times faster there than 64-bit generators on BigInt.
 *
 * Every draw takes one 64-bit word from the stream, and one more each time a word is rejected to stay unbiased.
 */
export class Random {
  /** The four words of the state, which may not all be zero. */
  constructor(
    private s0: number,
    private s1: number,
    private s2: number,
    private s3: number,
  ) {
    this.s0 |= 0;
    this.s1 |= 0;
    this.s2 |= 0;
    this.s3 |= 0;
    invariant(
      (this.s0 | this.s1 | this.s2 | this.s3) !== 0,
      () => `the state of a random stream must not be all zero; found ${s0}, ${s1}, ${s2}, ${s3}`,
    );
  }

  /**
   * The stream that `names` select from the run with `seed`. Different names give independent streams, and a
   * stream does not depend on which others exist, so adding a link leaves the losses of the others as they were.
   *
   * The state is the first 128 bits, as four little-endian words, of SHA-256 over the seed (8 bytes,
   * little-endian) and for each name its length in bytes (4 bytes, little-endian) and its UTF-8 text.
   *
   * @param seed 0 … 2^64-1
   */
  static for(seed: bigint, ...names: readonly string[]): Random {
    invariant(seed >= 0n && seed < WORD, () => `a seed must be 0 … ${WORD - 1n}; found ${seed}`);
    const hash = createHash('sha256');
    const prefix = Buffer.alloc(8);
    prefix.writeBigUInt64LE(seed);
    hash.update(prefix);
    for (const name of names) {
      const text = Buffer.from(name, 'utf8');
      const length = Buffer.alloc(4);
      length.writeUInt32LE(text.length);
      hash.update(length).update(text);
    }
    const digest = hash.digest();
    return new Random(
      digest.readInt32LE(0),
      digest.readInt32LE(4),
      digest.readInt32LE(8),
      digest.readInt32LE(12),
    );
  }

  /** 32 random bits, 0 … 2^32-1: half a word of the stream. */
  private next(): number {
    const scrambled = Math.imul(this.s1, 5);
    const result = Math.imul((scrambled << 7) | (scrambled >>> 25), 9);
    const shifted = this.s1 << 9;
    this.s2 ^= this.s0;
    this.s3 ^= this.s1;
    this.s1 ^= this.s2;
    this.s0 ^= this.s3;
    this.s2 ^= shifted;
    this.s3 = (this.s3 << 11) | (this.s3 >>> 21);
    return result >>> 0;
  }

  /** The next 64 bits, the generator's earlier output in the upper half. */
  word(): bigint {
    const high = this.next();
    return (BigInt(high) << 32n) | BigInt(this.next());
  }

  /** Passes over one word; what {@link below} with a limit of 1 does, without making a BigInt. */
  skip(): void {
    this.next();
    this.next();
  }

  /**
   * An integer drawn evenly from 0 … limit-1, without bias: words past the largest multiple of `limit` are
   * rejected, which happens with a chance below limit / 2^64.
   *
   * @param limit 1 … 2^64
   */
  below(limit: bigint): bigint {
    invariant(limit > 0n && limit <= WORD, () => `a limit must be 1 … ${WORD}; found ${limit}`);
    const end = WORD - (WORD % limit);
    for (;;) {
      const word = this.word();
      if (word < end) return word % limit;
    }
  }

  /**
   * As {@link below}, for small limits and without BigInt, from the lower 53 bits of a word. The two methods give
   * different numbers for the same word.
   *
   * @param limit a whole number, 1 … 2^53
   */
  belowNumber(limit: number): number {
    invariant(
      Number.isInteger(limit) && limit > 0 && limit <= EXACT,
      () => `a limit must be a whole number, 1 … ${EXACT}; found ${limit}`,
    );
    const end = EXACT - (EXACT % limit);
    for (;;) {
      const high = this.next() & 0x1f_ffff;
      const bits = high * 0x1_0000_0000 + this.next();
      if (bits < end) return bits % limit;
    }
  }
}
