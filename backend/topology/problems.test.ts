// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { loadTopology } from './load.js';
import { formatProblem } from './problem.js';

/** Mistakes, and every message that each must give: nothing more, and nothing less. */

const HEAD = 'name: t\nuntil: 1s\n';
const node = (settings: string) => `${HEAD}nodes:\n  a: { kind: uml, ${settings} }\n`;
const two = (nets: string) =>
  `${HEAD}nodes:\n  a: { kind: uml, interfaces: { eth0: {}, eth1: {} } }\n  b: { kind: uml, interfaces: { eth0: {} } }\n${nets}`;
const link = (more: string) =>
  two(`links:\n  - { name: ab, between: [a.eth0, b.eth0], latency: 1ms${more} }\n`);
const LINK = 'links:\n  - { name: ab, between: [a.eth0, b.eth0], latency: 1ms }\n';
const change = (more: string) =>
  `${HEAD}nodes:
  a: { kind: uml, interfaces: { eth0: {}, eth1: {} } }
  b: { kind: uml, interfaces: { eth0: {}, eth1: {} } }
links:
  - { name: ab, between: [a.eth0, b.eth0], latency: 1ms }
switches:
  - { name: lan, ports: [a.eth1, b.eth1], latency: 1ms }
changes:
${more
  .split('\n')
  .map((line) => `  - ${line}`)
  .join('\n')}
`;
const pair = (first: string, second: string, nets = LINK) =>
  `${HEAD}nodes:\n  a: { kind: uml, interfaces: { eth0: { ${first} } } }\n  b: { kind: uml, interfaces: { eth0: { ${second} } } }\n${nets}`;

