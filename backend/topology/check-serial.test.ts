// SPDX-License-Identifier: MIT
import { expect, it } from 'vitest';
import { loadTopology } from './load.js';
import { formatProblem } from './problem.js';

function load(node: string) {
  return loadTopology(`name: t\nuntil: 1s\nnodes:\n  a: ${node}\n`, 't.yaml');
}

it.each([
  ['[ttyS0, tty1]', { ttyS0: true, tty1: true }],
  ['{ tty15: {}, ttyS15: { acknowledge: false } }', { tty15: true, ttyS15: false }],
  ['[]', {}],
])('takes the lines %s', (serial, lines) => {
  const { topology, problems } = load(`{ kind: uml, serial: ${serial} }`);
  expect(problems).toBeUndefined();
  expect(topology?.nodes[0]?.serial).toEqual(
    Object.entries(lines).map(([name, acknowledge]) => ({ name, acknowledge })),
  );
});

it('knows of none where none are named', () => {
  expect(load('{ kind: uml }').topology?.nodes[0]).not.toHaveProperty('serial');
});

it.each([
  ['{ kind: kvm, serial: [ttyS0] }', 'expected `kind: uml` in a node with `serial`; found another kind'],
  [
    '{ kind: uml, serial: [ttyS16] }',
    'expected a line from ttyS0 to ttyS15, or a console from tty1 to tty15',
  ],
  ['{ kind: uml, serial: [tty0] }', 'expected a line from ttyS0 to ttyS15, or a console from tty1 to tty15'],
  ['{ kind: uml, serial: { hvc0: {} } }', 'expected a line from ttyS0 to ttyS15, or a console from tty1'],
  ['{ kind: uml, serial: [ttyS0, ttyS0] }', "expected each line once; found 'ttyS0' again; remove it"],
  ['{ kind: uml, serial: { ttyS0: { acknowledge: 1 } } }', 'expected true or false'],
  [
    `{ kind: uml, serial: [${Array.from({ length: 17 }, (_, line) => (line < 16 ? `ttyS${line}` : 'tty1'))}] }`,
    'expected at most 16 lines; found 17',
  ],
])('refuses %s', (node, problem) => {
  const { problems } = load(node);
  expect(problems?.map((each) => formatProblem('t.yaml', each)).join('\n')).toContain(problem);
});
