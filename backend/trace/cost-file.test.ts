// SPDX-License-Identifier: MIT
import { openSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CostSample } from '../../protocols/cost/index.js';
import { readCost } from './cost-file.js';
import { CostWriter } from './cost-writer.js';
import { temporaryFolder } from './testing/logs.js';

const SAMPLES: CostSample[] = Array.from({ length: 5 }, (_, place) => ({
  virtualNs: BigInt(place) * 1_000_000_007n,
  wallUs: 50_000 * place,
  ownCpuUs: 100_000 + 3_000 * place,
  nodes: place === 2 ? [] : [{ node: place % 2, ranUs: 1_234 * place, activations: place }],
}));

function written(samples: readonly CostSample[]): string {
  const file = join(temporaryFolder(), 'cost');
  const writer = new CostWriter(openSync(file, 'w'), ['a', 'b']);
  for (const sample of samples) writer.write(sample);
  writer.close();
  writer.write(SAMPLES[0] as CostSample);
  writer.close();
  return file;
}

describe('a file of costs', () => {
  test('is read as it was written', () => {
    const file = written(SAMPLES);
    const expected = { nodes: ['a', 'b'], samples: SAMPLES, damage: undefined };
    expect(readCost(file)).toEqual(expected);
    expect(readCost(dirname(file))).toEqual(expected);
  });

  test('is read up to the cut, wherever it is', () => {
    const bytes = readFileSync(written(SAMPLES));
    const header = readFileSync(written([])).length;
    const file = join(temporaryFolder(), 'cost');
    let whole = 0;
    for (let size = header; size <= bytes.length; size++) {
      writeFileSync(file, bytes.subarray(0, size));
      const { samples, damage } = readCost(file);
      expect(samples).toEqual(SAMPLES.slice(0, samples.length));
      if (damage === undefined) whole++;
      else expect(damage.reason).toMatch(/the end of the file$/);
    }
    expect(whole).toBe(SAMPLES.length + 1);
    for (let size = 0; size < header; size++) {
      writeFileSync(file, bytes.subarray(0, size));
      expect(() => readCost(file)).toThrow(/the file of costs .*cost cannot be read/);
    }
  });

  test('may hold any bytes', () => {
    const bytes = readFileSync(written(SAMPLES));
    const file = join(temporaryFolder(), 'cost');
    const change = fc.record({ at: fc.nat({ max: bytes.length - 1 }), bit: fc.nat({ max: 7 }) });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 3 }), fc.uint8Array({ maxLength: 30 }), (changes, more) => {
        const corrupt = Buffer.concat([bytes, more]);
        for (const { at, bit } of changes) corrupt[at] = (corrupt[at] as number) ^ (1 << bit);
        writeFileSync(file, corrupt);
        try {
          const { samples, damage } = readCost(file);
          expect(samples.length).toBeLessThanOrEqual(SAMPLES.length + more.length);
          expect(damage?.offset ?? 0).toBeLessThanOrEqual(corrupt.length);
        } catch (error) {
          expect(error).toMatchObject({ code: 'INPUT' });
        }
      }),
      { numRuns: 300 },
    );
  });

  test.each([
    ['time that goes back', { ...SAMPLES[0], wallUs: 1 }, /expected a time from 4000000028ns/],
    [
      'a node that does not exist',
      { ...SAMPLES[4], nodes: [{ node: 2, ranUs: 1, activations: 1 }] },
      'expected one of 2 nodes, found 2',
    ],
  ])('is read up to %s', (_, sample, reason) => {
    const { samples, damage } = readCost(written([...SAMPLES, sample as CostSample]));
    expect(samples).toEqual(SAMPLES);
    expect(damage?.reason).toMatch(reason);
    expect(damage?.offset).toBe(readFileSync(written(SAMPLES)).length);
  });

  test('is refused where it is none', () => {
    const folder = temporaryFolder();
    expect(() => readCost(folder)).toThrow(/cannot be read \(ENOENT/);
    const file = join(folder, 'cost');
    writeFileSync(file, '');
    expect(() => readCost(file)).toThrow(/it is empty/);
  });
});
