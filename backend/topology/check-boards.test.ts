// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { loadTopology } from './load.js';
import type { NodeSpec, Topology } from './model.js';
import { formatProblem } from './problem.js';

const FREEZE = '  - { name: freeze, pins: [b.gpio0, b.gpio1], role: freeze }\n';

/** A guest g on line 4, a board b on line 5, and the wire that freezes it on line 7. */
function board(settings: string, { wires = FREEZE, rest = '', guest = '' } = {}): string {
  return `name: t
until: 1s
nodes:
  g: { kind: uml${guest} }
  b: { kind: board${settings} }
${wires === '' ? '' : `wires:\n${wires}`}${rest}`;
}

const ETH = ', interfaces: { eth0: {} }';
const REMOTE = ', address: "10.0.0.9:7424", key: b.key';
/** The wire that freezes a board elsewhere. */
const COPPER = FREEZE.replace('role', 'host: { drive: gpiochip0/17, sense: gpiochip0/18 }, role');

const CASES: readonly (readonly [title: string, text: string, problems: readonly string[]])[] = [
  [
    'keys of boards in a guest',
    board('', { guest: ', tdf: 2000, watchdog: 1s, lines: { pause: x }, key: k, address: "h:1"' }),
    [
      '4:19: nodes.g.tdf: expected `kind: board` in a node with `tdf`; found another kind; remove it',
      '4:30: nodes.g.watchdog: expected `kind: board` in a node with `watchdog`; found another kind; remove it',
      '4:44: nodes.g.lines: expected `kind: board` in a node with `lines`; found another kind; remove it',
      '4:65: nodes.g.key: expected `kind: board` in a node with `key`; found another kind; remove it',
      '4:73: nodes.g.address: expected `kind: board` in a node with `address`; found another kind; remove it',
    ],
  ],
  [
    'a board without a wire that freezes it',
    board('', { wires: '' }),
    [
      "5:3: nodes.b: expected a pin of board 'b' on a wire with `role: freeze`, without which it could not be frozen; found none; add - { name: freeze, pins: [b.gpio0, b.gpio1], role: freeze } to `wires`",
    ],
  ],
  [
    'a board on another wire only',
    board('', { wires: '  - { name: w, pins: [b.gpio0, g.gpio0] }\n' }),
    [
      "5:3: nodes.b: expected a pin of board 'b' on a wire with `role: freeze`, without which it could not be frozen; found none; add - { name: freeze, pins: [b.gpio0, b.gpio1], role: freeze } to `wires`",
    ],
  ],
  [
    'a second board without a pin on it',
    board('', { wires: '  - { name: f, pins: [g.gpio0], role: freeze }\n' }),
    [
      "5:3: nodes.b: expected a pin of board 'b' on a wire with `role: freeze`, without which it could not be frozen; found none; add - { name: freeze, pins: [b.gpio0, b.gpio1], role: freeze } to `wires`",
      '7:39: wires[0].role: expected a pin of a board on the wire that freezes boards; found none; remove `role`, or add a pin',
    ],
  ],
  [
    'two wires that freeze',
    board('', { wires: `${FREEZE}  - { name: f, pins: [b.x], role: freeze }\n` }),
    ['8:35: wires[1].role: expected one wire with `role: freeze`; found another on line 7; join the two'],
  ],
  [
    'a wire that freezes, pulled up',
    board('', { wires: FREEZE.replace('role', 'pull: up, role') }),
    [
      '7:53: wires[0].pull: expected `pull: down` at the wire that freezes boards, which is low when nobody freezes them; found up; remove it',
    ],
  ],
  [
    'an address without a key',
    board(', address: "10.0.0.9:7424"', { wires: COPPER }),
    ['5:21: nodes.b.address: expected `key` beside `address`; found none; add it, or remove both'],
  ],
  [
    'a key without an address',
    board(', key: b.key'),
    ['5:21: nodes.b.key: expected `address` beside `key`; found none; add it, or remove both'],
  ],
  [
    "a guest's keys in a board elsewhere",
    board(`${REMOTE}, memory: 256M, root: host, kernel: vmlinux`, { wires: COPPER }),
    [
      '5:59: nodes.b.memory: expected no `memory` in a board with `address`; found one; remove it',
      '5:73: nodes.b.root: expected no `root` in a board with `address`; found one; remove it',
      '5:85: nodes.b.kernel: expected no `kernel` in a board with `address`; found one; remove it',
    ],
  ],
  [
    'a virtual board in a small system',
    board(', root: initramfs'),
    ['5:27: nodes.b.root: expected `root: host` of a virtual board; found initramfs; remove it'],
  ],
  [
    'lines of a virtual board that are no pins of it',
    board(', lines: { pause: gpio0, resume: gpio7, signal: PH7 }'),
    [
      "5:52: nodes.b.lines.resume: expected a pin of this board on the wire with `role: freeze`, one of gpio0, gpio1; found 'gpio7'",
      "5:67: nodes.b.lines.signal: expected a pin of this board on the wire with `role: freeze`, one of gpio0, gpio1; found 'PH7'",
    ],
  ],
  [
    'no latency to a board',
    board(ETH, {
      guest: ETH,
      wires: FREEZE.replace('role', 'latency: 0ns, role').replace(
        '}\n',
        '}\n  - { name: w, pins: [b.x, g.x], latency: 0.00ms }\n',
      ),
      rest: 'links:\n  - { name: l, between: [g.eth0, b.eth0], latency: 0s }\n',
    }),
    [
      '7:56: wires[0].latency: expected a latency above 0s of a wire with a board, b; found 0ns; boards run in real time',
      '8:43: wires[1].latency: expected a latency above 0s of a wire with a board, b; found 0.00ms; boards run in real time',
      '10:52: links[0].latency: expected a latency above 0s of a link with a board, b; found 0s; boards run in real time',
    ],
  ],
  [
    'no latency of a switch to a board',
    board(ETH, {
      guest: ETH,
      rest: 'switches:\n  - { name: s, ports: [g.eth0, b.eth0], latency: 000min }\n',
    }),
    [
      '9:50: switches[0].latency: expected a latency above 0s of a switch with a board, b; found 000min; boards run in real time',
    ],
  ],
  [
    'changes to no latency, and of the wire that freezes',
    board(ETH, {
      guest: ETH,
      rest:
        'links:\n  - { name: l, between: [g.eth0, b.eth0], latency: 1ms }\n' +
        'changes:\n  - { at: 1ms, link: l, latency: 0ms }\n  - { at: 2ms, wire: freeze, latency: 1ms }\n' +
        '  - { at: 3ms, wire: freeze, state: down }\n',
    }),
    [
      '11:34: changes[0].latency: expected a latency above 0s of a link with a board, b; found 0ms; boards run in real time',
      '12:22: changes[1].wire: expected a wire that does not freeze boards, for that one does not change; found it; remove the change',
      '13:22: changes[2].wire: expected a wire that does not freeze boards, for that one does not change; found it; remove the change',
    ],
  ],
  [
    'a watchdog that is too short',
    board(', watchdog: 99ms'),
    ["5:31: nodes.b.watchdog: expected a duration from 100ms to 24h with a unit, such as 10s; found '99ms'"],
  ],
  [
    'a watchdog that is too long',
    board(', watchdog: 25h'),
    ["5:31: nodes.b.watchdog: expected a duration from 100ms to 24h with a unit, such as 10s; found '25h'"],
  ],
  [
    'a watchdog without a unit',
    board(', watchdog: 10'),
    [
      '5:31: nodes.b.watchdog: expected a duration from 100ms to 24h with a unit, such as 10s; found the number 10',
    ],
  ],
  [
    'a dilation of nothing',
    board(', tdf: 0'),
    ['5:26: nodes.b.tdf: expected a whole number from 1 to 1000000; found the number 0'],
  ],
  [
    'a fraction as dilation',
    board(', tdf: 1.5'),
    ['5:26: nodes.b.tdf: expected a whole number from 1 to 1000000; found the number 1.5'],
  ],
  [
    'an unknown line',
    board(', lines: { puase: gpio0 }'),
    [
      "5:28: missing key 'pause' in nodes.b.lines; expected a line of the board, such as PH7 or 1c20800.pinctrl:231",
      "5:30: unknown key 'puase' in nodes.b.lines; did you mean 'pause'?",
    ],
  ],
  [
    'a line with a blank',
    board(', lines: { pause: "gpio 0" }'),
    [
      "5:37: nodes.b.lines.pause: expected a line of the board, such as PH7 or 1c20800.pinctrl:231; found 'gpio 0'",
      "5:37: nodes.b.lines.pause: expected a pin of this board on the wire with `role: freeze`, one of gpio0, gpio1; found 'gpio 0'",
    ],
  ],
  [
    'a bad address of an agent',
    board(', address: "::1:7424", key: b.key', { wires: COPPER }),
    ["5:30: nodes.b.address: expected a host and a port, such as 192.168.1.21:7424; found '::1:7424'"],
  ],
  [
    'a port beyond all',
    board(', address: "bp1:65536", key: b.key', { wires: COPPER }),
    ["5:30: nodes.b.address: expected a host and a port, such as 192.168.1.21:7424; found 'bp1:65536'"],
  ],
  [
    'an unknown role',
    board('', { wires: FREEZE.replace('role: freeze', 'role: freez') }),
    [
      "5:3: nodes.b: expected a pin of board 'b' on a wire with `role: freeze`, without which it could not be frozen; found none; add - { name: freeze, pins: [b.gpio0, b.gpio1], role: freeze } to `wires`",
      "7:53: wires[0].role: expected freeze; found 'freez'; did you mean 'freeze'?",
    ],
  ],
];