const CASES: readonly (readonly [title: string, text: string, problems: readonly string[]])[] = [
  ['an empty file', '', ['1:1: expected a map with the keys name and nodes; found nothing']],
  [
    'a scalar instead of a map',
    'hello\n',
    ["1:1: expected a map with the keys name and nodes; found 'hello'"],
  ],
  [
    'a list instead of a map',
    '- name: x\n',
    ['1:1: expected a map with the keys name and nodes; found a list of 1'],
  ],
  [
    'two documents',
    `${node('run: ls')}---\nname: u\n`,
    ['5:1: expected one document; found a second; remove what follows, or the line `---`'],
  ],
  [
    'an unclosed list',
    'name: [a, b\n',
    ['2:1: not valid YAML: Flow sequence in block collection must be sufficiently indented and end with a ]'],
  ],
  ['an unclosed quotation', 'name: "a\nnodes: {}\n', ['3:1: not valid YAML: Missing closing "quote']],
  [
    'a tab as indentation',
    'name: t\nnodes:\n\ta: {}\n',
    ['3:1: not valid YAML: expected spaces as indentation; found a tab; replace it by spaces'],
  ],
  [
    'a wrong indentation',
    'name: t\nnodes:\n   a: { kind: uml }\n  b: { kind: uml }\n',
    ['4:1: not valid YAML: All mapping items must start at the same column'],
  ],
  [
    'an unknown tag',
    'name: !name t\n',
    [
      '1:7: not valid YAML: expected no tag or one that fits the value; found another; remove the word that begins with !',
    ],
  ],
  [
    'another version of YAML',
    '%YAML 1.1\n---\nname: t\n',
    ['1:1: expected YAML 1.2; found %YAML 1.1; remove the line'],
  ],
  ['a NUL byte', 'name: t\0\n', ['1:8: expected text; found the control character U+0000; remove it']],
  [
    'an alias without an anchor',
    node('memory: *size'),
    ['4:27: expected the anchor &size above this alias; found none; check the name'],
  ],
  [
    'an alias inside of its anchor',
    `${HEAD}nodes: &n\n  a: *n\n`,
    ['4:6: expected an alias of something that is complete; found *n inside of its own anchor'],
  ],
  [
    'a duplicate key',
    `${HEAD}name: u\nnodes: { a: { kind: uml } }\n`,
    ["3:1: the key 'name' is already in this map (line 1); remove one of the two"],
  ],
  [
    'a duplicate node',
    `${HEAD}nodes:\n  a: { kind: uml }\n  a: { kind: uml }\n`,
    ["5:3: the key 'a' is already in this map (line 4); remove one of the two"],
  ],
  [
    'a map as a key',
    `${HEAD}nodes:\n  a: { kind: uml }\n  ? { x: y }\n  : z\n`,
    ['5:5: expected a plain word as the key; found a map, a list or an alias'],
  ],
  [
    'the key __proto__',
    `${HEAD}nodes:\n  __proto__: { kind: uml }\n  a: { kind: uml }\n`,
    ['4:3: the key __proto__ cannot be used; choose another name'],
  ],
  [
    'a misspelt key at the top',
    `${HEAD}ndoes: {}\nnodes: { a: { kind: uml } }\n`,
    ["3:1: unknown key 'ndoes'; did you mean 'nodes'?"],
  ],
  [
    'a misspelt key of a link',
    link(', rat: 1mbit'),
    ["7:58: unknown key 'rat' in links[0]; did you mean 'rate'?"],
  ],
  [
    'an unknown key far from all others',
    node('interfaces: { eth0: { speed: 1gbit } }'),
    ["4:41: unknown key 'speed' in nodes.a.interfaces.eth0; the keys are address, mac, mtu, device"],
  ],
  [
    'a missing name',
    'until: 1s\nnodes: { a: { kind: uml } }\n',
    ["1:1: missing key 'name'; expected a name of 1 to 32 letters, digits, _ and -, with no - in front"],
  ],
  ['no nodes', 'name: t\nuntil: 1s\n', ["1:1: missing key 'nodes'; expected a map from names to nodes"]],
  [
    'an empty map of nodes',
    `${HEAD}nodes: {}\n`,
    ['3:8: nodes: expected at least one node; found none; add one, such as a: { kind: uml }'],
  ],
  [
    'a list of nodes',
    `${HEAD}nodes: [a, b]\n`,
    ['3:8: nodes: expected a map from names to nodes; found a list of 2'],
  ],
  [
    'a missing kind',
    `${HEAD}nodes:\n  a: { memory: 64M }\n`,
    ["4:6: missing key 'kind' in nodes.a; expected uml, kvm, board, partition or script"],
  ],
  [
    'a missing latency',
    two('links:\n  - { name: ab, between: [a.eth0, b.eth0] }\n'),
    ["7:5: missing key 'latency' in links[0]; expected a duration of at most 1h with a unit, such as 5ms"],
  ],
  [
    'a node without anything',
    `${HEAD}nodes:\n  a:\n`,
    ['4:5: nodes.a: expected a map with the settings of the node, such as { kind: uml }; found nothing'],
  ],
  [
    'a bad name of the topology',
    'name: my net\nuntil: 1s\nnodes: { a: { kind: uml } }\n',
    ["1:7: name: expected a name of 1 to 32 letters, digits, _ and -, with no - in front; found 'my net'"],
  ],
  [
    'a seed below zero',
    `seed: -1\n${node('run: ls')}`,
    ['1:7: seed: expected a whole number from 0 to 18446744073709551615; found the number -1'],
  ],
  [
    'a seed of 2^64',
    `seed: 18446744073709551616\n${node('run: ls')}`,
    [
      '1:7: seed: expected a whole number from 0 to 18446744073709551615; found the number 18446744073709551616',
    ],
  ],
  [
    'a seed in quotation marks',
    `seed: "1"\n${node('run: ls')}`,
    ["1:7: seed: expected a whole number from 0 to 18446744073709551615; found '1'"],
  ],
  [
    'a time of day without an offset',
    `start: 2026-01-01T00:00:00\n${node('run: ls')}`,
    [
      "1:8: start: expected a time of day from 1970 to 2199 in UTC or with an offset, such as 2026-01-01T00:00:00Z; found '2026-01-01T00:00:00'",
    ],
  ],
  [
    'a day that does not exist',
    `start: 2026-02-30T00:00:00Z\n${node('run: ls')}`,
    [
      "1:8: start: expected a time of day from 1970 to 2199 in UTC or with an offset, such as 2026-01-01T00:00:00Z; found '2026-02-30T00:00:00Z'",
    ],
  ],
  [
    'an until of zero',
    'name: t\nuntil: 0s\nnodes: { a: { kind: uml } }\n',
    ["2:8: until: expected a duration above zero and at most 400000h with a unit, such as 60s; found '0s'"],
  ],
  [
    'an until without a unit',
    'name: t\nuntil: 60\nnodes: { a: { kind: uml } }\n',
    [
      '2:8: until: expected a duration above zero and at most 400000h with a unit, such as 60s; found the number 60',
    ],
  ],
  [
    'nothing that ends the run',
    '# no end\nname: t\nnodes: { a: { kind: uml } }\n',
    [
      '2:1: expected `until`, or a node with `run`; found neither, so the run would never end; add `until: 60s`',
    ],
  ],
  [
    'an unknown kind',
    `${HEAD}nodes:\n  a: { kind: ulm }\n`,
    ["4:14: nodes.a.kind: expected uml, kvm, board, partition or script; found 'ulm'; did you mean 'uml'?"],
  ],
  [
    'memory without a unit',
    node('memory: 64'),
    ['4:27: nodes.a.memory: expected a size from 24M to 2G with a unit, such as 64M; found the number 64'],
  ],
  [
    'too little memory',
    node('memory: 8M'),
    ["4:27: nodes.a.memory: expected a size from 24M to 2G with a unit, such as 64M; found '8M'"],
  ],
  [
    'memory that is not whole pages',
    node('memory: 65537K'),
    ["4:27: nodes.a.memory: expected a multiple of 4K; found '65537K'; take 65536K"],
  ],
  [
    'an unknown root',
    node('root: hosts'),
    ["4:25: nodes.a.root: expected initramfs or host; found 'hosts'; did you mean 'host'?"],
  ],
  [
    'a root of another type',
    node('root: true'),
    ['4:25: nodes.a.root: expected initramfs or host; found true'],
  ],
  [
    'an empty command',
    node('run: ""'),
    ["4:24: nodes.a.run: expected a command for the shell, such as ping -c 1 10.0.0.2; found ''"],
  ],
  [
    'a command that is a list',
    node('run: [ls, -l]'),
    ['4:24: nodes.a.run: expected a command for the shell, such as ping -c 1 10.0.0.2; found a list of 2'],
  ],
  [
    'a misspelt expectation',
    node('run: ls, expect: runing'),
    ["4:36: nodes.a.expect: expected running or { exit: 0 }; found 'runing'; did you mean 'running'?"],
  ],
  [
    'an exit status out of range',
    node('run: ls, expect: { exit: 256 }'),
    ['4:44: nodes.a.expect.exit: expected an exit status from 0 to 255; found the number 256'],
  ],
  [
    'an exit status without a command',
    node('expect: { exit: 0 }'),
    [
      '4:27: nodes.a.expect: expected a `run` in this node, whose exit status can be compared; found none; add `run`, or write running',
    ],
  ],
  [
    'an unknown policy',
    node('on-failure: ignore'),
    ["4:31: nodes.a.on-failure: expected fail or evict; found 'ignore'"],
  ],
  [
    'a bad name of a node',
    `${HEAD}nodes:\n  a.b: { kind: uml }\n`,
    [
      '4:3: nodes["a.b"]: expected a name of 1 to 32 letters, digits, _ and -, with no - in front; found \'a.b\'',
    ],
  ],
  [
    'a name of a node like an option',
    `${HEAD}nodes:\n  -n: { kind: uml }\n`,
    ["4:3: nodes.-n: expected a name of 1 to 32 letters, digits, _ and -, with no - in front; found '-n'"],
  ],
  [
    'two nodes that differ in capitals',
    `${HEAD}nodes:\n  web: { kind: uml }\n  Web: { kind: uml }\n`,
    ["5:3: nodes.Web: differs from the node 'web' (line 4) only in capitals; choose another name"],
  ],
  [
    'an interface named lo',
    node('interfaces: { lo: {} }'),
    [
      "4:33: nodes.a.interfaces.lo: expected a name of 1 to 15 letters, digits, ., _ and -, such as eth0, which is not lo; found 'lo'",
    ],
  ],
  [
    'an interface with a long name',
    node('interfaces: { averyverylongname: {} }'),
    [
      "4:33: nodes.a.interfaces.averyverylongname: expected a name of 1 to 15 letters, digits, ., _ and -, such as eth0, which is not lo; found 'averyverylongname'",
    ],
  ],
  [
    'an interface with a slash',
    node('interfaces: { eth/0: {} }'),
    [
      '4:33: nodes.a.interfaces["eth/0"]: expected a name of 1 to 15 letters, digits, ., _ and -, such as eth0, which is not lo; found \'eth/0\'',
    ],
  ],
  [
    'an address without a prefix',
    node('interfaces: { eth0: { address: 10.0.0.1 } }'),
    [
      "4:50: nodes.a.interfaces.eth0.address: expected an address with the length of its prefix, such as 10.0.0.1/24 or fd00::1/64; found '10.0.0.1'; add a length, such as 10.0.0.1/24",
    ],
  ],
  [
    'a prefix out of range',
    node('interfaces: { eth0: { address: 10.0.0.1/33 } }'),
    ['4:50: nodes.a.interfaces.eth0.address: expected a prefix length from 1 to 32 for IPv4; found /33'],
  ],
  [
    'something else as an address',
    node('interfaces: { eth0: { address: [10.0.0.1/24, here, 7] } }'),
    [
      "4:64: nodes.a.interfaces.eth0.address[1]: expected an address with the length of its prefix, such as 10.0.0.1/24 or fd00::1/64; found 'here'",
      '4:70: nodes.a.interfaces.eth0.address[2]: expected an address with the length of its prefix, such as 10.0.0.1/24 or fd00::1/64; found the number 7',
    ],
  ],
  [
    'a number as an address',
    node('interfaces: { eth0: { address: 10 } }'),
    [
      '4:50: nodes.a.interfaces.eth0.address: expected an address with the length of its prefix, such as 10.0.0.1/24 or fd00::1/64, or a list of them; found the number 10',
    ],
  ],
  [
    'the address of a network',
    node('interfaces: { eth0: { address: 10.0.0.0/24 } }'),
    [
      "4:50: nodes.a.interfaces.eth0.address: expected the address of one interface; found '10.0.0.0/24', which is the address of the network itself; choose another of the subnet",
    ],
  ],
  [
    'a broadcast address',
    node('interfaces: { eth0: { address: 10.0.0.255/24 } }'),
    [
      "4:50: nodes.a.interfaces.eth0.address: expected the address of one interface; found '10.0.0.255/24', which is the broadcast address; choose another of the subnet",
    ],
  ],
  [
    'a multicast address',
    node('interfaces: { eth0: { address: ff02::1/64 } }'),
    [
      "4:50: nodes.a.interfaces.eth0.address: expected the address of one interface; found 'ff02::1/64', which is a multicast address",
    ],
  ],
  [
    'a group MAC address',
    node('interfaces: { eth0: { mac: 01:00:00:00:00:01 } }'),
    [
      "4:46: nodes.a.interfaces.eth0.mac: expected the MAC address of one interface; found the group address '01:00:00:00:00:01'; begin it with 02",
    ],
  ],
  [
    'another form of MAC address',
    node('interfaces: { eth0: { mac: 02-00-00-00-00-01 } }'),
    [
      "4:46: nodes.a.interfaces.eth0.mac: expected a MAC address, such as 02:00:00:00:00:01; found '02-00-00-00-00-01'",
    ],
  ],
  [
    'an MTU out of range',
    node('interfaces: { eth0: { mtu: 67 } }'),
    [
      '4:46: nodes.a.interfaces.eth0.mtu: expected a whole number of bytes from 68 to 65535; found the number 67',
    ],
  ],
  [
    'an MTU too small for IPv6',
    node('interfaces: { eth0: { address: fd00::1/64, mtu: 1000 } }'),
    [
      '4:67: nodes.a.interfaces.eth0.mtu: expected at least 1280 on an interface with an IPv6 address (line 4); found 1000',
    ],
  ],
  [
    'the same MAC address twice',
    pair('mac: 02:00:00:00:00:0a', 'mac: 02:00:00:00:00:0A', ''),
    [
      '5:46: nodes.b.interfaces.eth0.mac: the MAC address 02:00:00:00:00:0a is already that of a.eth0 (line 4); change one of the two, or leave both out',
    ],
  ],
  [
    'the same address twice on one link',
    pair('address: 10.0.0.1/24', 'address: 10.0.0.1/16'),
    [
      '5:50: nodes.b.interfaces.eth0.address: the address 10.0.0.1 is already that of a.eth0 (line 4), which is in the same broadcast domain; change one of the two',
    ],
  ],
  [
    'the same IPv6 address in two forms',
    pair('address: fd00::1/64', 'address: [fd00:0::0:1/64]'),
    [
      '5:51: nodes.b.interfaces.eth0.address[0]: the address fd00:0::0:1 is already that of a.eth0 (line 4), which is in the same broadcast domain; change one of the two',
    ],
  ],
  [
    'the same address twice on one interface',
    node('interfaces: { eth0: { address: [10.0.0.1/24, 10.0.0.1/24] } }'),
    [
      '4:64: nodes.a.interfaces.eth0.address[1]: the address 10.0.0.1 is already that of a.eth0 (line 4), which is this interface; change one of the two',
    ],
  ],
  [
    'the same address two hops away',
    `${HEAD}nodes:\n  a: { kind: uml, interfaces: { eth0: { address: 10.0.0.1/24 } } }\n  r: { kind: uml, interfaces: { eth0: {}, eth1: {} } }\n  b: { kind: uml, interfaces: { eth0: { address: 10.0.0.1/24 } } }\nlinks:\n  - { name: ar, between: [a.eth0, r.eth0], latency: 1ms }\n  - { name: rb, between: [r.eth1, b.eth0], latency: 1ms }\n`,
    [
      '6:50: nodes.b.interfaces.eth0.address: the address 10.0.0.1 is already that of a.eth0 (line 4), which links and switches connect with this node; change one of the two',
    ],
  ],
  [
    'a link to a node that does not exist',
    two('links:\n  - { name: ac, between: [a.eth0, c.eth0], latency: 1ms }\n'),
    ["7:35: links[0].between[1]: expected a node of this file; found 'c'; the nodes are a, b"],
  ],
  [
    'a link to an interface that does not exist',
    two('links:\n  - { name: ab, between: [a.eth0, b.eth1], latency: 1ms }\n'),
    [
      "7:35: links[0].between[1]: expected an interface of node 'b' (line 5); found 'eth1'; did you mean 'eth0'?",
    ],
  ],
  [
    'a link with one end',
    two('links:\n  - { name: ab, between: [a.eth0], latency: 1ms }\n'),
    ['7:26: links[0].between: expected two endpoints, such as [a.eth0, b.eth0]; found a list of 1'],
  ],
  [
    'a link with three ends',
    two('links:\n  - { name: ab, between: [a.eth0, a.eth1, b.eth0], latency: 1ms }\n'),
    ['7:26: links[0].between: expected two endpoints, such as [a.eth0, b.eth0]; found a list of 3'],
  ],
  [
    'a link from an interface to itself',
    two('links:\n  - { name: aa, between: [a.eth0, a.eth0], latency: 1ms }\n'),
    ['7:35: links[0].between[1]: a.eth0 is already in this link (line 7); name another'],
  ],
  [
    'an end without an interface',
    two('links:\n  - { name: ab, between: [a, b.eth0], latency: 1ms }\n'),
    ["7:27: links[0].between[0]: expected an endpoint NODE.INTERFACE, such as a.eth0; found 'a'"],
  ],
  [
    'an interface on a link and a switch',
    `${link('')}switches:\n  - { name: lan, ports: [a.eth1, b.eth0], latency: 1us }\n`,
    [
      "9:34: switches[0].ports[1]: b.eth0 is already used by link 'ab' (line 7); an interface can have one cable only",
    ],
  ],
  [
    'a switch with one port',
    two('switches:\n  - { name: lan, ports: [a.eth0], latency: 1us }\n'),
    ['7:25: switches[0].ports: expected two or more endpoints, such as [a.eth0, b.eth0]; found a list of 1'],
  ],
  [
    'two nets of one name',
    `${link('')}wires:\n  - { name: AB, pins: [a.gpio0] }\n`,
    [
      "9:13: wires[0].name: the name 'AB' is already taken on line 7; links, switches and wires need names that differ, since files are named after them",
    ],
  ],
  [
    'a pin of a node that does not exist',
    two('wires:\n  - { name: w, pins: [a.gpio0, z.gpio0] }\n'),
    ["7:32: wires[0].pins[1]: expected a node of this file; found 'z'; the nodes are a, b"],
  ],
  [
    'a pin on two wires',
    two('wires:\n  - { name: w, pins: [a.gpio0, b.gpio0] }\n  - { name: v, pins: [a.gpio0] }\n'),
    ["8:23: wires[1].pins[0]: a.gpio0 is already used by wire 'w' (line 7); a pin can be on one wire only"],
  ],
  [
    'an unknown role',
    two('wires:\n  - { name: w, pins: [a.gpio0], role: freze }\n'),
    ["7:39: wires[0].role: expected freeze; found 'freze'; did you mean 'freeze'?"],
  ],
  [
    'lines that a guest cannot have',
    two(
      'wires:\n  - { name: w, pins: [a.gpio64, b.%d] }\n  - { name: v, pins: [a.a/b, b.abcdefghijklmnopqrstuvwxyz012345] }\n',
    ),
    [
      "7:23: wires[0].pins[0]: expected a line from gpio0 to gpio63, or one with another name; found 'gpio64'",
      "7:33: wires[0].pins[1]: expected the name of a line without % and /; found '%' in '%d'",
      "8:23: wires[1].pins[0]: expected the name of a line without % and /; found '/' in 'a/b'",
      '8:30: wires[1].pins[1]: expected a line with a name of at most 31 characters; found one of 32; shorten it',
    ],
  ],
  [
    'more lines than a guest can have',
    two(
      `wires:\n${Array.from({ length: 65 }, (_, place) => `  - { name: w${place}, pins: [a.x${place}, b.y] }\n`.replace(place > 0 ? ', b.y' : '', '')).join('')}`,
    ),
    ["71:25: wires[64].pins[0]: expected at most 64 lines in node 'a'; found 65; take lines off its wires"],
  ],
  [
    'a pull and a latency of a wire that are none',
    two('wires:\n  - { name: w, pins: [a.gpio0], latency: 5, pull: sideways }\n'),
    [
      '7:42: wires[0].latency: expected a duration of at most 1h with a unit, such as 5ms; found the number 5',
      "7:51: wires[0].pull: expected up or down; found 'sideways'",
    ],
  ],
  [
    'a latency without a unit',
    two('links:\n  - { name: ab, between: [a.eth0, b.eth0], latency: 5 }\n'),
    [
      '7:53: links[0].latency: expected a duration of at most 1h with a unit, such as 5ms; found the number 5',
    ],
  ],
  [
    'a latency below zero',
    two('links:\n  - { name: ab, between: [a.eth0, b.eth0], latency: -5ms }\n'),
    ["7:53: links[0].latency: expected a duration of at most 1h with a unit, such as 5ms; found '-5ms'"],
  ],
  [
    'a latency above an hour',
    two('links:\n  - { name: ab, between: [a.eth0, b.eth0], latency: 61min }\n'),
    ["7:53: links[0].latency: expected a duration of at most 1h with a unit, such as 5ms; found '61min'"],
  ],
  [
    'a jitter without a value',
    link(', jitter: '),
    ['7:67: links[0].jitter: expected a duration of at most 1h with a unit, such as 5ms; found nothing'],
  ],
  [
    'a rate with an unknown unit',
    link(', rate: 100mb'),
    ["7:64: links[0].rate: expected a rate from 1bit to 1tbit with a unit, such as 100mbit; found '100mb'"],
  ],
  [
    'a rate without a unit',
    link(', rate: 1000'),
    [
      '7:64: links[0].rate: expected a rate from 1bit to 1tbit with a unit, such as 100mbit; found the number 1000',
    ],
  ],
  [
    'a rate of zero',
    link(', rate: 0bit'),
    ["7:64: links[0].rate: expected a rate from 1bit to 1tbit with a unit, such as 100mbit; found '0bit'"],
  ],
  [
    'half a bit per second',
    link(', rate: 1.5bit'),
    ["7:64: links[0].rate: expected a rate from 1bit to 1tbit with a unit, such as 100mbit; found '1.5bit'"],
  ],
  [
    'a loss above 100%',
    link(', loss: 100.1%'),
    [
      "7:64: links[0].loss: expected a percentage from 0% to 100% with at most 7 decimals, such as 0.1%; found '100.1%'",
    ],
  ],
  [
    'a loss without a sign',
    link(', loss: 0.1'),
    [
      '7:64: links[0].loss: expected a percentage from 0% to 100% with at most 7 decimals, such as 0.1%; found the number 0.1',
    ],
  ],
  [
    'a loss that is too fine',
    link(', loss: 0.00000001%'),
    [
      "7:64: links[0].loss: expected a percentage from 0% to 100% with at most 7 decimals, such as 0.1%; found '0.00000001%'",
    ],
  ],
  [
    'a queue out of range',
    link(', queue: 1000001'),
    ['7:65: links[0].queue: expected a whole number of frames from 0 to 1000000; found the number 1000001'],
  ],
  [
    'a queue that is not whole',
    link(', queue: 1.5'),
    ['7:65: links[0].queue: expected a whole number of frames from 0 to 1000000; found the number 1.5'],
  ],
  [
    'a change of nothing',
    change('{ at: 1ms, link: ab }'),
    [
      '11:5: changes[0]: expected something that changes; found nothing; add one of latency, rate, loss, jitter, queue, state',
    ],
  ],
  [
    'a change without a link or switch',
    change('{ at: 1ms, state: down }'),
    [
      "11:5: changes[0]: expected 'link', 'switch' or 'wire'; found none; name what changes, such as link: ab",
    ],
  ],
  [
    'a change of a link and a switch',
    change('{ at: 1ms, link: ab, switch: lan, state: down }'),
    [
      "11:26: changes[0].switch: expected one of 'link', 'switch' and 'wire'; found 'link' and 'switch'; write two changes",
    ],
  ],
  [
    'a change of an unknown link',
    change('{ at: 1ms, link: an, state: down }\n{ at: 1ms, switch: x, state: down }'),
    [
      "11:22: changes[0].link: expected a link of this file; found 'an'; the links are ab",
      "12:24: changes[1].switch: expected a switch of this file; found 'x'; the switches are lan",
    ],
  ],
  [
    'a change of a switch that is said to be a link',
    change('{ at: 1ms, link: lan, state: down }'),
    [
      "11:22: changes[0].link: expected a link of this file; found 'lan', which is a switch; write switch: lan",
    ],
  ],
  [
    'changes of wires that cannot be',
    two(`wires:
  - { name: w, pins: [a.gpio0] }
changes:
  - { at: 1ms, wire: x, state: down }
  - { at: 1ms, wire: w, rate: 1mbit, latency: 2us }
  - { at: 1ms, wire: w, port: a.eth0, state: up }
  - { at: 2ms, link: w, state: up }
`),
    [
      "9:22: changes[0].wire: expected a wire of this file; found 'x'; the wires are w",
      '10:25: changes[1].rate: expected a change of a wire, which has latency and state only; found rate; remove it',
      "11:25: changes[2].port: expected 'port' in a change of a switch only; found one of a wire; remove it",
      "12:22: changes[3].link: expected a link of this file; found 'w', which is a wire; write wire: w",
    ],
  ],
  [
    'a change of a port of a link',
    change('{ at: 1ms, link: ab, port: a.eth0, state: down }'),
    ["11:26: changes[0].port: expected 'port' in a change of a switch only; found one of a link; remove it"],
  ],
  [
    'a change of a port of another net',
    change('{ at: 1ms, switch: lan, port: a.eth0, state: down }'),
    [
      "11:35: changes[0].port: expected a port of switch 'lan' (line 9); found 'a.eth0'; did you mean 'a.eth1'?",
    ],
  ],
  [
    'changes after the end',
    change('{ at: 999ms, link: ab, state: down }\n{ at: 1s, link: ab, state: up }'),
    [
      "12:11: changes[1].at: expected a time before the end of the run, 'until' (line 2); found '1s'; take an earlier one, or remove the change",
    ],
  ],
  [
    'changes of the same at the same time, however it is written',
    change(
      [
        '{ at: 1ms, link: ab, latency: 2ms, state: down }',
        '{ at: 1000us, link: ab, queue: 1, latency: 2ms }',
        '{ at: 1ms, switch: lan, port: a.eth1, state: down }',
        '{ at: 1ms, switch: lan, port: b.eth1, state: down }',
        '{ at: 1ms, switch: lan, state: up, rate: 1mbit }',
        '{ at: 1ms, switch: lan, port: b.eth1, rate: 2mbit }',
      ].join('\n'),
    ),
    [
      "12:39: changes[1].latency: the latency of link 'ab' at this instant is already set on line 11; remove one of the two, or change the time of one",
      "15:29: changes[4].state: the state of switch 'lan' at this instant is already set on line 13; remove one of the two, or change the time of one",
      "16:43: changes[5].rate: the rate of switch 'lan' at this instant is already set on line 15; remove one of the two, or change the time of one",
    ],
  ],
  [
    'values of a change',
    change(
      '{ link: ab, latency: 3, state: off }\n{ at: 5, link: ab, latencey: 3ms, rate: 0bit }\n{ at: 400001h, link: ab, loss: 101% }\nab',
    ),
    [
      "11:5: missing key 'at' in changes[0]; expected a duration of at most 400000h with a unit, such as 5s",
      '11:26: changes[0].latency: expected a duration of at most 1h with a unit, such as 5ms; found the number 3',
      "11:36: changes[0].state: expected up or down; found 'off'",
      '12:11: changes[1].at: expected a duration of at most 400000h with a unit, such as 5s; found the number 5',
      "12:24: unknown key 'latencey' in changes[1]; did you mean 'latency'?",
      "12:45: changes[1].rate: expected a rate from 1bit to 1tbit with a unit, such as 100mbit; found '0bit'",
      "13:11: changes[2].at: expected a duration of at most 400000h with a unit, such as 5s; found '400001h'",
      "13:11: changes[2].at: expected a time before the end of the run, 'until' (line 2); found '400001h'; take an earlier one, or remove the change",
      "13:36: changes[2].loss: expected a percentage from 0% to 100% with at most 7 decimals, such as 0.1%; found '101%'",
      "14:5: changes[3]: expected a map, such as { at: 5s, link: ab, latency: 20ms }; found 'ab'",
    ],
  ],
  ['a map of links', two('links: { ab: {} }\n'), ['6:8: links: expected a list of links; found a map']],
  [
    'many at once',
    'name: t\nnodes:\n  a:\n    kind: uml\n    memroy: 64M\n    interfaces: { eth0: { address: 10.0.0.1/24, mtu: 9 } }\n  b: { kind: xen, interfaces: { eth0: { address: 10.0.0.1/24 } } }\nlinks:\n  - { name: ab, between: [a.eth0, b.eth0], latency: 5 }\n  - { name: ab, between: [a.eth0, d.eth0], latency: 5ms, loss: 5 }\n',
    [
      '1:1: expected `until`, or a node with `run`; found neither, so the run would never end; add `until: 60s`',
      "5:5: unknown key 'memroy' in nodes.a; did you mean 'memory'?",
      '6:54: nodes.a.interfaces.eth0.mtu: expected a whole number of bytes from 68 to 65535; found the number 9',
      "7:14: nodes.b.kind: expected uml, kvm, board, partition or script; found 'xen'",
      '7:50: nodes.b.interfaces.eth0.address: the address 10.0.0.1 is already that of a.eth0 (line 6), which is in the same broadcast domain; change one of the two',
      '9:53: links[0].latency: expected a duration of at most 1h with a unit, such as 5ms; found the number 5',
      "10:13: links[1].name: the name 'ab' is already taken on line 9; links, switches and wires need names that differ, since files are named after them",
      "10:27: links[1].between[0]: a.eth0 is already used by link 'ab' (line 9); an interface can have one cable only",
      "10:35: links[1].between[1]: expected a node of this file; found 'd'; the nodes are a, b",
      '10:64: links[1].loss: expected a percentage from 0% to 100% with at most 7 decimals, such as 0.1%; found the number 5',
    ],
  ],
];

describe('problems', () => {
  it.each(CASES)('%s', (_, text, problems) => {
    const result = loadTopology(text, 't.yaml');
    expect(result.problems?.map((problem) => formatProblem('t.yaml', problem))).toEqual(
      problems.map((problem) => `t.yaml:${problem}`),
    );
  });
});
