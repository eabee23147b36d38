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
      sharedDomain: [],
      ways: [],
    });
  });

  it('puts a shared variable between its guests, or with them where it has no latency', () => {
    const kvm = NODES.replaceAll('kind: uml', 'kind: kvm');
    const shared = (latency: string) =>
      layOut(
        topology(`${kvm}shared:
  - { name: jiffies, between: [a, c], method: ordered, latency: ${latency} }`),
      );
    expect(shared('0s')).toMatchObject({ nodeDomain: [0, 1, 0], sharedDomain: [0], ways: [] });
    const apart = shared('2us');
    expect(apart).toMatchObject({ nodeDomain: [0, 1, 2], sharedDomain: [3] });
    const name = 'shared jiffies';
    expect(apart.ways).toEqual([
      { from: 0, to: 3, latency: 2_000n, name, egress: false, always: true },
      { from: 3, to: 0, latency: 0n, name, egress: true, always: true },
      { from: 2, to: 3, latency: 2_000n, name, egress: false, always: true },
      { from: 3, to: 2, latency: 0n, name, egress: true, always: true },
    ]);
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

describe('layOut, with boards', () => {
  const MIXED = `nodes:
  a: { kind: uml, interfaces: { e0: {}, e1: {} } }
  bp1: { kind: board, interfaces: { e0: {}, e1: {} } }
  c: { kind: uml, interfaces: { e0: {}, e1: {} } }
  bp2: { kind: board, interfaces: { e0: {}, e1: {} } }
`;
  const freeze = (pins = '') =>
    `wires:
  - { name: freeze, pins: [bp1.gpio0, bp2.gpio0${pins}], latency: 3us, role: freeze }
`;

  it('has none where there are none', () => {
    expect(layOut(topology(NODES)).boards).toBeUndefined();
  });

  it('puts all boards into one domain, which they share with no guest', () => {
    const layout = layOut(topology(`${MIXED}${freeze()}`));
    expect(layout).toMatchObject({ boards: 1, nodeDomain: [0, 1, 2, 1], ways: [] });
  });

  it('finds them where the first node is one, and where it is the only node', () => {
    const alone = `nodes:
  b: { kind: board }
wires:
  - { name: freeze, pins: [b.gpio0], role: freeze }
`;
    expect(layOut(topology(alone))).toMatchObject({ boards: 0, nodeDomain: [0], ways: [] });
  });

  it('has a way from guests to boards by the wire that freezes them, and none back', () => {
    const layout = layOut(topology(`${MIXED}${freeze(', c.gpio0, c.gpio1')}`));
    const way = { name: 'freeze', port: undefined, egress: false, always: true };
    expect(layout.ways).toEqual([
      { ...way, from: 2, to: 1, latency: 3_000n },
      { ...way, from: 2, to: 1, latency: 3_000n },
    ]);
    // The wire itself is no place on the way.
    expect(layout.ways.some(({ from, to }) => [from, to].includes(layout.wireDomain[0] as number))).toBe(
      false,
    );
  });

  it('has ways between boards and guests by links, and none between boards', () => {
    const layout = layOut(
      topology(`${MIXED}${freeze()}links:
  - { name: ab, between: [a.e0, bp1.e0], latency: 1ms }
  - { name: cb, between: [bp2.e0, c.e0], latency: 2ms }
  - { name: bb, between: [bp1.e1, bp2.e1], latency: 5ms }
`),
    );
    expect(layout.ways.map(({ name, from, to, latency }) => [name, from, to, latency])).toEqual([
      ['ab', 0, 1, 1_000_000n],
      ['ab', 1, 0, 1_000_000n],
      ['cb', 1, 2, 2_000_000n],
      ['cb', 2, 1, 2_000_000n],
    ]);
  });

  it('keeps a switch and another wire that boards are at apart from them', () => {
    const layout = layOut(
      topology(`${MIXED}${freeze()}  - { name: ready, pins: [bp1.gpio5, c.gpio0], latency: 7us }
switches:
  - { name: lan, ports: [bp1.e0, bp2.e0, a.e0], latency: 100us }
`),
    );
    const [lan] = layout.switchDomain;
    const ready = layout.wireDomain[1];
    expect(new Set([0, 1, 2, lan, ready]).size).toBe(5);
    expect(layout.ways.map(({ name, from, to, latency }) => [name, from, to, latency])).toEqual([
      ['lan', 1, lan, 100_000n],
      ['lan', lan, 1, 0n],
      ['lan', 1, lan, 100_000n],
      ['lan', lan, 1, 0n],
      ['lan', 0, lan, 100_000n],
      ['lan', lan, 0, 0n],
      ['ready', 1, ready, 7_000n],
      ['ready', ready, 1, 0n],
      ['ready', 2, ready, 7_000n],
      ['ready', ready, 2, 0n],
    ]);
  });

  it('takes the latency of the beginning, also where a change makes it another', () => {
    const layout = layOut(
      topology(`${MIXED}${freeze()}links:
  - { name: ab, between: [a.e0, bp1.e0], latency: 1ms }
changes:
  - { at: 1ms, link: ab, latency: 1ns }
`),
    );
    expect(layout.nodeDomain).toEqual([0, 1, 2, 1]);
    expect(layout.ways.map(({ latency }) => latency)).toEqual([1_000_000n, 1_000_000n]);
  });
});
