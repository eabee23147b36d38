// SPDX-License-Identifier: MIT
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isSweep, readGiven, writeValue } from './given.js';

const values = (text: string) => readGiven([`p=${text}`]).get('p');

describe('the values of a parameter', () => {
  it.each([
    ['1', ['1']],
    ['1,2,3', ['1', '2', '3']],
    ['', ['']],
    ['a,', ['a', '']],
    [',', ['', '']],
    ['a\\,b,c', ['a,b', 'c']],
    ['a\\\\,b', ['a\\', 'b']],
    ['\\d+', ['\\d+']],
    ['a\\', ['a\\']],
    ['a=b\nc', ['a=b\nc']],
  ])('%j', (text, expected) => {
    expect(values(text)).toEqual(expected);
  });

  it('are read as they were written', () => {
    const text = fc.string({ unit: fc.constantFrom('a', ',', '\\', '=', ' ', '\n') });
    fc.assert(
      fc.property(fc.array(text, { minLength: 1, maxLength: 5 }), (given) => {
        expect(values(given.map(writeValue).join(','))).toEqual(given);
      }),
    );
  });

  it('keep the order of the command line', () => {
    expect([...readGiven(['z=1,2', 'a=3'])]).toEqual([
      ['z', ['1', '2']],
      ['a', ['3']],
    ]);
  });

  it.each([
    [['k'], "expected name=value, such as k=3; found 'k'"],
    [['2k=1'], "found '2k=1'"],
    [['k=1', 'k=2'], '--param k is given twice'],
  ])('%j is refused', (texts, message) => {
    expect(() => readGiven(texts)).toThrow(message);
  });
});

it.each([
  [[], 1, false],
  [['k=1', 'm=a\\,b'], 1, false],
  [['k=1,2'], 1, true],
  [[], 2, true],
])('%j, repeated %i times: a sweep is %s', (texts, repeat, expected) => {
  expect(isSweep(readGiven(texts), repeat)).toBe(expected);
});
