// SPDX-License-Identifier: MIT
import * as z from 'zod/mini';
import { LINES, MAX_VARIABLE } from '../../protocols/hypercall/constants.js';
import { type Duration, duration, instant, parseDuration } from '../calendar/time.js';
import { ADDRESS_EXPECTED, parseAddress } from './address.js';
import { AGENT, AGENT_EXPECTED, parseAgent } from './agent-address.js';
import { HOST_LINE, HOST_LINE_EXPECTED, parseHostLine } from './host-line.js';
import { closed, described, text, whole } from './leaf.js';
import { MAC, parseMac } from './mac.js';
import {
  ENDPOINT,
  INTERFACE,
  INTERFACE_EXPECTED,
  NAME,
  NAME_EXPECTED,
  PIN,
  SERIAL,
  SERIAL_EXPECTED,
  splitDot,
} from './names.js';
import { Refusal } from './refusal.js';
import { parseTimeOfDay, TIME_OF_DAY } from './time-of-day.js';
import { PERCENT, parsePercent, parseRate, parseSize, RATE, SIZE } from './units.js';

/** The shape of a topology file. What one value says about another is checked in check-*.ts. */

const DURATION = /^\d{1,19}(?:\.\d{1,18})?(?:ns|us|µs|ms|s|min|h)$/;
const HOUR = duration(3_600_000_000_000n);
/** 45 years: with the latest `start`, the guests' clocks still fit signed 64-bit nanoseconds. */
const MAX_UNTIL = 400_000n * HOUR;
const MIN_WATCHDOG = duration(100_000_000n);
const MAX_RATE = 1_000_000_000_000n;
const PAGE = 4096n;
const MIN_MEMORY = 24n << 20n;
/** A mapping of a guest's memory is one array of bytes, and those end at 4 GiB. */
const MAX_MEMORY = 2n << 30n;
const MAX_SEED = (1n << 64n) - 1n;

const name = text(NAME_EXPECTED, NAME, (written) => written);

const delay = (expected: string) =>
  text(expected, DURATION, (written): Duration | undefined => {
    const span = parseDuration(written);
    return span !== undefined && span <= HOUR ? span : undefined;
  });

const memory = text('a size from 24M to 2G with a unit, such as 64M', SIZE, (written) => {
  const bytes = parseSize(written);
  if (bytes === undefined || bytes < MIN_MEMORY || bytes > MAX_MEMORY) return undefined;
  if (bytes % PAGE !== 0n)
    return new Refusal(`expected a multiple of 4K; found '${written}'; take ${(bytes / PAGE) * 4n}K`);
  return Number(bytes);
});

const address = text(ADDRESS_EXPECTED, /^[0-9a-fA-F:.]+(?:\/\d+)?$/, parseAddress);

const interfaceSchema = closed('a map, such as { address: 10.0.0.1/24 }, or {} for no address', {
  address: described(
    'Its addresses, IPv4 or IPv6, each with the length of its prefix: one, or a list.',
    z.optional(z.union([address, z.array(address)], `${ADDRESS_EXPECTED}, or a list of them`)),
    { examples: ['10.0.0.1/24', ['10.0.0.1/24', 'fd00::1/64']] },
  ),
  mac: described(
    'Its MAC address, unicast; made from the seed and the names where there is none.',
    z.optional(text('a MAC address, such as 02:00:00:00:00:01', MAC, parseMac)),
    { examples: ['02:00:00:00:00:01'] },
  ),
  mtu: described(
    'The largest payload of a frame in bytes.',
    z.prefault(whole('a whole number of bytes from 68 to 65535', 68, 65_535), 1500),
  ),
  device: described(
    'The network interface of this machine to which the cable of a board with `address` leads.',
    z.optional(text(INTERFACE_EXPECTED, INTERFACE, (written) => written)),
    { examples: ['eth1'] },
  ),
});

const boardLine = () =>
  text('a line of the board, such as PH7 or 1c20800.pinctrl:231', /^[!-~]{1,64}$/, (written) => written);

const serialName = () => text(SERIAL_EXPECTED, SERIAL, (written) => written);

