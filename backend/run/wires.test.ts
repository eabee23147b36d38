// SPDX-License-Identifier: MIT
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
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
import type { Drive } from '../wires/index.js';
import { Changes } from './changes.js';
import { layOut } from './layout.js';
import { Network } from './network.js';
import { Wires } from './wires.js';

const NODES = `nodes:
  a: { kind: uml }
  b: { kind: uml }
  c: { kind: uml }
`;

/** Wires without guests: what is to be done is told before `settle`, and happens in it. */
function build(text: string, jobs = 1) {
  const result = loadTopology(`name: t\nuntil: 1s\n${NODES}${text}`, 't.yaml');
  if (result.topology === undefined) throw new Error(JSON.stringify(result.problems));
  const { topology } = result;
  const layout = layOut(topology);
  const calendar = new Calendar({
    jobs,
    until: NEVER,
    activated: () => undefined,
    barrier: () => undefined,
    ended: () => undefined,
  });
  const domains = Array.from({ length: layout.domains }, () => calendar.addDomain());
  const seen: string[] = [];
  const name = (node: number, line: number) =>
    `${topology.nodes[node]?.name}.${topology.nodes[node]?.lines[line]}`;
  const wires = new Wires(topology, layout, domains, {
    driven: (at, node, line, drive) => seen.push(`${at} ${name(node, line)} drives ${drive}`),
    level: (at, wire, level) => seen.push(`${at} ${topology.wires[wire]?.name} is ${level}`),
    conflict: (at, wire, what) => seen.push(`${at} ${topology.wires[wire]?.name}: ${what}`),
  });
  const network = new Network(topology, layout, domains, {
    sent: () => undefined,
    received: () => undefined,
  });
  const lookahead = new Lookahead(layout.domains);
  const log = {
    run: 99,
    wire: (index: number) => 100 + index,
    change: (at: Instant, node: number, { cable, down, latency }: LoggedChange) =>
      seen.push(`${at} ${node}/${cable} ${down ? 'down' : 'up'} ${latency}`),
  };
  new Changes(topology, layout, { calendar, lookahead, network, wires, log, changed: () => undefined });
  const domainOf = (node: number) => domains[layout.nodeDomain[node] as number] as Domain;
  for (const { index, lines } of topology.nodes) {
    if (lines.length === 0) continue;
    wires.attach(index, {
      sense: (line, level) => seen.push(`${domainOf(index).now} ${name(index, line)} sees ${level}`),
    });
  }
  let sequence = 0;
  const at = (when: bigint, node: number, apply: () => void) => {
    const domain = domainOf(node);
    domain.post(domain, {
      at: instant(when),
      kind: EventKind.INPUT,
      source: node,
      sequence: sequence++,
      apply,
    });
  };
  const settle = () => {
    seen.length = 0;
    calendar.start(lookahead);
    return seen;
  };
  return {
    wires,
    layout,
    at,
    settle,
    seen,
    calendar,
    drive: (when: bigint, node: number, line: number, drive: Drive) =>
      at(when, node, () => wires.drive(node, line, drive)),
  };
}

describe('a wire', () => {
  it('takes a change to the other pins in its latency, and to its own at once', () => {
    const { drive, settle, wires } = build(
      'wires: [{ name: w, pins: [a.gpio0, b.gpio1, c.x], latency: 100ns }]',
    );
    drive(10n, 0, 0, 1);
    drive(500n, 0, 0, undefined);
    expect(settle()).toEqual([
      '10 a.gpio0 drives 1',
      '10 a.gpio0 sees 1',
      '110 w is 1',
      '110 b.gpio1 sees 1',
      '110 c.x sees 1',
      '500 a.gpio0 drives undefined',
      '500 a.gpio0 sees 0',
      '600 w is 0',
      '600 b.gpio1 sees 0',
      '600 c.x sees 0',
    ]);
    expect(wires.counts('w')).toEqual({ edges: 2, conflicts: 0 });
  });

  it('without latency joins its nodes, and takes no time', () => {
    const { drive, settle, layout } = build('wires: [{ name: w, pins: [a.gpio0, b.gpio0], latency: 0s }]');
    expect(layout.nodeDomain).toEqual([0, 0, 1]);
    expect(layout.wireDomain).toEqual([0]);
    drive(10n, 0, 0, 1);
    expect(settle()).toEqual(['10 a.gpio0 drives 1', '10 a.gpio0 sees 1', '10 w is 1', '10 b.gpio0 sees 1']);
  });

  it('is a domain of its own, with its latency on the way in', () => {
    const { layout } = build('wires: [{ name: w, pins: [a.gpio0, b.gpio0] }]');
    expect(layout).toMatchObject({ domains: 4, nodeDomain: [0, 1, 2], wireDomain: [3] });
    expect(layout.ways).toEqual(
      [0, 1].flatMap((node) => [
        { from: node, to: 3, latency: 1_000n, name: 'w', port: undefined, egress: false, always: true },
        { from: 3, to: node, latency: 0n, name: 'w', port: undefined, egress: true, always: true },
      ]),
    );
  });

  it('begins as it is pulled, which its pins see before anybody drives', () => {
    const { seen } = build('wires: [{ name: w, pins: [a.gpio1, b.gpio0], pull: up }]');
    expect(seen).toEqual(['0 a.gpio0 sees 0', '0 a.gpio1 sees 1', '0 b.gpio0 sees 1']);
  });

  it('is low where pins disagree, which is told once for each time', () => {
    const { drive, settle, wires } = build(
      'wires: [{ name: w, pins: [a.gpio0, b.gpio0, c.gpio0], latency: 10ns }]',
    );
    drive(0n, 0, 0, 1);
    drive(100n, 1, 0, 0);
    drive(200n, 2, 0, 0);
    drive(300n, 0, 0, undefined);
    drive(400n, 0, 0, 1);
    expect(settle().filter((line) => line.includes('w'))).toEqual([
      '10 w is 1',
      '110 w is 0',
      '110 w: a.gpio0 high against b.gpio0 low; it is low',
      '410 w: a.gpio0 high against b.gpio0 and c.gpio0 low; it is low',
    ]);
    expect(wires.counts('w')).toEqual({ edges: 2, conflicts: 2 });
  });

  it('has both edges of a pulse without length', () => {
    const { drive, settle } = build('wires: [{ name: w, pins: [a.gpio0, b.gpio0], latency: 10ns }]');
    drive(5n, 0, 0, 1);
    drive(5n, 0, 0, 0);
    expect(settle().filter((line) => line.includes('b'))).toEqual(['15 b.gpio0 sees 1', '15 b.gpio0 sees 0']);
  });

  it('leads nowhere from a line that is no pin', () => {
    const { drive, settle } = build('wires: [{ name: w, pins: [a.gpio1, b.gpio0] }]');
    drive(5n, 0, 0, 1);
    expect(settle()).toEqual(['5 a.gpio0 drives 1', '5 a.gpio0 sees 1']);
  });
});

