// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { loadTopology } from './load.js';
import { formatProblem } from './problem.js';

const HOST = ', host: { drive: gpiochip0/17, sense: gpio18 }';
const REMOTE = "kind: board, address: 'bp1:7424', key: bp1.key";

/** A guest g on line 4, a board b on line 5, and the wire that freezes it on line 7. */
function text({
  board = REMOTE,
  freeze = HOST,
  rest = '',
}: {
  readonly board?: string;
  readonly freeze?: string;
  readonly rest?: string;
}): string {
  return `name: t
until: 1s
nodes:
  g: { kind: uml, interfaces: { eth0: {} } }
  b: { ${board} }
wires:
  - { name: f, pins: [b.PH7, b.PI3], role: freeze${freeze} }
${rest}`;
}

const WITH_CARD = `${REMOTE}, interfaces: { eth0: { device: enp2s0 } }`;
const LINK = 'links: [{ name: gb, between: [g.eth0, b.eth0], latency: 1ms }]\n';

const CASES: readonly (readonly [title: string, text: string, problems: readonly string[]])[] = [
  [
    'a board elsewhere without a line that freezes it',
    text({ freeze: '' }),
    [
      "7:23: wires[0].pins[0]: expected `host.drive` on wire 'f' with a pin of a board elsewhere, b: the line of this machine that freezes the boards elsewhere; found none; add host: { drive: gpiochip0/17, sense: gpiochip0/18 }, with your lines",
    ],
  ],
  [
    'the same, with a line that only hears it',
    text({ freeze: ', host: { sense: gpio18 }' }),
    [
      "7:23: wires[0].pins[0]: expected `host.drive` on wire 'f' with a pin of a board elsewhere, b: the line of this machine that freezes the boards elsewhere; found none; add host: { drive: gpiochip0/17, sense: gpiochip0/18 }, with your lines",
    ],
  ],
  [
    'a board that freezes others, unheard',
    text({ freeze: ', host: { drive: gpio18 }' }),
    [
      '7:52: wires[0].host: expected `sense` beside `drive`, for b freezes the others by its signal line; found none; add the line of this machine that hears it',
    ],
  ],
  [
    'a wire to a board elsewhere that leads nowhere',
    text({ rest: '  - { name: w, pins: [g.gpio0, b.PA1] }\n' }),
    [
      "8:32: wires[1].pins[1]: expected `host` on wire 'w' with a pin of a board elsewhere, b: the line of this machine that leads there; found none; add host: { drive: gpiochip0/17, sense: gpiochip0/18 }, with your lines",
    ],
  ],
  [
    'no line',
    text({ rest: '  - { name: w, pins: [g.gpio0], host: {} }\n' }),
    ['8:39: wires[1].host: expected `drive`, `sense`, or both; found none; add one, or remove `host`'],
  ],
  [
    'a line twice',
    text({ rest: '  - { name: w, pins: [g.gpio0], host: { drive: gpiochip0/017, sense: gpio18 } }\n' }),
    [
      "8:48: wires[1].host.drive: expected another line than on line 7; found 'gpiochip0/017' again; each drives or senses one wire",
      "8:70: wires[1].host.sense: expected another line than on line 7; found 'gpio18' again; each drives or senses one wire",
    ],
  ],
  [
    'a line in another form',
    text({
      rest: '  - { name: w, pins: [g.gpio0], host: { drive: gpiochip0:17, sense: 18, sens: gpio1 } }\n',
    }),
    [
      "8:48: wires[1].host.drive: expected a GPIO line of this machine, such as gpiochip0/17, or gpio17 for sysfs; found 'gpiochip0:17'",
      '8:69: wires[1].host.sense: expected a GPIO line of this machine, such as gpiochip0/17, or gpio17 for sysfs; found the number 18',
      "8:73: unknown key 'sens' in wires[1].host; did you mean 'sense'?",
    ],
  ],
  [
    'lines of this machine without latency',
    text({ rest: '  - { name: w, pins: [g.gpio0], latency: 0s, host: { drive: gpio1 } }\n' }),
    [
      '8:42: wires[1].latency: expected a latency above 0s of a wire with lines of this machine; found 0s; they run in real time',
    ],
  ],
  [
    'lines of this machine without a board',
    'name: t\nuntil: 1s\nnodes: { a: { kind: uml } }\nwires:\n  - { name: w, pins: [a.gpio0], host: { drive: gpio1 } }\n',
    [
      '5:33: wires[0].host: expected a board in a file with lines of this machine, which are in real time; found none; remove `host`',
    ],
  ],
  [
    'a cable that leads nowhere',
    text({ board: `${REMOTE}, interfaces: { eth0: {} }`, rest: LINK }),
    [
      '8:39: links[0].between[1]: expected `device` at b.eth0 (line 5), the network interface of this machine to which its cable leads; found none; add it there',
    ],
  ],
  [
    'a network interface twice',
    text({ board: `${REMOTE}, interfaces: { eth0: { device: e }, eth1: { device: e } }` }),
    [
      "5:107: nodes.b.interfaces.eth1.device: expected another network interface than on line 5; found 'e' again; each has one cable",
    ],
  ],
  [
    'a network interface for a virtual board',
    text({ board: 'kind: board, interfaces: { eth0: { device: e } }' }),
    [
      '5:43: nodes.b.interfaces.eth0.device: expected `address` in a node with `device`, for only the cable of a board elsewhere leads to this machine; found none; remove `device`',
    ],
  ],
  [
    'a network interface that cannot be',
    text({ board: `${REMOTE}, interfaces: { eth0: { device: a/b }, eth1: { device: 3 } }` }),
    [
      "5:86: nodes.b.interfaces.eth0.device: expected a name of 1 to 15 letters, digits, ., _ and -, such as eth0, which is not lo; found 'a/b'",
      '5:109: nodes.b.interfaces.eth1.device: expected a name of 1 to 15 letters, digits, ., _ and -, such as eth0, which is not lo; found the number 3',
    ],
  ],
];

describe('what this machine has for boards elsewhere', () => {
  it.each(CASES)('%s', (_title, yaml, problems) => {
    const result = loadTopology(yaml, 't.yaml');
    expect(result.problems?.map((problem) => formatProblem('t.yaml', problem))).toEqual(
      problems.map((problem) => `t.yaml:${problem}`),
    );
  });

  it('is in the topology', () => {
    const yaml = text({
      board: WITH_CARD,
      rest: `  - { name: w, pins: [g.gpio0], host: { sense: gpio0 } }\n${LINK}`,
    });
    const { topology, problems } = loadTopology(yaml, 't.yaml');
    expect(problems).toBeUndefined();
    expect(topology?.wires.map(({ host }) => host)).toEqual([
      {
        drive: { name: 'gpiochip0/17', chip: 'gpiochip0', offset: 17 },
        sense: { name: 'gpio18', chip: undefined, offset: 18 },
      },
      { drive: undefined, sense: { name: 'gpio0', chip: undefined, offset: 0 } },
    ]);
    expect(topology?.nodes[1]?.interfaces[0]?.device).toBe('enp2s0');
    expect(topology?.nodes[0]?.interfaces[0]).not.toHaveProperty('device');
  });

  it('needs no ears where no board elsewhere has a voice', () => {
    const board = `${REMOTE}, lines: { pause: PH7 }`;
    expect(
      loadTopology(text({ board, freeze: ', host: { drive: gpio1 }' }), 't.yaml').problems,
    ).toBeUndefined();
  });
});