const serialSchema = closed('a map, such as { acknowledge: true }, or {}', {
  acknowledge: described(
    'Whether the guest acknowledges input, without which that arrives at no exact time; false is for a kernel of your own that cannot.',
    z.prefault(z.boolean('true or false'), true),
  ),
});

const nodeSchema = closed('a map with the settings of the node, such as { kind: uml }', {
  kind: described(
    'What it is: a User-Mode Linux guest, a KVM guest, a physical board, a bare-metal program that has a processor part of the time, or a place on the network where the script of the run is.',
    z.enum(['uml', 'kvm', 'board', 'partition', 'script'], 'uml, kvm, board, partition or script'),
  ),
  memory: described(
    'Memory of the guest, 24M to 2G in steps of 4K; without it 64M, of a virtual board 256M.',
    z.optional(memory),
    { examples: ['64M'] },
  ),
  root: described(
    "The guest's files: a small system in memory (a guest's, where nothing is said), or this machine's files, read-only, with writes going to memory (a virtual board's).",
    z.optional(z.enum(['initramfs', 'host'], 'initramfs or host')),
  ),
  address: described(
    'Where the agent of a board listens. A board without it is a virtual one: a guest of this machine in real time.',
    z.optional(text(AGENT_EXPECTED, AGENT, parseAgent)),
    { examples: ['192.168.1.21:7424', '[fd00::21]:7424'] },
  ),
  key: described(
    'The file with the key of the board at `address`; a path from the folder of this file.',
    z.optional(text('the path of a key file, such as bp1.key', /^[^\0]{1,4096}$/, (path) => path)),
    { examples: ['bp1.key'] },
  ),
  lines: described(
    'The lines by which a board is frozen, as its kernel module is to know them. Without it, pause and signal are its first and second pin on the wire with `role: freeze`.',
    z.optional(
      closed('a map, such as { pause: PH7, signal: PI3 }', {
        pause: described('Its rising edge pauses.', boardLine()),
        resume: described(
          'Its falling edge resumes; without it, that of the pause line does.',
          z.optional(boardLine()),
        ),
        signal: described(
          'What the board itself drives; without it, it only listens.',
          z.optional(boardLine()),
        ),
      }),
    ),
  ),
  watchdog: described(
    'How long a board stays frozen at most without a word from the controller, 100ms to 24h; 10s where nothing is said.',
    z.optional(
      text('a duration from 100ms to 24h with a unit, such as 10s', DURATION, (written) => {
        const span = parseDuration(written);
        return span !== undefined && span >= MIN_WATCHDOG && span <= 24n * HOUR ? span : undefined;
      }),
    ),
    { examples: ['10s'] },
  ),
  tdf: described(
    'Time dilation factor of the processes of a board in thousandths: 2000 is twice as fast.',
    z.optional(whole('a whole number from 1 to 1000000', 1, 1_000_000)),
  ),
  kernel: described(
    'A kernel other than the one that was built; a path from the folder of this file.',
    z.optional(text('the path of a kernel, such as build/linux', /^[^\0]{1,4096}$/, (path) => path)),
  ),
  clock: described(
    'How a KVM guest gets its time: by hypercall from a kernel that was built for it; of any other kernel, from the timers of a PC, which run in virtual time; or it is real time, as that of a board.',
    z.optional(z.enum(['paravirtual', 'emulated', 'real'], 'paravirtual, emulated or real')),
  ),
  program: described(
    'The program of a partition, a 64-bit ELF file; a path from the folder of this file.',
    z.optional(text('the path of a program, such as control.elf', /^[^\0]{1,4096}$/, (path) => path)),
    { examples: ['build/control.elf'] },
  ),
  modules: described(
    'The folder with the modules of a KVM guest whose kernel has its drivers in modules, and a list of them; a path from the folder of this file.',
    z.optional(text('the path of a folder, such as build/modules', /^[^\0]{1,4096}$/, (path) => path)),
  ),
  interfaces: described(
    'Its network interfaces by name.',
    z.prefault(z.record(z.string(), interfaceSchema, 'a map from names to interfaces'), {}),
    { propertyNames: { pattern: INTERFACE.source } },
  ),
  run: described(
    'What it runs, as a line of the shell. Without it, the node is up until the run ends.',
    z.optional(
      text('a command for the shell, such as ping -c 1 10.0.0.2', /\S/, (line) =>
        line.includes('\0')
          ? new Refusal('expected a command; found a NUL character in it; remove it')
          : line,
      ),
    ),
  ),
  expect: described(
    'What its state must be at the end; with `run` and without this, that it ended with 0.',
    z.optional(
      z.union(
        [
          z.literal('running'),
          closed('running or { exit: 0 }', {
            exit: described('The exit status of `run`.', whole('an exit status from 0 to 255', 0, 255)),
          }),
        ],
        'running or { exit: 0 }',
      ),
    ),
  ),
  serial: described(
    "Its serial lines and consoles (ttyS0 to ttyS15, tty1 to tty15), which scripts use: a list, or a map with each line's settings.",
    z.optional(
      z.union(
        [
          z.array(serialName(), 'a list of lines, such as [ttyS0]'),
          z.record(z.string(), serialSchema, 'a map from lines to their settings, such as { ttyS0: {} }'),
        ],
        `a list of lines, such as [ttyS0], or a map, such as { ttyS0: {} }`,
      ),
    ),
    { examples: [['ttyS0'], { ttyS0: {}, tty1: {} }] },
  ),
  'on-failure': described(
    'What a hang or death of it does to the run.',
    z.prefault(z.enum(['fail', 'evict'], 'fail or evict'), 'fail'),
  ),
});

