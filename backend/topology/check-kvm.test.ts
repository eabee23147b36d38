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
    '{ kind: kvm, clock: tsc }',
    "t.yaml:4:26: nodes.a.clock: expected paravirtual, emulated or real; found 'tsc'",
  ],
])('refuses %s', (node, problem) => {
  expect(problemsOf(node)).toEqual([problem]);
});
