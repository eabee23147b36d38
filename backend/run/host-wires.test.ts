// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest';
import {
  Calendar,
  type Domain,
  EventKind,
  instant,
  Lookahead,
  NEVER,
  type RealTime,
} from '../calendar/index.js';
import { loadTopology } from '../topology/index.js';
import type { Drive } from '../wires/index.js';
import { Changes } from './changes.js';
import type { Copper } from './host-line.js';
import { layOut } from './layout.js';
import { Network } from './network.js';
import { Wires } from './wires.js';

/** A wire of two guests that leads to copper, where time is what the test says; a window is 10 ms at most. */
function build(wire: string) {
  const result = loadTopology(
    `name: t
until: 1s
nodes:
  a: { kind: uml }
  bp1: { kind: board, address: 'b:1', key: k, lines: { pause: PH7 } }
  c: { kind: uml }
wires:
  - { name: freeze, pins: [bp1.PH7], role: freeze, host: { drive: gpio1 } }
  - ${wire}
`,
    't.yaml',
  );
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
  let now = 0n;
  let realTime: RealTime | undefined;
  const domains = Array.from({ length: layout.domains }, (_, index) => {
    if (index !== layout.boards) return calendar.addDomain();
    realTime = calendar.addRealTime(() => instant(now));
    return realTime;
  });
  const seen: string[] = [];
  const say = (text: string) => seen.push(text);
  const wires = new Wires(topology, layout, domains, {
    driven: (at, node, line, drive) => say(`${at} ${topology.nodes[node]?.name}.${line} drives ${drive}`),
    level: (at, index, level) => say(`${at} ${topology.wires[index]?.name} is ${level}`),
    conflict: (at, _wire, text) => say(`${at} ${text}`),
  });
  const observer = { sent: () => undefined, received: () => undefined };
  const network = new Network(topology, layout, domains, observer);
  const lookahead = new Lookahead(layout.domains);
  const log = { run: 9, wire: (index: number) => 10 + index, change: () => undefined };
  new Changes(topology, layout, { calendar, lookahead, network, wires, log, changed: () => undefined });
  let hear: (held: boolean) => void = () => undefined;
  const copper: Copper = {
    name: 'sense',
    drive: (active) => say(`${now} copper ${active ? 'driven' : 'left'}`),
    listen: (heard) => {
      hear = heard;
    },
  };
  wires.join('w', copper);
  for (const { index, name } of topology.nodes.filter(({ kind }) => kind === 'uml')) {
    const domain = domains[layout.nodeDomain[index] as number] as Domain;
    wires.attach(index, { sense: (line, level) => say(`${domain.now} ${name}.${line} sees ${level}`) });
  }
  let sequence = 0;
  const drive = (when: bigint, node: number, level: Drive) => {
    const domain = domains[layout.nodeDomain[node] as number] as Domain;
    domain.post(domain, {
      at: instant(when),
      kind: EventKind.INPUT,
      source: node,
      sequence: sequence++,
      apply: () => wires.drive(node, 0, level),
    });
  };
  seen.length = 0;
  return {
    layout,
    wires,
    drive,
    seen,
    hear: (held: boolean) => hear(held),
    start: () => calendar.start(lookahead),
    /** Real time passes, in steps in which the boards are let go no further than they may. */
    pass: (to: bigint) => {
      while (now < to) {
        const next = [to, realTime?.due ?? NEVER, calendar.wake, realTime?.horizon ?? NEVER].filter(
          (at) => at > now,
        );
        now = next.reduce((a, b) => (a < b ? a : b), to);
        realTime?.deliver();
        calendar.resume();
      }
      return seen.splice(0);
    },
  };
}

const [A, C] = [0, 2];

describe('a wire that leads to copper', () => {
  test('does to it what guests do, when that is there', () => {
    const { drive, start, pass } = build(
      '{ name: w, pins: [a.gpio0, c.gpio0], latency: 1ms, host: { drive: gpio2 } }',
    );
    drive(0n, A, 1);
    drive(3_000_000n, C, 1);
    drive(5_000_000n, A, undefined);
    drive(7_000_000n, C, 0);
    start();
    expect(pass(20_000_000n).filter((text) => text.includes('copper'))).toEqual([
      '1000000 copper driven',
      '8000000 copper left',
    ]);
  });

  test('takes what others do there to the guests, in its latency', () => {
    const { hear, start, pass, wires } = build(
      '{ name: w, pins: [a.gpio0, c.gpio0], latency: 1ms, host: { sense: gpio2 } }',
    );
    start();
    pass(5_000_000n);
    hear(true);
    // Guests are ahead of it by the latency already.
    const seen = pass(5_500_000n);
    hear(false);
    expect([...seen, ...pass(20_000_000n)]).toEqual([
      '6000000 w is 1',
      '6000000 a.0 sees 1',
      '6000000 c.0 sees 1',
      '6500000 w is 0',
      '6500000 a.0 sees 0',
      '6500000 c.0 sees 0',
    ]);
    expect(wires.counts('w')).toEqual({ edges: 2, conflicts: 0 });
  });

  test('is driven to the level that it does not have by itself', () => {
    const { drive, start, pass, hear } = build(
      '{ name: w, pins: [a.gpio0, c.gpio0], pull: up, latency: 1ms, host: { drive: gpio2, sense: gpio3 } }',
    );
    drive(0n, A, 0);
    drive(2_000_000n, A, undefined);
    start();
    expect(pass(5_000_000n).filter((text) => text.includes('copper'))).toEqual([
      '1000000 copper driven',
      '3000000 copper left',
    ]);
    hear(true);
    expect(pass(10_000_000n)).toEqual(['6000000 w is 0', '6000000 a.0 sees 0', '6000000 c.0 sees 0']);
  });

  test('says who drives it against each other', () => {
    const { drive, start, pass, hear } = build(
      '{ name: w, pins: [a.gpio0, c.gpio0], latency: 1ms, host: { drive: gpio2, sense: gpiochip0/3 } }',
    );
    drive(0n, A, 0);
    start();
    pass(5_000_000n);
    hear(true);
    expect(pass(10_000_000n)).toContain('6000000 gpiochip0/3 high against a.gpio0 low; it is low');
  });

  test('joins guests and boards by its latency', () => {
    const { layout } = build('{ name: w, pins: [a.gpio0, c.gpio0], latency: 1ms, host: { sense: gpio2 } }');
    const [wire, boards] = [layout.wireDomain[1], layout.boards];
    const way = { name: 'w', port: undefined, always: true };
    expect(layout.ways).toContainEqual({
      ...way,
      from: boards,
      to: wire,
      latency: 1_000_000n,
      egress: false,
    });
    expect(layout.ways).toContainEqual({ ...way, from: wire, to: boards, latency: 0n, egress: true });
  });
});
