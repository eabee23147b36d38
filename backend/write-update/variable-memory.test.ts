// SPDX-License-Identifier: MIT
import fc from 'fast-check';
import { expect, onTestFinished, test, vi } from 'vitest';
import { VariableMemory } from './variable-memory.js';

const LENGTH = 64;

/** A place within an aligned word of 8 bytes, and a value that fits. */
const variable = fc
  .record({
    size: fc.integer({ min: 1, max: 8 }),
    word: fc.nat(LENGTH / 8 - 1),
    raw: fc.bigInt(0n, (1n << 64n) - 1n),
  })
  .chain(({ size, word, raw }) =>
    fc
      .nat(8 - size)
      .map((offset) => ({ size, address: word * 8 + offset, value: BigInt.asUintN(8 * size, raw) })),
  );

test('every size at every place: the value is there, and nothing else has changed', () => {
  fc.assert(
    fc.property(
      variable,
      fc.uint8Array({ minLength: LENGTH, maxLength: LENGTH }),
      ({ size, address, value }, old) => {
        // Memory that begins within a buffer, too.
        const bytes = new Uint8Array(new ArrayBuffer(LENGTH + 16), 8, LENGTH);
        bytes.set(old);
        const expected = Buffer.from(old);
        for (let place = 0; place < size; place++) {
          expected[address + place] = Number((value >> BigInt(8 * place)) & 0xffn);
        }
        expect(new VariableMemory(bytes).store(address, size, value)).toBe(true);
        expect(Buffer.from(bytes)).toEqual(expected);
      },
    ),
    { numRuns: 2000 },
  );
});

test('a word that is another one each time it is looked at is given up', () => {
  let tries = 0;
  const exchange = vi.spyOn(Atomics, 'compareExchange').mockImplementation(() => BigInt(++tries) as never);
  onTestFinished(() => exchange.mockRestore());
  const bytes = new Uint8Array(LENGTH);
  expect(new VariableMemory(bytes).store(1, 5, 7n)).toBe(false);
  expect(tries).toBe(10_000);
  expect(bytes).toEqual(new Uint8Array(LENGTH));
});
