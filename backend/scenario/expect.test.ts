// SPDX-License-Identifier: MIT
import { expect as check, describe, test } from 'vitest';
import type { ExpectationResult } from '../run/result.js';
import { Simulation } from './engine/index.js';
import { type Expect, makeExpect } from './expect.js';

function world(node?: string): { expect: Expect; kept: ExpectationResult[] } {
  const kept: ExpectationResult[] = [];
  return { expect: makeExpect(new Simulation(), kept, node), kept };
}

describe('expect', () => {
  const holds: readonly [string, (expect: Expect) => void, string][] = [
    ['toBe', (expect) => expect(3).toBe(3), '3 to be 3'],
    ['toBe of NaN', (expect) => expect(Number.NaN).toBe(Number.NaN), 'NaN to be NaN'],
    ['toEqual', (expect) => expect({ a: [1n] }).toEqual({ a: [1n] }), '{ a: [ 1n ] } to equal { a: [ 1n ] }'],
    ['toMatch', (expect) => expect('abc').toMatch(/b/), "'abc' to match /b/"],
    ['toMatch of a text', (expect) => expect('abc').toMatch('bc'), "'abc' to match 'bc'"],
    [
      'toContain',
      (expect) => expect([1, { b: 2 }]).toContain({ b: 2 }),
      '[ 1, { b: 2 } ] to contain { b: 2 }',
    ],
    ['toBeLessThan', (expect) => expect(1n).toBeLessThan(2), '1n to be less than 2'],
    ['toBeAtMost', (expect) => expect(2).toBeAtMost(2), '2 to be at most 2'],
    ['toBeGreaterThan', (expect) => expect(3).toBeGreaterThan(2n), '3 to be greater than 2n'],
    ['toBeAtLeast', (expect) => expect(2).toBeAtLeast(2), '2 to be at least 2'],
    ['toBeWithin', (expect) => expect(9n).toBeWithin(10n, 1n), '9n to be within 1n of 10n'],
    ['toBeTruthy', (expect) => expect('x').toBeTruthy(), "'x' to be truthy"],
    ['not', (expect) => expect(3).not.toBe(4), '3 not to be 4'],
    ['a name', (expect) => expect(3, 'pings').toBe(3), 'pings, 3, to be 3'],
  ];

  test.each(holds)('%s holds', (_name, act, text) => {
    const { expect, kept } = world();
    act(expect);
    check(kept).toEqual([{ text, met: true, atNs: '0', node: null }]);
  });

  test.each<[string, (expect: Expect) => void]>([
    ['toBe', (expect) => expect<unknown>(3).toBe('3')],
    ['toEqual', (expect) => expect({ a: 1 }).toEqual({ a: 1, b: undefined })],
    ['toMatch', (expect) => expect('abc').toMatch(/^b/)],
    ['toContain', (expect) => expect('abc').toContain('x')],
    ['toContain of no list', (expect) => expect(3).toContain(3)],
    ['toBeLessThan', (expect) => expect(2).toBeLessThan(2)],
    ['toBeAtMost', (expect) => expect(3n).toBeAtMost(2)],
    ['toBeGreaterThan', (expect) => expect(2).toBeGreaterThan(2)],
    ['toBeAtLeast of no number', (expect) => expect(Number.NaN).toBeAtLeast(0)],
    ['toBeWithin', (expect) => expect(9).toBeWithin(11n, 1)],
    ['toBeTruthy', (expect) => expect(0).toBeTruthy()],
    ['not', (expect) => expect(3).not.toBe(3)],
    ['fail', (expect) => expect.fail('this not to happen')],
  ])('%s does not hold, which is told and kept', (_name, act) => {
    const { expect, kept } = world('a');
    check(() => act(expect)).toThrow(/^at 0\.000000000 s, a: expected /);
    check(kept).toEqual([{ text: check.any(String), met: false, atNs: '0', node: 'a' }]);
  });
});
