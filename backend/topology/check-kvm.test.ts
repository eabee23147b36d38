// SPDX-License-Identifier: MIT
import { expect, it } from 'vitest';
import { loadTopology } from './load.js';
import { formatProblem } from './problem.js';

function problemsOf(node: string): string[] | undefined {
  const text = `name: t\nuntil: 1s\nnodes:\n  a: ${node}\n`;
  return loadTopology(text, 't.yaml').problems?.map((problem) => formatProblem('t.yaml', problem));
}

it('takes a KVM guest with the clock that fits its kernel', () => {
  expect(problemsOf('{ kind: kvm }')).toBeUndefined();
  expect(problemsOf('{ kind: kvm, root: initramfs, clock: paravirtual }')).toBeUndefined();
  expect(problemsOf('{ kind: kvm, clock: emulated, kernel: vmlinuz }')).toBeUndefined();
});

it('takes a live guest with a pin on the wire that freezes it', () => {
  const { topology } = loadTopology(
    `name: t
until: 1s
nodes: { a: { kind: kvm, clock: real } }
wires: [{ name: f, pins: [a.ice], role: freeze }]
`,
    't.yaml',
  );
  expect(topology?.nodes[0]).toMatchObject({
    kind: 'kvm',
    clock: 'real',
    root: 'initramfs',
    memory: 64 << 20,
    board: { agent: undefined, pause: 'ice', signal: undefined },
  });
});

it.each([
  [
    '{ kind: uml, clock: paravirtual }',
    't.yaml:4:19: nodes.a.clock: expected `kind: kvm` in a node with `clock`; found another kind; remove it',
  ],
  [
    '{ kind: kvm, root: host }',
    't.yaml:4:25: nodes.a.root: expected `root: initramfs` of a KVM guest, which cannot see the files of this machine; found host; remove it',
  ],
  [
    '{ kind: kvm, clock: emulated }',
    't.yaml:4:26: nodes.a.clock: expected `kernel` beside `clock: emulated`, which is for a kernel of your own; found none; add it, or remove both',
  ],
  [
    '{ kind: kvm, clock: real }',
    "t.yaml:4:3: nodes.a: expected a pin of live guest 'a' on a wire with `role: freeze`, without which it could not be frozen; found none; add - { name: freeze, pins: [a.gpio0, a.gpio1], role: freeze } to `wires`",
  ],
  [
    '{ kind: kvm, clock: tsc }',
    "t.yaml:4:26: nodes.a.clock: expected paravirtual, emulated or real; found 'tsc'",
  ],
])('refuses %s', (node, problem) => {
  expect(problemsOf(node)).toEqual([problem]);
});