const endpoint = text('an endpoint NODE.INTERFACE, such as a.eth0', ENDPOINT, (written) => {
  const [node, rest] = splitDot(written);
  return { node, interface: rest };
});

const pin = text('a pin NODE.LINE, such as a.gpio0', PIN, (written) => {
  const [node, rest] = splitDot(written);
  return { node, line: rest };
});

const latency = () => delay('a duration of at most 1h with a unit, such as 5ms');

const rate = () =>
  text('a rate from 1bit to 1tbit with a unit, such as 100mbit', RATE, (written) => {
    const bits = parseRate(written);
    return bits !== undefined && bits >= 1n && bits <= MAX_RATE ? bits : undefined;
  });

const loss = () =>
  text('a percentage from 0% to 100% with at most 7 decimals, such as 0.1%', PERCENT, (written) => {
    const parts = parsePercent(written);
    return parts !== undefined && parts <= 1_000_000_000n ? Number(parts) : undefined;
  });

const queue = () => whole('a whole number of frames from 0 to 1000000', 0, 1_000_000);

const LATENCY_EXAMPLES = { examples: ['1ms', '100us'] };
const RATE_EXAMPLES = { examples: ['100mbit', '1gbit'] };

/** The keys of links and switches alike; fresh objects, since each has its own place in the JSON Schema. */
const cable = () => ({
  latency: described(
    'How long a frame is under way, to 1h. 0s makes the nodes run in turn.',
    latency(),
    LATENCY_EXAMPLES,
  ),
  rate: described(
    'Bits per second, to 1tbit; without it, a frame takes no time to serialise.',
    z.optional(rate()),
    RATE_EXAMPLES,
  ),
  loss: described('Chance that a frame is lost.', z.prefault(loss(), '0%')),
  jitter: described(
    'Extra delay, drawn evenly from nothing to this for each frame, to 1h.',
    z.prefault(latency(), '0ms'),
  ),
  queue: described('Frames that may wait behind the one that is being serialised.', z.prefault(queue(), 100)),
});

const linkSchema = closed('a map, such as { name: ab, between: [a.eth0, b.eth0], latency: 1ms }', {
  name: described('Its name, under which its frames are captured.', name),
  between: described(
    'The two interfaces that it joins.',
    z
      .array(endpoint, 'two endpoints, such as [a.eth0, b.eth0]')
      .check(z.length(2, 'two endpoints, such as [a.eth0, b.eth0]')),
  ),
  ...cable(),
});

const switchSchema = closed('a map, such as { name: lan, ports: [a.eth0, b.eth0], latency: 100us }', {
  name: described('Its name, under which its frames are captured.', z.clone(name)),
  ports: described(
    'The interfaces that are plugged into it.',
    z
      .array(endpoint, 'two or more endpoints, such as [a.eth0, b.eth0]')
      .check(z.minLength(2, 'two or more endpoints, such as [a.eth0, b.eth0]')),
  ),
  ...cable(),
});

