// SPDX-License-Identifier: MIT
import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { NodeResult, RunResult } from '../run/index.js';
import { junit } from './junit.js';

const NODE: NodeResult = {
  kind: 'uml',
  state: 'exited',
  exit: 0,
  signal: null,
  endedNs: '1500000001',
  cpuMs: 10,
  reason: null,
  expected: 'exits with 0',
  unmet: null,
};
const RESULT: RunResult = {
  status: 'ok',
  exitCode: 0,
  reason: null,
  name: 'two',
  virtualNs: '60000000000',
  wallMs: 1234.5,
  cpuMs: 10,
  seed: 1,
  events: 3,
  activations: 4,
  traceHash: 'sha256:0',
  nodes: { a: NODE },
  links: {},
  wires: {},
  shared: {},
};

/** An element, as Python's parser (expat) sees it. */
interface Element {
  readonly tag: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly text: string;
  readonly children: readonly Element[];
}

const PARSER = `
import json, sys, xml.etree.ElementTree as tree
def plain(e):
    return {'tag': e.tag, 'attributes': e.attrib, 'text': e.text or '', 'children': [plain(c) for c in e]}
print(json.dumps([plain(tree.fromstring(text.encode())) for text in json.load(sys.stdin)]))
`;

/** What an XML parser that is not ours reads in each. Throws where one is not well-formed. */
function parse(texts: readonly string[]): Element[] {
  const { status, stdout, stderr } = spawnSync('python3', ['-c', PARSER], {
    input: JSON.stringify(texts),
    encoding: 'utf8',
    timeout: 15_000,
    maxBuffer: 1 << 28,
  });
  if (status !== 0) throw new Error(`python3 could not parse it: ${stderr}`);
  return JSON.parse(stdout) as Element[];
}

function suiteOf(result: RunResult): Element {
  const [root] = parse([junit(result, new Date('2026-01-02T03:04:05.678Z'))]);
  expect(root?.tag).toBe('testsuites');
  return root?.children[0] as Element;
}

const cases = ({ children }: Element) => children.filter(({ tag }) => tag === 'testcase');

describe('the JUnit report', () => {
  test('has a suite for the run, and a case for its end and each expectation', () => {
    const nodes = { a: NODE, b: { ...NODE, expected: null }, c: { ...NODE, endedNs: null } };
    const suite = suiteOf({ ...RESULT, nodes });
    expect(suite.attributes).toEqual({
      id: '0',
      name: 'two',
      package: 'oneclock',
      hostname: 'localhost',
      timestamp: '2026-01-02T03:04:05',
      tests: '3',
      failures: '0',
      errors: '0',
      skipped: '0',
      time: '1.234',
    });
    expect(suite.children.map(({ tag }) => tag)).toEqual([
      'properties',
      'testcase',
      'testcase',
      'testcase',
      'system-out',
      'system-err',
    ]);
    expect(cases(suite).map(({ attributes }) => attributes)).toEqual([
      { name: 'comes to its end', classname: 'two.run', time: '60.000000000' },
      { name: 'a exits with 0', classname: 'two.a', time: '1.500000001' },
      { name: 'c exits with 0', classname: 'two.c', time: '60.000000000' },
    ]);
  });

  test('says what failed, when and of which node', () => {
    const nodes = {
      a: { ...NODE, exit: 3, unmet: 'a was to exit with 0, and exited with 3' },
      b: { ...NODE, state: 'crashed' as const, unmet: 'b was to be running', reason: 'its process ended' },
    };
    const script = {
      state: 'ended' as const,
      endedNs: '9',
      output: null,
      error: 'it threw',
      expectations: [
        { text: 'expected "<pong>"', met: false, atNs: '7', node: 'b' },
        { text: 'is quiet', met: true, atNs: '8', node: null },
      ],
    };
    const suite = suiteOf({ ...RESULT, status: 'error', reason: 'b failed', nodes, script });
    expect(suite.attributes).toMatchObject({ tests: '6', failures: '4', errors: '1' });
    const faults = cases(suite).map(({ children }) => children[0]);
    expect(faults.map((each) => each?.tag)).toEqual([
      'error',
      'failure',
      'failure',
      'failure',
      'failure',
      undefined,
    ]);
    expect(faults[1]?.attributes).toEqual({
      message: 'a was to exit with 0, and exited with 3 (at 1.500000001 s of virtual time, of a)',
      type: 'expect',
    });
    expect(faults[2]?.attributes.message).toContain('b was to be running: its process ended');
    expect(faults[3]?.text).toContain('it threw');
    expect(faults[4]?.text).toBe('expected "<pong>"\nat 0.000000007 s of virtual time, of b');
    expect(suite.children.at(-1)?.text).toBe('b failed');
  });

  test('is well-formed, whatever the texts are, and loses only what XML has no form for', () => {
    const anything = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 60 }),
      fc.array(fc.nat({ max: 0xffff }), { maxLength: 60 }).map((units) => String.fromCharCode(...units)),
      fc.constantFrom(']]>', '<!--', '&amp;', '"\'<>', '\0\x1b[31m', '\ufffe\uffff\ud800'),
    );
    const texts = fc.sample(anything, 400);
    const roots = parse(
      texts.map((text) =>
        junit({ ...RESULT, status: 'error', reason: text, nodes: { a: { ...NODE, unmet: text } } }),
      ),
    );
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what this is about
    const kept = (text: string) => text.replace(/[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|\p{Cs}/gu, '');
    roots.forEach((root, place) => {
      const suite = root.children[0] as Element;
      const message = cases(suite)[1]?.children[0]?.attributes.message;
      expect(message).toBe(`${kept(texts[place] as string)} (at 1.500000001 s of virtual time, of a)`);
    });
  });

  test('has a time in figures also where the run had nothing left to do', () => {
    const suite = suiteOf({ ...RESULT, virtualNs: '9223372036854775807' });
    expect(cases(suite)[0]?.attributes.time).toBe('9223372036.854775807');
  });
});