describe('what is wrong with boards', () => {
  it.each(CASES)('%s', (_, text, problems) => {
    const result = loadTopology(text, 't.yaml');
    expect(result.problems?.map((problem) => formatProblem('t.yaml', problem))).toEqual(
      problems.map((problem) => `t.yaml:${problem}`),
    );
  });
});

function load(text: string): Topology {
  const { topology, problems } = loadTopology(text, '/somewhere/net/t.yaml');
  if (topology === undefined) throw new Error(JSON.stringify(problems));
  return topology;
}

describe('a board', () => {
  const nodeOf = (text: string) => load(text).nodes[1] as NodeSpec;

  it('that says nothing is a virtual one, frozen by its first pin, freezing others by its second', () => {
    const node = nodeOf(board(''));
    expect(node).toMatchObject({ kind: 'board', memory: 256 << 20, root: 'host', lines: ['gpio0', 'gpio1'] });
    expect(node.board).toEqual({
      agent: undefined,
      pause: 'gpio0',
      resume: undefined,
      signal: 'gpio1',
      watchdog: 10_000_000_000n,
      tdf: 1000,
    });
  });

  it('takes its pins in the order of the wire, whatever they are called and whoever is between', () => {
    const wires = '  - { name: f, pins: [b.zz, g.gpio0, b.gpio0, b.aa], role: freeze }\n';
    expect(nodeOf(board('', { wires })).board).toMatchObject({
      pause: 'zz',
      resume: undefined,
      signal: 'gpio0',
    });
  });

  it('with one pin only listens', () => {
    const wires = '  - { name: f, pins: [b.gpio4], role: freeze }\n';
    expect(nodeOf(board('', { wires })).board).toMatchObject({ pause: 'gpio4', signal: undefined });
  });

  it('has the lines that it says, and no others', () => {
    const wires = '  - { name: f, pins: [b.gpio0, b.gpio1, b.gpio2], role: freeze }\n';
    const lines = (text: string) => nodeOf(board(`, lines: { ${text} }`, { wires })).board;
    expect(lines('pause: gpio2')).toMatchObject({ pause: 'gpio2', resume: undefined, signal: undefined });
    expect(lines('pause: gpio2, resume: gpio0, signal: gpio1')).toMatchObject({
      pause: 'gpio2',
      resume: 'gpio0',
      signal: 'gpio1',
    });
  });

  it('may be given memory, speed and a watchdog', () => {
    const node = nodeOf(board(', memory: 512M, tdf: 2000, watchdog: 1.5s, root: host'));
    expect(node).toMatchObject({ memory: 512 << 20, board: { tdf: 2000, watchdog: 1_500_000_000n } });
    expect(nodeOf(board(', watchdog: 100ms, tdf: 1')).board).toMatchObject({
      watchdog: 100_000_000n,
      tdf: 1,
    });
    expect(nodeOf(board(', watchdog: 24h, tdf: 1000000')).board).toMatchObject({ tdf: 1_000_000 });
  });

  it('elsewhere has an address, and a key in the folder of the file; its lines are its own', () => {
    const text = board(
      ', address: "[fd00::21]:7424", key: keys/b.key, lines: { pause: PH7, signal: "1c20800.pinctrl:231" }',
      {
        wires: COPPER,
      },
    );
    expect(nodeOf(text).board).toMatchObject({
      agent: { host: 'fd00::21', port: 7424, keyFile: '/somewhere/net/keys/b.key' },
      pause: 'PH7',
      signal: '1c20800.pinctrl:231',
    });
    const absolute = board(', address: "b:1", key: /etc/b.key', { wires: COPPER });
    expect(nodeOf(absolute).board).toMatchObject({ agent: { keyFile: '/etc/b.key' }, pause: 'gpio0' });
  });

  it('is nothing that a guest has, nor changes what one is', () => {
    const [guest] = load(board('')).nodes;
    expect(guest).toMatchObject({ memory: 64 << 20, root: 'initramfs' });
    expect(guest?.board).toBeUndefined();
  });

  it('may be among guests without latency between these, and have changes of what leads there', () => {
    load(
      board(ETH, {
        guest: ETH,
        wires: `${FREEZE}  - { name: w, pins: [g.x, g.y], latency: 0s }\n`,
        rest:
          'links:\n  - { name: l, between: [g.eth0, b.eth0], latency: 1ns }\n' +
          'changes:\n  - { at: 1ms, link: l, latency: 10us, state: down }\n  - { at: 1ms, wire: w, latency: 0s }\n',
      }),
    );
  });
});