const hostLine = () => text(HOST_LINE_EXPECTED, HOST_LINE, parseHostLine);

const wireSchema = closed('a map, such as { name: ready, pins: [a.gpio0, b.gpio3] }', {
  name: described('Its name.', z.clone(name)),
  pins: described(
    'The pins that it joins.',
    z
      .array(pin, 'one or more pins, such as [a.gpio0, b.gpio3]')
      .check(z.minLength(1, 'one or more pins, such as [a.gpio0, b.gpio3]')),
  ),
  latency: described(
    'How long a change at one pin takes to the others, to 1h. 0s makes the nodes run in turn.',
    z.prefault(latency(), '1us'),
    { examples: ['1us', '100ns'] },
  ),
  pull: described(
    'Its level when nobody drives it.',
    z.prefault(z.enum(['up', 'down'], 'up or down'), 'down'),
  ),
  role: described(
    'A wire with a meaning to the run: while it is high, boards stand still, and virtual time with them.',
    z.optional(z.enum(['freeze'], 'freeze')),
  ),
  host: described(
    'GPIO lines of this machine that join the wire to copper, and so to boards with `address`.',
    z.optional(
      closed('a map, such as { drive: gpiochip0/17, sense: gpiochip0/18 }', {
        drive: described(
          'An output: it does to the copper what the pins of this file do.',
          z.optional(hostLine()),
          {
            examples: ['gpiochip0/17', 'gpio17'],
          },
        ),
        sense: described('An input: it hears what others do to the copper.', z.optional(hostLine()), {
          examples: ['gpiochip0/18', 'gpio18'],
        }),
      }),
    ),
  ),
});

const changeSchema = closed('a map, such as { at: 5s, link: ab, latency: 20ms }', {
  at: described(
    'The virtual time from which on it holds; before `until`.',
    text('a duration of at most 400000h with a unit, such as 5s', DURATION, (written) => {
      const span = parseDuration(written);
      return span !== undefined && span <= MAX_UNTIL ? instant(span) : undefined;
    }),
    { examples: ['5s'] },
  ),
  link: described('The link that changes.', z.optional(z.clone(name))),
  switch: described('The switch that changes.', z.optional(z.clone(name))),
  wire: described('The wire that changes.', z.optional(z.clone(name))),
  port: described('The port of the switch that alone changes.', z.optional(z.clone(endpoint))),
  latency: described('Its latency from then on.', z.optional(latency()), LATENCY_EXAMPLES),
  rate: described('Its rate from then on.', z.optional(rate()), RATE_EXAMPLES),
  loss: described('Its loss from then on.', z.optional(loss())),
  jitter: described('Its jitter from then on.', z.optional(latency())),
  queue: described('Its queue from then on.', z.optional(queue())),
  state: described(
    'Whether anything gets through from then on.',
    z.optional(z.enum(['up', 'down'], 'up or down')),
  ),
});

const sharedSchema = closed('a map, such as { name: jiffies, between: [a, b], method: ordered }', {
  name: described('Its name in the trace; jiffies is jiffies_64 of Linux.', z.clone(name)),
  variable: described(
    'What the guests call it: the number that they register. That of jiffies is 1.',
    z.optional(whole(`a whole number from 1 to ${MAX_VARIABLE}`, 1, MAX_VARIABLE)),
  ),
  between: described(
    'The KVM guests that share it. Of jiffies, the first keeps time.',
    z
      .array(z.clone(name), 'two or more nodes, such as [a, b]')
      .check(z.minLength(2, 'two or more nodes, such as [a, b]')),
  ),
  method: described(
    'ordered: sent to all, then stored everywhere, the sender included, in one order. local-first: stored by the sender, then sent to the others.',
    z.enum(['ordered', 'local-first'], 'ordered or local-first'),
  ),
  latency: described(
    'What an update takes to the others, to 1h. 0s makes the nodes run in turn.',
    z.prefault(latency(), '0s'),
    { examples: ['1us'] },
  ),
});

const span = () =>
  text('a duration above zero and at most 1h with a unit, such as 10ms', DURATION, (written) => {
    const found = parseDuration(written);
    return found !== undefined && found > 0n && found <= HOUR ? found : undefined;
  });

