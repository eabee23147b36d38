// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest';
import { loadTopology } from './load.js';
import { formatProblem } from './problem.js';

function problems(nodes: string): string[] {
  const result = loadTopology(`name: t\nuntil: 1s\nnodes:\n${nodes}`, 't.yaml');
  return (result.problems ?? []).map((problem) => formatProblem('t', problem));
}

describe('a node where the script is', () => {
  test('has interfaces', () => {
    const result = loadTopology(
      `name: t
until: 1s
nodes:
  a: { kind: uml, interfaces: { eth0: {} } }
  s: { kind: script, interfaces: { eth0: { mac: "02:00:00:00:00:05" } } }
links: [{ name: as, between: [a.eth0, s.eth0], latency: 1ms }]`,
      't.yaml',
    );
    expect(result.problems).toBeUndefined();
    expect(result.topology?.nodes[1]).toMatchObject({ kind: 'script', interfaces: [{ name: 'eth0' }] });
  });

  test.each(['memory: 64M', 'run: ls', 'root: host', 'kernel: k', 'expect: running'])('has no %s', (key) => {
    const found = problems(`  s: { kind: script, ${key} }\n  a: { kind: uml }\n`);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(`expected no \`${key.split(':')[0]}\` in a node of \`kind: script\``);
  });

  test('has no addresses', () => {
    const found = problems('  s: { kind: script, interfaces: { eth0: { address: 10.0.0.1/24 } } }\n');
    expect(found[0]).toContain('expected no `address` of an interface where the script is');
  });
});
