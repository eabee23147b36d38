// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { duration } from '../calendar/time.js';
import { loadTopology } from './load.js';
import { formatMac } from './mac.js';
import type { Topology } from './model.js';
import { formatProblem } from './problem.js';
import { FULL, TWO_NODES } from './testing/examples.js';

function load(text: string, file = '/net/t.yaml'): Topology {
  const result = loadTopology(text, file);
  expect(result.problems?.map((problem) => formatProblem(file, problem))).toBeUndefined();
  if (result.problems !== undefined) throw new Error('not loaded');
  return result.topology;
}

const mac = (topology: Topology, node: number, index = 0) =>
  formatMac(topology.nodes[node]?.interfaces[index]?.mac ?? new Uint8Array());

describe('loadTopology', () => {
  it('reads two nodes and a link', () => {
    const topology = load(TWO_NODES);
    expect(topology).toMatchObject({
      name: 'two-nodes',
      seed: 1n,
      start: 1_767_225_600_000_000_000n,
      until: 60_000_000_000n,
      nodes: [
        {
          name: 'a',
          index: 0,
          kind: 'uml',
          memory: 64 * 1024 * 1024,
          root: 'initramfs',
          kernel: undefined,
          interfaces: [{ name: 'eth0', addresses: ['10.0.0.1/24'], mtu: 1500 }],
          run: 'ping -c 100 -i 0.01 10.0.0.2',
          expect: { exit: 0 },
          onFailure: 'fail',
        },
        { name: 'b', index: 1, run: undefined, expect: undefined, onFailure: 'fail' },
      ],
      switches: [],
      wires: [],
    });
    expect(topology.links).toEqual([
      {
        name: 'ab',
        between: [
          { node: 'a', interface: 'eth0' },
          { node: 'b', interface: 'eth0' },
        ],
        latency: 1_000_000n,
        rate: 100_000_000n,
        loss: 0,
        jitter: 0n,
        queue: 100,
      },
    ]);
  });

  it('reads every key', () => {
    const result = loadTopology(FULL, '/net/t.yaml');
    expect(result.problems).toBeUndefined();
    if (result.problems !== undefined) return;
    const { topology } = result;
    expect(topology.seed).toBe(18_446_744_073_709_551_615n);
    expect(topology.start).toBe(1_767_222_000_123_456_789n);
    expect(topology.until).toBeUndefined();
    expect(topology.nodes.map((node) => node.name)).toEqual(['z', '10', 'a', '2', 'bp1']);
    expect(topology.nodes.map((node) => node.index)).toEqual([0, 1, 2, 3, 4]);
    expect(topology.nodes[0]).toMatchObject({
      memory: 2 ** 30,
      root: 'host',
      kernel: '/net/build/linux',
      expect: 'running',
      onFailure: 'evict',
    });
    expect(topology.nodes[3]).toMatchObject({ kind: 'kvm', clock: 'emulated', kernel: '/boot/vmlinuz' });
    expect(topology.nodes[0]?.interfaces[0]).toEqual({
      name: 'eth0',
      mac: Uint8Array.of(2, 0, 0, 0, 0, 1),
      addresses: ['10.0.0.1/24', 'fd00::1/64'],
      mtu: 9000,
    });
    expect(topology.switches[0]).toMatchObject({
      latency: 0n,
      rate: 1_500_000n,
      loss: 1_000_000,
      jitter: 1_500n,
      queue: 0,
    });
    expect(topology.switches[0]?.ports).toHaveLength(3);
    expect(topology.links[0]).toMatchObject({ rate: undefined, loss: 0, jitter: 0n, queue: 100 });
    expect(topology.wires).toEqual([
      {
        name: 'freeze',
        latency: 1_000n,
        pull: 'down',
        role: 'freeze',
        pins: [
          { node: 'a', line: 'gpio0' },
          { node: 'bp1', line: 'line7' },
        ],
      },
    ]);
    const same = {
      latency: undefined,
      rate: undefined,
      loss: undefined,
      jitter: undefined,
      queue: undefined,
    };
    expect(topology.changes).toEqual([
      { at: 0n, name: 's', port: undefined, cable: { ...same, latency: 0n }, state: undefined },
      {
        at: 1_000_000_000n,
        name: 'l',
        port: undefined,
        cable: { latency: 2_000_000n, rate: 1_000_000n, loss: 10_000_000, jitter: 1_000_000n, queue: 7 },
        state: 'up',
      },
      { at: 2_000_000_000n, name: 's', port: 2, cable: same, state: 'down' },
      { at: 2_000_000_000n, name: 'l', port: undefined, cable: same, state: 'down' },
    ]);
  });

  it('derives MAC addresses from seed and names, and never one that the file has', () => {
    const first = load(TWO_NODES);
    expect(mac(first, 0)).toBe(mac(load(TWO_NODES), 0));
    expect(mac(first, 0)).not.toBe(mac(first, 1));
    expect(mac(load(TWO_NODES.replace('seed: 1', 'seed: 2')), 0)).not.toBe(mac(first, 0));
    // The second node states what would have been derived for the first.
    const stated = load(TWO_NODES.replace('10.0.0.2/24', `10.0.0.2/24, mac: "${mac(first, 0)}"`));
    expect(mac(stated, 1)).toBe(mac(first, 0));
    expect(mac(stated, 0)).not.toBe(mac(first, 0));
  });

  it('takes seed and end from the command, before anything is derived from them', () => {
    const text = 'name: t\nseed: 1\nnodes: { a: { kind: uml, interfaces: { eth0: {} } } }\n';
    expect(loadTopology(text, 't.yaml').problems).toHaveLength(1);
    const result = loadTopology(text, 't.yaml', { seed: 2n, until: duration(5n) });
    expect(result.topology).toMatchObject({ seed: 2n, until: 5n });
    const same = load(text.replace('seed: 1', 'seed: 2\nuntil: 5ns'), 't.yaml');
    expect(result.topology).toEqual(same);
  });

  it('leaves out the changes after the end that the command states', () => {
    const text = `${TWO_NODES}changes:\n  - { at: 2s, link: ab, state: down }\n  - { at: 5s, link: ab, state: up }\n`;
    const until = (seconds: bigint) =>
      loadTopology(text, 't.yaml', { until: duration(seconds * 1_000_000_000n) }).topology?.changes.length;
    expect([1n, 2n, 3n, 5n, 6n, 100n].map(until)).toEqual([0, 0, 1, 1, 2, 2]);
  });

  it('takes CRLF, a byte order mark, and aliases', () => {
    expect(load(`\ufeff${TWO_NODES.replaceAll('\n', '\r\n')}`)).toEqual(load(TWO_NODES));
    const aliased = TWO_NODES.replace('memory: 64M', 'memory: &size 96M').replace(
      'b: { kind: uml,',
      'b: { kind: uml, memory: *size,',
    );
    expect(load(aliased).nodes[1]?.memory).toBe(96 * 1024 * 1024);
  });

  it('counts columns after a byte order mark and in CRLF files as editors do', () => {
    const result = loadTopology('\ufeffnmae: x\r\nuntil: 5\r\n', 't.yaml');
    expect(result.problems?.map(({ line, column }) => [line, column])).toEqual([
      [1, 1],
      [1, 1],
      [1, 1],
      [2, 8],
    ]);
  });

  it('allows what is unusual and right', () => {
    load('name: t\nnodes: { a: { kind: uml, run: ls } }\n');
    load('name: t\nuntil: 1ns\nnodes: { a: { kind: uml, interfaces: { eth0: {}, eth0.100: {} } } }\n');
    // Two interfaces of one node in one subnet; one address in two places that are not connected.
    load(
      'name: t\nuntil: 1s\nnodes:\n  a: { kind: uml, interfaces: { eth0: { address: 10.0.0.1/24 }, eth1: { address: 10.0.0.2/24 } } }\n  b: { kind: uml, interfaces: { eth0: { address: 10.0.0.1/24 } } }\n',
    );
    // A link-local address on each of two links.
    load(
      'name: t\nuntil: 1s\nnodes:\n  a: { kind: uml, interfaces: { eth0: { address: fe80::1/64 }, eth1: { address: fe80::1/64 } } }\n  b: { kind: uml, interfaces: { eth0: {} } }\n  c: { kind: uml, interfaces: { eth0: {} } }\nlinks:\n  - { name: ab, between: [a.eth0, b.eth0], latency: 0s }\n  - { name: ac, between: [a.eth1, c.eth0], latency: 0s }\n',
    );
    // A link between two interfaces of one node.
    load(
      'name: t\nuntil: 1s\nnodes:\n  a: { kind: uml, interfaces: { eth0: {}, eth1: {} } }\nlinks: [{ name: aa, between: [a.eth0, a.eth1], latency: 1ms, loss: 100% }]\n',
    );
  });

  it('does not take a misspelt key for a missing interface or command as well', () => {
    const text =
      'name: t\nnodes:\n  a: { kind: uml, interfaecs: { eth0: {} } }\n  b: { kind: uml, interfaces: { eth0: {} }, rum: ls, expect: { exit: 1 } }\nlinks:\n  - { name: ab, between: [a.eth0, b.eth0], latency: 1ms }\n';
    expect(loadTopology(text, 't.yaml').problems?.map((problem) => problem.message)).toEqual([
      "unknown key 'interfaecs' in nodes.a; did you mean 'interfaces'?",
      "unknown key 'rum' in nodes.b; did you mean 'run'?",
    ]);
  });
});