const slotSchema = closed('a map, such as { partition: a, at: 0ms, for: 4ms }', {
  partition: described('The partition that has the processor.', z.clone(name)),
  at: described('When it begins, from the beginning of the frame.', latency(), { examples: ['0ms', '5ms'] }),
  for: described('How long it is.', span(), { examples: ['4ms'] }),
});

const lineSchema = closed('a map, such as { number: 0, period: 1ms }', {
  number: described(
    'The number by which partitions take it.',
    whole(`a whole number from 0 to ${LINES - 1}`, 0, LINES - 1),
  ),
  period: described('It is raised at every whole multiple of this.', span(), { examples: ['1ms'] }),
});

const processorSchema = closed(
  'a map, such as { name: cpu0, frame: 10ms, slots: [{ partition: a, at: 0ms, for: 4ms }] }',
  {
    name: described('Its name.', z.clone(name)),
    frame: described('The major frame: its slots are repeated after so long.', span(), {
      examples: ['10ms'],
    }),
    slots: described(
      'Who has it when, in order; at other times nobody has it.',
      z
        .array(slotSchema, 'one or more slots')
        .check(z.minLength(1, 'one or more slots, such as [{ partition: a, at: 0ms, for: 4ms }]')),
    ),
    lines: described(
      'Timers whose interrupts its partitions may share.',
      z.prefault(z.array(lineSchema, 'a list of lines'), []),
    ),
  },
);

export const topologySchema = closed('a map with the keys name and nodes', {
  name: described('The name of the topology.', z.clone(name)),
  seed: described(
    'Every random choice of the run comes from it; from 0 to 2^64-1.',
    z.prefault(
      z.pipe(
        described('', z.unknown(), { type: 'integer', minimum: 0 }),
        z.transform((written: unknown, context): bigint => {
          const number = Number.isSafeInteger(written) ? BigInt(written as number) : written;
          if (typeof number === 'bigint' && number >= 0n && number <= MAX_SEED) return number;
          const message = `a whole number from 0 to ${MAX_SEED}`;
          context.issues.push({ code: 'custom', message, input: written });
          return z.NEVER;
        }),
      ),
      1,
    ),
  ),
  start: described(
    'The time of day that guests see when the run begins, from 1970 to 2199.',
    z.prefault(
      text(
        'a time of day from 1970 to 2199 in UTC or with an offset, such as 2026-01-01T00:00:00Z',
        TIME_OF_DAY,
        parseTimeOfDay,
      ),
      '2026-01-01T00:00:00Z',
    ),
  ),
  until: described(
    'The run ends here at the latest; it also ends when every node with `run` has ended.',
    z.optional(
      text('a duration above zero and at most 400000h with a unit, such as 60s', DURATION, (written) => {
        const span = parseDuration(written);
        return span !== undefined && span > 0n && span <= MAX_UNTIL ? instant(span) : undefined;
      }),
    ),
    { examples: ['60s'] },
  ),
  nodes: described('The nodes by name.', z.record(z.string(), nodeSchema, 'a map from names to nodes'), {
    propertyNames: { pattern: NAME.source },
    minProperties: 1,
  }),
  links: described('Cables between two interfaces.', z.prefault(z.array(linkSchema, 'a list of links'), [])),
  switches: described('Switches.', z.prefault(z.array(switchSchema, 'a list of switches'), [])),
  wires: described('GPIO nets.', z.prefault(z.array(wireSchema, 'a list of wires'), [])),
  shared: described(
    'Variables that KVM guests share.',
    z.prefault(z.array(sharedSchema, 'a list of shared variables'), []),
  ),
  processors: described(
    'Processors that partitions have in turn.',
    z.prefault(z.array(processorSchema, 'a list of processors'), []),
  ),
  changes: described(
    'What changes of links, switches and wires during the run.',
    z.prefault(z.array(changeSchema, 'a list of changes'), []),
  ),
});

/** The values of a file of the right shape, in the types of the model, before the cross-checks. */
export type TopologyValues = z.output<typeof topologySchema>;

/** What may stand in a change. */
export const changeKeys: readonly string[] = Object.keys(changeSchema.def.shape);

/** What may stand in a node. */
export const nodeKeys: readonly string[] = Object.keys(nodeSchema.def.shape);
