// SPDX-License-Identifier: MIT
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LoggedChange } from '../../protocols/trace/index.js';
import {
  Calendar,
  type Domain,
  EventKind,
  type Instant,
  instant,
  Lookahead,
  NEVER,
} from '../calendar/index.js';
import { loadTopology } from '../topology/index.js';
import { Changes } from './changes.js';
import { layOut } from './layout.js';
import { type Card, Network } from './network.js';
import { Wires } from './wires.js';

const BROADCAST = Uint8Array.from([255, 255, 255, 255, 255, 255, 2, 0, 0, 0, 0, 1, 8, 6, ...new Array(46)]);

const CARD: Card = { receive: () => true, setLink: () => undefined };

/** A network without guests: what is to be sent is told before `settle`, and arrives in it. */
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
  const lookahead = new Lookahead(layout.domains);
  const wires = new Wires(topology, layout, domains, {
    driven: () => undefined,
    level: () => undefined,
    conflict: () => undefined,
  });
  const log = {
    run: 99,
    wire: (index: number) => 100 + index,
    change: (at: Instant, node: number, { cable, down, latency, lost }: LoggedChange) => {
      seen.push(`${at} ${node}/${cable} ${down ? 'down' : 'up'} ${latency} lost ${lost}`);
    },
  };
  new Changes(topology, layout, { calendar, lookahead, network, wires, log, changed: () => undefined });
  const domainOf = (node: number) => domains[layout.nodeDomain[node] as number] as Domain;
  let sequence = 0;
  /** Does something in the domain of a node; told before `settle`. */
  const schedule = (node: number, at: bigint, apply: () => void) => {
    const domain = domainOf(node);
    domain.post(domain, {
      at: instant(at),
      kind: EventKind.INPUT,
      source: node,
      sequence: sequence++,
      apply,
    });
  };
  const sendAt = (node: number, at: bigint, frame = BROADCAST) =>
    schedule(node, at, () => network.transmit({ node, interface: 0 }, frame));
  /** A card that writes down what its guest sees of the carrier. */
  const attach = (node: number) =>
    network.attach(
      { node, interface: 0 },
      {
        receive: () => true,
        setLink: (up) => seen.push(`${domainOf(node).now} ${name(node, 0)} carrier ${up}`),
      },
    );
  return { network, seen, domainOf, schedule, sendAt, attach, settle: () => calendar.start(lookahead) };
}

const NODES = `nodes:
  a: { kind: uml, interfaces: { e0: {} } }
  b: { kind: uml, interfaces: { e0: {} } }
  c: { kind: uml, interfaces: { e0: {} } }
`;

describe('Network', () => {
  it('carries a frame over a link in serialisation time and latency', () => {
    const { network, seen, sendAt, settle } = build(
      `${NODES}links:\n  - { name: ab, between: [a.e0, b.e0], latency: 1ms, rate: 1mbit }`,
    );
    network.attach({ node: 1, interface: 0 }, CARD);
    sendAt(0, 0n);
    settle();
    // 60 bytes are 480 bits: 480 us at 1 Mbit/s.
    expect(seen).toEqual(['0 a.e0 sent 60 delivered 1480000', '1480000 b.e0 took']);
    expect(network.counts('ab')).toEqual({ frames: 1, bytes: 60, dropped: 0 });
  });

  it('floods a switch, which serialises twice and delays once', () => {
    const { network, seen, sendAt, settle } = build(
      `${NODES}switches:\n  - { name: lan, ports: [a.e0, b.e0, c.e0], latency: 1ms, rate: 1mbit }`,
    );
    for (const node of [0, 1]) network.attach({ node, interface: 0 }, CARD);
    sendAt(0, 0n);
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
    const { network, seen, sendAt, settle } = build(
      `${NODES}links:\n  - { name: ab, between: [a.e0, b.e0], latency: 1us }`,
    );
    network.attach({ node: 1, interface: 0 }, CARD);
    network.detach(1);
    sendAt(0, 0n);
    settle();
    expect(seen.at(-1)).toBe('1000 b.e0 refused');
  });
});

const MS = 1_000_000n;

/** Domains write down what happens in the order of their windows. */
function byTime(seen: readonly string[]): string[] {
  return [...seen].sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10));
}

/** When frames that are sent over a link of 7 us arrive; all in nanoseconds but the times of the changes, in us. */
function predict(
  sent: readonly number[],
  changes: readonly { readonly at: number; readonly what: string }[],
): number[] {
  const inOrder = [...changes].sort((a, b) => a.at - b.at);
  const before = (at: number) => inOrder.filter((each) => each.at * 1000 <= at).map(({ what }) => what);
  const isUp = (at: number) => before(at).findLast((what) => what.startsWith('state')) !== 'state: down';
  const latency = (at: number) =>
    Number(/\d+/.exec(before(at).findLast((what) => what.startsWith('latency')) ?? '7')?.[0]) * 1000;
  const downs = inOrder.filter(({ what }) => what === 'state: down').map(({ at }) => at * 1000);
  /** Whether a change has cut a frame off by the time `at`. */
  const isCut = (frame: { sent: number; arrives: number }, at: number) =>
    downs.some((down) => frame.sent < down && down <= frame.arrives && down <= at);
  const frames: { sent: number; arrives: number }[] = [];
  for (const at of sent.filter(isUp)) {
    const ahead = frames.filter((frame) => !isCut(frame, at)).map(({ arrives }) => arrives);
    frames.push({ sent: at, arrives: Math.max(at + latency(at), ...ahead) });
  }
  return frames.filter((frame) => !isCut(frame, frame.arrives)).map(({ arrives }) => arrives);
}

