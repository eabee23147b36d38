// SPDX-License-Identifier: MIT
import { expect, it } from 'vitest';
import { loadTopology } from './load.js';
import { formatProblem } from './problem.js';

const NODES = `
  a: { kind: partition, program: a.elf }
  b: { kind: partition, program: b.elf }`;
const SLOTS = '[{ partition: a, at: 0ms, for: 4ms }, { partition: b, at: 5ms, for: 3ms }]';

function load(processors: string, nodes = NODES) {
  return loadTopology(`name: t\nuntil: 1s\nnodes:${nodes}\nprocessors:\n  - ${processors}\n`, '/x/t.yaml');
}

function problemsOf(processors: string, nodes = NODES): string[] | undefined {
  return load(processors, nodes).problems?.map((problem) => formatProblem('t.yaml', problem));
}

it('takes partitions, with a processor that they share', () => {
  const { topology } = load(
    `{ name: cpu0, frame: 10ms, slots: ${SLOTS}, lines: [{ number: 31, period: 1ms }] }`,
  );
  expect(topology?.nodes.map(({ kind, program }) => [kind, program])).toEqual([
    ['partition', '/x/a.elf'],
    ['partition', '/x/b.elf'],
  ]);
  expect(topology?.processors).toEqual([
    {
      name: 'cpu0',
      frame: 10_000_000n,
      slots: [
        { partition: 'a', at: 0n, length: 4_000_000n },
        { partition: 'b', at: 5_000_000n, length: 3_000_000n },
      ],
      lines: [{ number: 31, period: 1_000_000n }],
    },
  ]);
});

it.each<[string, string, string]>([
  [
    'an overlap',
    '[{ partition: a, at: 0ms, for: 4ms }, { partition: b, at: 3ms, for: 3ms }]',
    'slots[1].at: expected a slot at 4ms or later, where the one before ends; found 3ms',
  ],
  [
    'slots out of order',
    '[{ partition: a, at: 5ms, for: 1ms }, { partition: b, at: 0ms, for: 1ms }]',
    'slots[1].at: expected a slot at 6ms or later',
  ],
  [
    'a slot past the frame',
    '[{ partition: a, at: 0ms, for: 1ms }, { partition: b, at: 8ms, for: 3ms }]',
    'slots[1]: expected a slot that ends within the frame of 10ms; found one that ends at 11ms',
  ],
  [
    'an empty slot',
    '[{ partition: a, at: 0ms, for: 0ms }, { partition: b, at: 8ms, for: 1ms }]',
    'slots[0].for: expected a duration above zero',
  ],
  [
    'a node that is none',
    '[{ partition: a, at: 0ms, for: 1ms }, { partition: bb, at: 8ms, for: 1ms }]',
    "slots[1].partition: expected a node of `kind: partition`; found 'bb'",
  ],
  [
    'a partition without a slot',
    '[{ partition: a, at: 0ms, for: 1ms }]',
    "nodes.b: expected a slot of 'b' in one of `processors`",
  ],
  ['no slot', '[]', 'slots: expected one or more slots'],
])('refuses %s', (_, slots, text) => {
  expect(problemsOf(`{ name: cpu0, frame: 10ms, slots: ${slots} }`)?.join('\n')).toContain(text);
});

it('refuses a frame of nothing, a line that is none, and a line twice', () => {
  const slots = `slots: ${SLOTS}`;
  const lines = (text: string) =>
    problemsOf(`{ name: cpu0, frame: 10ms, ${slots}, lines: [${text}] }`)?.join();
  expect(problemsOf(`{ name: cpu0, frame: 0ms, ${slots} }`)?.join()).toContain(
    'frame: expected a duration above zero',
  );
  expect(lines('{ number: 32, period: 1ms }')).toContain('number: expected a whole number from 0 to 31');
  expect(lines('{ number: 1, period: 0ms }')).toContain('period: expected a duration above zero');
  expect(lines('{ number: 1, period: 1ms }, { number: 1, period: 2ms }')).toContain(
    'found 1 again; take another',
  );
});

it('refuses a partition in two processors, and two processors of one name', () => {
  const first = `{ name: cpu0, frame: 10ms, slots: ${SLOTS} }`;
  const text = problemsOf(
    `${first}\n  - { name: cpu0, frame: 10ms, slots: [{ partition: a, at: 0ms, for: 1ms }] }`,
  )?.join('\n');
  expect(text).toContain(
    "expected all slots of 'a' in one processor; found one in another on line 7; move it",
  );
  expect(text).toContain("the name 'cpu0' is already that of another processor (line 7); take another");
});

it.each<[string, string, string]>([
  ['no program', '{ kind: partition }', 'nodes.a: expected the `program` of a partition; found none'],
  [
    'a kernel',
    '{ kind: partition, program: a.elf, kernel: k }',
    'nodes.a.kernel: expected no `kernel` in a partition',
  ],
  [
    'interfaces',
    '{ kind: partition, program: a.elf, interfaces: { eth0: {} } }',
    'nodes.a.interfaces: expected no `interfaces`',
  ],
  [
    'a command',
    '{ kind: partition, program: a.elf, run: ls }',
    'nodes.a.run: expected no `run` in a partition',
  ],
  [
    'an exit status',
    '{ kind: partition, program: a.elf, expect: { exit: 1 } }',
    'nodes.a.expect: expected { exit: 0 } of a partition',
  ],
  [
    'another kind with a program',
    '{ kind: uml, program: a.elf }',
    'nodes.a.program: expected `kind: partition`',
  ],
])('refuses %s', (_, node, text) => {
  const nodes = `\n  a: ${node}\n  b: { kind: partition, program: b.elf }`;
  expect(problemsOf(`{ name: cpu0, frame: 10ms, slots: ${SLOTS} }`, nodes)?.join('\n')).toContain(text);
});

it('refuses a pin of a partition on a wire', () => {
  const text = `name: t\nuntil: 1s\nnodes:${NODES}\nprocessors:\n  - { name: p, frame: 10ms, slots: ${SLOTS} }\nwires:\n  - { name: w, pins: [a.gpio0, b.gpio0] }\n`;
  const problems = loadTopology(text, 't.yaml').problems?.map(({ message }) => message);
  expect(problems?.[0]).toContain(
    "expected a pin of a node with GPIO lines; found 'a.gpio0', of a partition",
  );
});
