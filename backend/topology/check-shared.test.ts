// SPDX-License-Identifier: MIT
import { expect, it } from 'vitest';
import { loadTopology } from './load.js';
import { formatProblem } from './problem.js';

const HEAD = `name: t
until: 1s
nodes:
  a: { kind: kvm }
  b: { kind: kvm }
  c: { kind: uml }
  d: { kind: kvm, clock: emulated, kernel: k }
shared:
`;

function load(...shared: string[]) {
  const result = loadTopology(`${HEAD}${shared.map((each) => `  - ${each}\n`).join('')}`, 't.yaml');
  return {
    problems: result.problems?.map((problem) => formatProblem('t.yaml', problem)),
    shared: result.topology?.shared,
  };
}

it('takes variables that KVM guests share', () => {
  expect(
    load(
      '{ name: jiffies, between: [a, b], method: ordered }',
      '{ name: count, variable: 7, between: [b, a], method: ordered, latency: 1ms }',
    ).shared,
  ).toEqual([
    { name: 'jiffies', variable: 1, between: ['a', 'b'], method: 'ordered', latency: 0n },
    { name: 'count', variable: 7, between: ['b', 'a'], method: 'ordered', latency: 1_000_000n },
  ]);
});

it.each([
  [
    ['{ name: x, between: [a, b], method: ordered }'],
    ["9:5: shared[0]: expected the number of 'x', which the guests register; found none; add variable: 2"],
  ],
  [
    ['{ name: jiffies, between: [a, a, e], method: ordered }'],
    [
      "9:35: shared[0].between[1]: node 'a' already shares it; name another",
      "9:38: shared[0].between[2]: expected a node of this file; found 'e'; the nodes are a, b, c, d",
    ],
  ],
  [
    ['{ name: jiffies, between: [a, c, d], method: ordered }'],
    [
      "9:35: shared[0].between[1]: expected a node of `kind: kvm` with a paravirtual clock, which can share variables; found 'c', which is not; take it off the list",
      "9:38: shared[0].between[2]: expected a node of `kind: kvm` with a paravirtual clock, which can share variables; found 'd', which is not; take it off the list",
    ],
  ],
  [
    [
      '{ name: jiffies, between: [a, b], method: ordered }',
      '{ name: x, variable: 1, between: [b, a], method: ordered }',
    ],
    [
      "10:39: shared[1].between[0]: expected a variable of another number than 1, which node 'b' shares as 'jiffies'; found the same; change `variable`",
      "10:42: shared[1].between[1]: expected a variable of another number than 1, which node 'a' shares as 'jiffies'; found the same; change `variable`",
    ],
  ],
  [
    [
      '{ name: jiffies, between: [a, b], method: ordered }',
      '{ name: x, variable: 2, between: [b, a], method: local-first }',
    ],
    [
      "10:39: shared[1].between[0]: expected one method for all that node 'b' shares; found ordered for 'jiffies' and local-first for 'x'; use one",
      "10:42: shared[1].between[1]: expected one method for all that node 'a' shares; found ordered for 'jiffies' and local-first for 'x'; use one",
    ],
  ],
  [
    [
      '{ name: jiffies, between: [a, b], method: ordered }',
      '{ name: jiffies, variable: 2, between: [b, a], method: ordered }',
    ],
    [
      "10:13: shared[1].name: the name 'jiffies' is already that of another shared variable (line 9); take another",
    ],
  ],
])('refuses %j', (shared, problems) => {
  expect(load(...shared).problems).toEqual(problems.map((problem) => `t.yaml:${problem}`));
});