describe('Network: changes', () => {
  it('keeps the times of frames that were sent, and their order', () => {
    const { seen, sendAt, attach, settle } = build(`${NODES}links:
  - { name: ab, between: [a.e0, b.e0], latency: 10ms }
changes:
  - { at: 5ms, link: ab, latency: 10us }`);
    attach(1);
    for (const at of [4n, 5n, 20n]) sendAt(0, at * MS);
    sendAt(1, 5n * MS);
    settle();
    expect(seen.filter((line) => !line.includes('sent'))).toEqual([
      '5000000 99/0 up 10000 lost 0',
      // No frame was before it in this direction.
      '5010000 a.e0 refused',
      '14000000 b.e0 took',
      '14000000 b.e0 took',
      '20010000 b.e0 took',
    ]);
  });

  it('lookahead follows, and T6: nobody is granted time past a change', () => {
    const { domainOf, schedule, settle } = build(`${NODES}links:
  - { name: ab, between: [a.e0, b.e0], latency: 10ms }
changes:
  - { at: 5ms, link: ab, latency: 10us }
  - { at: 7ms, link: ab, state: down, latency: 1ms }
  - { at: 9ms, link: ab, state: up }`);
    const granted: bigint[] = [];
    for (let at = 0n; at <= 10n; at++) {
      schedule(0, at * MS, () => granted.push(domainOf(0).horizon));
      schedule(1, at * MS, () => undefined);
    }
    settle();
    const us = 1_000n;
    const until = [5n, 5n, 5n, 5n, 5n].map((end) => end * MS);
    expect(granted).toEqual([
      ...until,
      5n * MS + 10n * us,
      6n * MS + 10n * us,
      // Nobody can reach it any more.
      9n * MS,
      9n * MS,
      10n * MS,
      11n * MS,
    ]);
  });

  it('loses what is on the way when a link goes down, and what is sent until it comes up', () => {
    const { network, seen, sendAt, attach, settle } = build(`${NODES}links:
  - { name: ab, between: [a.e0, b.e0], latency: 1ms, rate: 1mbit }
changes:
  - { at: 2ms, link: ab, state: down }
  - { at: 3ms, link: ab, state: up }`);
    for (const node of [0, 1]) attach(node);
    // 60 bytes take 480 us. The third would arrive at the very instant of the change, the fourth is in the queue.
    for (const at of [100n, 520n, 520n, 1_990n, 2_000n, 2_500n, 3_000n]) sendAt(0, at * 1_000n);
    sendAt(1, 2_100_000n);
    settle();
    expect(byTime(seen)).toEqual([
      '100000 a.e0 sent 60 delivered 1580000',
      '520000 a.e0 sent 60 delivered 2060000',
      '520000 a.e0 sent 60 delivered 2540000',
      '1580000 b.e0 took',
      '1990000 a.e0 sent 60 delivered 3470000',
      '2000000 99/0 down 1000000 lost 3',
      '2000000 a.e0 carrier false',
      '2000000 a.e0 sent 60 link-down undefined',
      '2000000 b.e0 carrier false',
      '2100000 b.e0 sent 60 link-down undefined',
      '2500000 a.e0 sent 60 link-down undefined',
      '3000000 99/0 up 1000000 lost 0',
      '3000000 a.e0 carrier true',
      '3000000 a.e0 sent 60 delivered 4480000',
      '3000000 b.e0 carrier true',
      '4480000 b.e0 took',
    ]);
    expect(network.counts('ab')).toEqual({ frames: 8, bytes: 480, dropped: 6 });
  });

  it('cuts off one port of a switch, which forgets who was there', () => {
    const { network, seen, sendAt, attach, settle } = build(`${NODES}switches:
  - { name: lan, ports: [a.e0, b.e0, c.e0], latency: 1ms }
changes:
  - { at: 10ms, switch: lan, port: b.e0, state: down }
  - { at: 20ms, switch: lan, port: b.e0, state: up }`);
    for (const node of [0, 1, 2]) attach(node);
    const toB = BROADCAST.map((byte, place) => (place < 6 ? [2, 0, 0, 0, 0, 9][place] : byte) as number);
    const fromB = BROADCAST.map((byte, place) => (place === 11 ? 9 : byte));
    sendAt(1, 0n, fromB);
    // Known; under way when the port goes down; while it is down; and when it is up again.
    for (const at of [5n, 9n, 12n, 25n]) sendAt(0, at * MS + (at === 9n ? 500_000n : 0n), toB);
    // It is at the switch, and goes to the port, before the change; and one that does not come so far.
    sendAt(1, 9_500_000n, fromB);
    settle();
    expect(seen.filter((line) => !line.includes('sent'))).toEqual([
      '1000000 a.e0 took',
      '1000000 c.e0 took',
      '6000000 b.e0 took',
      // Node number 3 is the switch, cable number 1 the port.
      '10000000 3/1 down 1000000 lost 1',
      '10000000 b.e0 carrier false',
      '10500000 c.e0 took',
      '13000000 c.e0 took',
      '20000000 3/1 up 1000000 lost 0',
      '20000000 b.e0 carrier true',
      '26000000 b.e0 took',
      '26000000 c.e0 took',
    ]);
    expect(network.counts('lan')).toMatchObject({ frames: 6, dropped: 1 });
  });

  it('changes all ports of a switch, or one', () => {
    const { seen, sendAt, attach, settle } = build(`${NODES}switches:
  - { name: lan, ports: [a.e0, b.e0, c.e0], latency: 1ms }
changes:
  - { at: 0s, switch: lan, port: c.e0, rate: 1mbit }
  - { at: 5ms, switch: lan, latency: 2ms }`);
    for (const node of [1, 2]) attach(node);
    sendAt(0, 0n);
    sendAt(0, 5n * MS);
    settle();
    expect(seen.filter((line) => !line.includes('sent'))).toEqual([
      '0 3/2 up 1000000 lost 0',
      '1000000 b.e0 took',
      // 60 bytes at 1 Mbit/s on the way out.
      '1480000 c.e0 took',
      '5000000 3/0 up 2000000 lost 0',
      '5000000 3/1 up 2000000 lost 0',
      '5000000 3/2 up 2000000 lost 0',
      '7000000 b.e0 took',
      '7480000 c.e0 took',
    ]);
  });

  it('does nothing to the card of a guest that has gone', () => {
    const { network, seen, attach, settle } = build(`${NODES}links:
  - { name: ab, between: [a.e0, b.e0], latency: 1us }
changes:
  - { at: 1ms, link: ab, state: down }`);
    for (const node of [0, 1]) attach(node);
    network.detach(1);
    settle();
    expect(seen).toEqual(['1000000 99/0 down 1000 lost 0', '1000000 a.e0 carrier false']);
  });

  it('T6: whatever changes, frames arrive when the arithmetic says, or not at all', () => {
    const change = fc.record({
      at: fc.integer({ min: 0, max: 40 }),
      net: fc.constantFrom('link: ab', 'switch: lan', 'switch: lan, port: c.e0'),
      what: fc.oneof(
        fc.constantFrom('state: up', 'state: down'),
        fc.integer({ min: 1, max: 30 }).map((latency) => `latency: ${latency}us`),
      ),
    });
    const send = fc.record({ at: fc.integer({ min: 0, max: 40 }), node: fc.integer({ min: 0, max: 2 }) });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 8 }), fc.array(send, { maxLength: 30 }), (changes, sends) => {
        const once = new Map(
          changes.map((each) => [`${each.at} ${each.net.slice(0, 4)} ${each.what.slice(0, 4)}`, each]),
        );
        const lines = [...once.values()].map(({ at, net, what }) => `  - { at: ${at}us, ${net}, ${what} }`);
        const { network, seen, schedule, settle } = build(`nodes:
  a: { kind: uml, interfaces: { e0: {} } }
  b: { kind: uml, interfaces: { e0: {}, e1: {} } }
  c: { kind: uml, interfaces: { e0: {} } }
links: [{ name: ab, between: [a.e0, b.e0], latency: 7us }]
switches: [{ name: lan, ports: [b.e1, c.e0], latency: 3us, rate: 100mbit }]
${lines.length === 0 ? '' : `changes:\n${lines.join('\n')}`}`);
        // b passes on what comes: so a can be reached by way of two domains.
        const forward = (place: number): Card => ({
          receive: (bytes) => {
            network.transmit({ node: 1, interface: place }, bytes);
            return true;
          },
          setLink: () => undefined,
        });
        network.attach({ node: 1, interface: 0 }, forward(1));
        network.attach({ node: 1, interface: 1 }, forward(0));
        for (const node of [0, 2]) network.attach({ node, interface: 0 }, CARD);
        for (const { at, node } of sends) {
          schedule(node, BigInt(at) * 1_000n, () => network.transmit({ node, interface: 0 }, BROADCAST));
        }
        settle();
        const link = [...once.values()].filter(({ net }) => net === 'link: ab');
        for (const [from, to] of ['ab', 'ba']) {
          const ofLink = byTime(seen).filter((line) => line.includes(` ${from}.e0 sent`));
          const sent = ofLink.map((line) => Number.parseInt(line, 10));
          const arrived = seen.flatMap((line) =>
            line.includes(` ${to}.e0 took`) ? [Number.parseInt(line, 10)] : [],
          );
          expect(arrived).toEqual(predict(sent, link));
        }
      }),
      { numRuns: 300 },
    );
  });
});
