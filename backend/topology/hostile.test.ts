// SPDX-License-Identifier: MIT
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadTopology } from './load.js';
import { FULL, TWO_NODES } from './testing/examples.js';

/** `ONECLOCK_FUZZ_RUNS=20000 npx vitest run backend/topology/hostile` looks harder. */
const RUNS = Number(process.env.ONECLOCK_FUZZ_RUNS ?? '400');
const FUZZ = { timeout: 20_000 + RUNS * 20 };

/** A result of some kind, without a throw, with every problem at a place in the text. */
function check(text: string) {
  const result = loadTopology(text, 't.yaml');
  const lines = text.replace(/^\ufeff/, '').split('\n');
  if (result.problems !== undefined) expect(result.problems.length).toBeGreaterThan(0);
  for (const { line, column, message } of result.problems ?? []) {
    const length = lines[line - 1]?.length;
    if (length === undefined || column < 1 || column > length + 1)
      throw new Error(`${line}:${column} is outside of the text: ${message}`);
    if (message.length > 600 || /Invalid input|undefined|\[object|\n/.test(message))
      throw new Error(`not a message for people: ${message.slice(0, 1000)}`);
  }
  return result;
}

const first = (text: string) => {
  const problem = check(text).problems?.[0];
  return `${problem?.line}:${problem?.column}: ${problem?.message}`;
};

describe('hostile text', { timeout: 60_000 }, () => {
  it.each([
    ['[', '['.repeat(300_000), 101],
    ['{', '{'.repeat(300_000), 101],
    ['- ', '- '.repeat(100_000), 201],
    ['? ', '? '.repeat(100_000), 201],
    ['[{', '[{'.repeat(100_000), 101],
  ])('nesting by %s', (_, text, column) => {
    const result = check(text);
    expect(result.problems).toHaveLength(1);
    expect(result.problems?.[0]?.message).toBe(
      'expected at most 100 levels of nesting; found more; write it flatter',
    );
    expect(result.problems?.[0]?.line).toBe(1);
    expect(Math.abs((result.problems?.[0]?.column ?? 0) - column)).toBeLessThan(5);
  });

  it('nesting by indentation', () => {
    check(Array.from({ length: 500 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n'));
  });

  it('aliases that grow exponentially', () => {
    const levels = Array.from({ length: 12 }, (_, level) =>
      level === 0
        ? 'l0: &l0 [x, x]'
        : `l${level}: &l${level} [${Array(10)
            .fill(`*l${level - 1}`)
            .join(', ')}]`,
    );
    const began = performance.now();
    expect(check(levels.join('\n')).problems?.map((problem) => problem.message)).toContain(
      'expected aliases that stand for at most 10000 values in all; found more; write them out',
    );
    expect(performance.now() - began).toBeLessThan(5_000);
  });

  it('many keys and many problems', () => {
    const keys = Array.from({ length: 20_000 }, (_, index) => `k${index}: 1`).join('\n');
    expect(check(keys).problems?.length).toBeGreaterThan(20_000);
    const same = check(`name: t\n${'a: 1\n'.repeat(20_000)}`);
    expect(same.problems?.length).toBeGreaterThan(19_000);
    const nodes = Array.from({ length: 3_000 }, (_, index) => `  n${index}: { kind: uml }`).join('\n');
    expect(check(`name: t\nuntil: 1s\nnodes:\n${nodes}\n`).problems).toBeUndefined();
    const links = Array.from(
      { length: 3_000 },
      (_, index) => `- { name: l, between: [x${index}.e, y.e], latency: 0s }`,
    );
    expect(
      check(`name: t\nuntil: 1s\nnodes:\n${nodes}\nlinks:\n${links.join('\n')}\n`).problems?.length,
    ).toBeGreaterThan(6_000);
  });

  it('two thousand nodes on one switch', () => {
    const numbers = Array.from({ length: 2_000 }, (_, index) => index);
    const nodes = numbers.map(
      (n) => `  n${n}: { kind: uml, interfaces: { e: { address: 10.${n >> 8}.${n & 255}.1/8 } } }`,
    );
    const text = `name: t\nuntil: 1s\nnodes:\n${nodes.join('\n')}\nswitches: [{ name: s, latency: 1us, ports: [${numbers.map((n) => `n${n}.e`).join(', ')}] }]\n`;
    expect(check(text).problems).toBeUndefined();
  });

  it('too much text', () => {
    expect(first(`# ${'x'.repeat(1 << 20)}`)).toBe(
      '1:1: expected a file of at most 1048576 characters; found 1048578; split the topology',
    );
  });

  it.each(
    [
      ']'.repeat(100_000),
      '"'.repeat(100_000),
      '&a '.repeat(20_000),
      '! '.repeat(20_000),
      '%a\n'.repeat(20_000),
      '---\n'.repeat(20_000),
      '[]'.repeat(20_000),
      '\0'.repeat(100_000),
      '\r'.repeat(100_000),
      `${'a'.repeat(100_000)}: b`,
      '- *a\n'.repeat(20_000),
      `name: t\nnodes: { a: { kind: uml, run: "${'a'.repeat(500_000)}\\0" } }`,
      `name: t\nnodes: { a: { kind: uml, run: "${' '.repeat(500_000)}" } }`,
      `name: ${'a'.repeat(500_000)}\n`,
      `name: t\nuntil: ${'9'.repeat(500_000)}\n`,
      `seed: ${'9'.repeat(100_000)}\n`,
      `seed: 0x${'f'.repeat(100_000)}\n`,
    ].map((text) => [JSON.stringify(text.slice(0, 48)), text]),
  )('%s …', (_, text) => {
    expect(check(text).problems).toBeDefined();
  });

  it.each(
    [
      '\ufeff',
      '\t',
      '...\n',
      '--- |\n',
      '? \n',
      ': ',
      'a: !!binary aGk=\n',
      'a: !!map []\n',
      '!!set {a}\n',
      '<<: { name: t }\nnodes: {}\n',
      'constructor: 1\ntoString: 2\nhasOwnProperty: 3\n',
      '__proto__: { name: t }\n"__proto__": 1\n',
      'name: t\nuntil: 1s\nnodes: { constructor: { kind: uml }, toString: { kind: uml, __proto__: {} } }\n',
      'name: t\nuntil: 1s\nnodes: { a: { kind: uml, interfaces: { __proto__: {} } } }\n',
      'name: .nan\nseed: .inf\nuntil: 0x10\nnodes: null\nlinks: ~\n',
      '\ud800: \udc00\n',
      'name: "\\ud800"\n',
      'name: t\r\nnodes:\r\n\ta: 1\r\n',
    ].map((text) => [JSON.stringify(text), text]),
  )('%s', (_, text) => {
    expect(check(text).problems).toBeDefined();
  });

  it('names from the prototype of objects are ordinary names', () => {
    const result = check(
      'name: t\nuntil: 1s\nnodes: { constructor: { kind: uml, interfaces: { toString: {} } }, valueOf: { kind: uml } }\n',
    );
    expect(
      result.topology?.nodes.map((node) => [node.name, node.interfaces.map((each) => each.name)]),
    ).toEqual([
      ['constructor', ['toString']],
      ['valueOf', []],
    ]);
  });
});

describe('random changes of a valid file', FUZZ, () => {
  const piece = fc.oneof(
    fc.constantFrom(
      ...'[]{}:,-?#&*!|>\'"%@`\t\n \r\0.~/',
      '\ufeff',
      '---\n',
      ': ',
      '*a',
      '&a ',
      '<<: ',
      '__proto__: ',
      '\u2028',
    ),
    fc.string({ unit: 'binary', maxLength: 3 }),
    fc.constantFrom('5', '-1', '1e400', 'null', 'true', '10.0.0.1/24', 'a.eth0', 'kind', 'latency', '0s'),
  );
  const edit = fc.record({
    at: fc.nat(),
    remove: fc.nat({ max: 12 }),
    insert: fc.oneof(fc.constant(''), piece),
  });

  it.each([
    ['two nodes', TWO_NODES],
    ['every key', FULL],
  ])('of %s give a topology or problems', (_, base) => {
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 6 }), (edits) => {
        let text = base;
        for (const { at, remove, insert } of edits) {
          const from = at % (text.length + 1);
          text = text.slice(0, from) + insert + text.slice(from + remove);
        }
        check(text);
      }),
      { numRuns: RUNS },
    );
  });

  it('of lines that are moved, doubled and left out', () => {
    const lines = FULL.split('\n');
    fc.assert(
      fc.property(fc.array(fc.nat({ max: lines.length - 1 }), { maxLength: 40 }), (order) => {
        check(order.map((index) => lines[index]).join('\n'));
      }),
      { numRuns: RUNS },
    );
  });

  it('of anything at all', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => void check(text)),
      { numRuns: RUNS },
    );
  });
});
