// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { Calendar, Lookahead, NEVER } from '../calendar/index.js';
import { loadTopology } from '../topology/index.js';
import { layOut } from './layout.js';
import { Network } from './network.js';

const BROADCAST = Uint8Array.from([255, 255, 255, 255, 255, 255, 2, 0, 0, 0, 0, 1, 8, 6, ...new Array(46)]);

/** A network without guests: what was sent before `settle` arrives in it. */
function build(text: string) {
  const result = loadTopology(`name: t\nuntil: 1s\n${text}`, 't.yaml');
  if (result.topology === undefined) throw new Error(JSON.stringify(result.problems));
  const { topology } = result;
  const layout = layOut(topology);
  const calendar = new Calendar({
    jobs: 1,
    until: NEVER,
    activated: () => undefined,
    barrier: () => undefined,
    ended: () => undefined,
  });
  const domains = Array.from({ length: layout.domains }, () => calendar.addDomain());
  const seen: string[] = [];
  const name = (node: number, place: number) =>
    `${topology.nodes[node]?.name}.${topology.nodes[node]?.interfaces[place]?.name}`;
  const network = new Network(topology, layout, domains, {
    sent: (at, from, frame, fate, arrives) => {
      seen.push(`${at} ${name(from.node, from.interface)} sent ${frame.bytes.length} ${fate} ${arrives}`);
    },
    received: (at, to, _frame, taken) => {
      seen.push(`${at} ${name(to.node, to.interface)} ${taken ? 'took' : 'refused'}`);
    },
  });
  const settle = () => {
    const lookahead = new Lookahead(layout.domains);
    for (const { from, to, latency } of layout.ways) lookahead.connect(from, to, latency);
    calendar.start(lookahead);
  };
  return { network, seen, settle };
}

const NODES = `nodes:
  a: { kind: uml, interfaces: { e0: {} } }
  b: { kind: uml, interfaces: { e0: {} } }
  c: { kind: uml, interfaces: { e0: {} } }
`;

describe('Network', () => {
  it('carries a frame over a link in serialisation time and latency', () => {
    const { network, seen, settle } = build(
      `${NODES}links:\n  - { name: ab, between: [a.e0, b.e0], latency: 1ms, rate: 1mbit }`,
    );
    network.attach({ node: 1, interface: 0 }, () => true);
    network.transmit({ node: 0, interface: 0 }, BROADCAST);
    settle();
    // 60 bytes are 480 bits: 480 us at 1 Mbit/s.
    expect(seen).toEqual(['0 a.e0 sent 60 delivered 1480000', '1480000 b.e0 took']);
    expect(network.counts('ab')).toEqual({ frames: 1, bytes: 60, dropped: 0 });
  });

  it('floods a switch, which serialises twice and delays once', () => {
    const { network, seen, settle } = build(
      `${NODES}switches:\n  - { name: lan, ports: [a.e0, b.e0, c.e0], latency: 1ms, rate: 1mbit }`,
    );
    for (const node of [0, 1]) network.attach({ node, interface: 0 }, () => true);
    network.transmit({ node: 0, interface: 0 }, BROADCAST);
    settle();
    expect(seen).toEqual(['0 a.e0 sent 60 delivered 1480000', '1960000 b.e0 took', '1960000 c.e0 refused']);
  });

  it('drops what is sent by an interface without a cable', () => {
    const { network, seen } = build(NODES);
    expect(network.isConnected({ node: 2, interface: 0 })).toBe(false);
    network.transmit({ node: 2, interface: 0 }, BROADCAST);
    expect(seen).toEqual(['0 c.e0 sent 60 unconnected undefined']);
  });

  it('gives nothing to a guest that has gone', () => {
    const { network, seen, settle } = build(
      `${NODES}links:\n  - { name: ab, between: [a.e0, b.e0], latency: 1us }`,
    );
    network.attach({ node: 1, interface: 0 }, () => true);
    network.detach(1);
    network.transmit({ node: 0, interface: 0 }, BROADCAST);
    settle();
    expect(seen.at(-1)).toBe('1000 b.e0 refused');
  });
});
