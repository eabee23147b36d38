// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { loadTopology, type Topology } from '../topology/index.js';
import { layOut } from './layout.js';

function topology(text: string): Topology {
  const result = loadTopology(`name: t\nuntil: 1s\n${text}`, 't.yaml');
  if (result.topology === undefined) throw new Error(JSON.stringify(result.problems));
  return result.topology;
}

const NODES = `nodes:
  a: { kind: uml, interfaces: { e0: {}, e1: {} } }
  b: { kind: uml, interfaces: { e0: {}, e1: {} } }
  c: { kind: uml, interfaces: { e0: {}, e1: {} } }
`;

describe('layOut', () => {
  it('gives unconnected nodes a domain each, and no way between them', () => {
    expect(layOut(topology(NODES))).toEqual({
      domains: 3,
      nodeDomain: [0, 1, 2],
      switchDomain: [],
      wireDomain: [],
      ways: [],
    });
  });

  it('joins what has no latency between it, and keeps the rest apart', () => {
    const layout = layOut(
      topology(`${NODES}links:
  - { name: ac, between: [a.e0, c.e0], latency: 0ms }
  - { name: bc, between: [b.e0, c.e1], latency: 2ms }`),
    );
    expect(layout.nodeDomain).toEqual([0, 1, 0]);
    expect(layout.ways).toEqual([
      { from: 1, to: 0, latency: 2_000_000n, name: 'bc', egress: false, always: false },
      { from: 0, to: 1, latency: 2_000_000n, name: 'bc', egress: false, always: false },
    ]);
  });

  it('has no way within a domain', () => {
    const layout = layOut(
      topology(`${NODES}links:
  - { name: ab, between: [a.e0, b.e0], latency: 0ms }
  - { name: ba, between: [a.e1, b.e1], latency: 5ms }`),
    );
    expect(layout.nodeDomain).toEqual([0, 0, 1]);
    expect(layout.ways).toEqual([]);
  });

  it('makes a switch a domain of its own, with its latency on the way in', () => {
    const layout = layOut(
      topology(`${NODES}switches:
  - { name: lan, ports: [a.e0, b.e0], latency: 100us }`),
    );
    expect(layout).toMatchObject({ domains: 4, nodeDomain: [0, 1, 2], switchDomain: [3] });
    expect(layout.ways).toEqual([
      { from: 0, to: 3, latency: 100_000n, name: 'lan', port: 0, egress: false, always: false },
      { from: 3, to: 0, latency: 0n, name: 'lan', port: 0, egress: true, always: false },
      { from: 1, to: 3, latency: 100_000n, name: 'lan', port: 1, egress: false, always: false },
      { from: 3, to: 1, latency: 0n, name: 'lan', port: 1, egress: true, always: false },
    ]);
  });

  it('joins all nodes of a switch that has no latency', () => {
    const layout = layOut(
      topology(`${NODES}switches:
  - { name: lan, ports: [b.e0, c.e0], latency: 0us }`),
    );
    expect(layout).toMatchObject({ domains: 2, nodeDomain: [0, 1, 1], switchDomain: [1], ways: [] });
  });

  it('joins for the whole run what has no latency at any time of it', () => {
    const layout = layOut(
      topology(`${NODES}links:
  - { name: ab, between: [a.e0, b.e0], latency: 1ms }
  - { name: bc, between: [b.e1, c.e0], latency: 1ms }
changes:
  - { at: 300ms, link: ab, latency: 5ms, state: down }
  - { at: 100ms, link: ab, latency: 0s }
  - { at: 200ms, link: bc, latency: 1ns }`),
    );
    expect(layout.nodeDomain).toEqual([0, 0, 1]);
    expect(layout.ways.map(({ name, latency }) => [name, latency])).toEqual([
      ['bc', 1_000_000n],
      ['bc', 1_000_000n],
    ]);
  });

  it('joins a switch with the node at a port that has no latency, and not with the others', () => {
    const layout = layOut(
      topology(`${NODES}switches:
  - { name: lan, ports: [a.e0, b.e0, c.e0], latency: 100us }
changes:
  - { at: 1ms, switch: lan, port: b.e0, latency: 0s }`),
    );
    expect(layout).toMatchObject({ domains: 3, nodeDomain: [0, 1, 2], switchDomain: [1] });
    expect(layout.ways.map(({ from, to, port }) => [from, to, port])).toEqual([
      [0, 1, 0],
      [1, 0, 0],
      [2, 1, 2],
      [1, 2, 2],
    ]);
  });
});