describe('a guest that goes', () => {
  it('lets go of its lines when it is told to, and senses nothing any more when it is detached', () => {
    const { drive, at, settle, wires } = build(
      'wires: [{ name: w, pins: [a.gpio0, b.gpio0], latency: 10ns, pull: up }]',
    );
    drive(0n, 0, 0, 0);
    at(50n, 1, () => wires.detach(1));
    at(100n, 0, () => wires.release(0));
    expect(settle().slice(2)).toEqual([
      '10 w is 0',
      '10 b.gpio0 sees 0',
      '100 a.gpio0 drives undefined',
      '100 a.gpio0 sees 1',
      '110 w is 1',
    ]);
  });

  it('is cut off its wires at a barrier, where it was quiet', () => {
    const { drive, settle, wires, calendar } = build(
      'wires: [{ name: w, pins: [a.gpio0, b.gpio0], latency: 10ns, pull: up }]',
    );
    drive(0n, 0, 0, 0);
    wires.detach(0);
    calendar.at(instant(70n), () => wires.abandon(instant(70n), 0));
    expect(settle().slice(1)).toEqual(['10 w is 0', '10 b.gpio0 sees 0', '70 w is 1', '70 b.gpio0 sees 1']);
  });
});

describe('a wire that changes', () => {
  it('down: each pin sees itself and the pull; up: what is driven by then', () => {
    const { drive, settle } = build(`wires: [{ name: w, pins: [a.gpio0, b.gpio0], latency: 10ns, pull: up }]
changes: [{ at: 100ns, wire: w, state: down }, { at: 200ns, wire: w, state: up }]
`);
    drive(0n, 0, 0, 0);
    drive(150n, 1, 0, 0);
    drive(160n, 0, 0, undefined);
    expect(settle()).toEqual([
      '0 a.gpio0 drives 0',
      '0 a.gpio0 sees 0',
      '10 w is 0',
      '10 b.gpio0 sees 0',
      '100 100/0 down 10',
      '100 w is 1',
      '100 b.gpio0 sees 1',
      '150 b.gpio0 drives 0',
      '150 b.gpio0 sees 0',
      '160 a.gpio0 drives undefined',
      '160 a.gpio0 sees 1',
      '200 100/0 up 10',
      '200 w is 0',
      '200 a.gpio0 sees 0',
    ]);
  });

  it('latency: nothing overtakes what was under way', () => {
    const { drive, settle } = build(`wires: [{ name: w, pins: [a.gpio0, b.gpio0], latency: 1us }]
changes: [{ at: 200ns, wire: w, latency: 10ns }]
`);
    drive(100n, 0, 0, 1);
    drive(300n, 0, 0, 0);
    drive(2_000n, 0, 0, 1);
    expect(settle().filter((line) => line.includes('w'))).toEqual([
      '1100 w is 1',
      '1100 w is 0',
      '2010 w is 1',
    ]);
  });
});

test('what the wires do does not depend on how many domains run at once', () => {
  const step = fc.tuple(
    fc.bigInt({ min: 0n, max: 400n }),
    fc.nat(2),
    fc.nat(1),
    fc.constantFrom<Drive>(undefined, 0, 1),
  );
  const latency = fc.constantFrom('0s', '1ns', '20ns', '300ns');
  const changes = 'changes: [{ at: 150ns, wire: v, latency: 7ns }, { at: 250ns, wire: w, state: down }]\n';
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), latency, latency, (steps, w, v) => {
      const runs = [1, 8].map((jobs) => {
        const space = build(
          `wires:
  - { name: w, pins: [a.gpio0, b.gpio0, c.gpio0], latency: ${w}, pull: up }
  - { name: v, pins: [c.gpio1, a.gpio1, b.gpio1], latency: ${v} }
${changes}`,
          jobs,
        );
        for (const each of steps) space.drive(...each);
        return { seen: space.settle(), counts: ['w', 'v'].map((name) => space.wires.counts(name)) };
      });
      expect(runs[1]).toEqual(runs[0]);
      // Each level that is told is another one.
      for (const name of ['w', 'v']) {
        const levels = runs[0]?.seen.flatMap((line) => new RegExp(` ${name} is (.)`).exec(line)?.[1] ?? []);
        expect(levels?.every((level, place) => place === 0 || level !== levels[place - 1])).toBe(true);
      }
    }),
    { numRuns: 200 },
  );
});
