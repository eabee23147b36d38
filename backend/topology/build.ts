// SPDX-License-Identifier: MIT
import { dirname, resolve } from 'node:path';
import { VARIABLE_JIFFIES } from '../../protocols/hypercall/constants.js';
import { duration } from '../calendar/time.js';
import { placeLines } from './lines.js';
import { deriveMac, formatMac } from './mac.js';
import type {
  BoardSpec,
  CableSpec,
  ChangeSpec,
  InterfaceSpec,
  NodeSpec,
  SerialSpec,
  Topology,
} from './model.js';
import type { Plain } from './plain.js';
import type { TopologyValues } from './schema.js';

type NodeValues = TopologyValues['nodes'][string];
type CableValues = Pick<TopologyValues['links'][number], keyof CableSpec>;
type WiresValues = TopologyValues['wires'];
type ChangeValues = TopologyValues['changes'][number];

/** Bytes. */
const GUEST_MEMORY = 64 << 20;
/** Node.js, in which the agent runs, needs as much. */
const BOARD_MEMORY = 256 << 20;
const WATCHDOG = duration(10_000_000_000n);
/** Thousandths. */
const NORMAL_SPEED = 1000;

/**
 * The topology of checked values.
 *
 * @param plain the document: the order of its keys is the order of the nodes and interfaces
 * @param file the topology file: paths in it begin at its folder
 */
export function buildTopology(values: TopologyValues, plain: Plain, file: string): Topology {
  const taken = takenMacs(values);
  const places = portPlaces(values);
  return {
    name: values.name,
    seed: values.seed,
    start: values.start,
    until: values.until,
    nodes: plain.keysOf(['nodes']).flatMap((name, index) => {
      const node = values.nodes[name];
      const order = plain.keysOf(['nodes', name, 'interfaces']);
      if (node === undefined) return [];
      const lines = placeLines(
        values.wires.flatMap(({ pins }) => pins.flatMap((pin) => (pin.node === name ? pin.line : []))),
      );
      const inRealTime = node.kind === 'board' || node.clock === 'real';
      const board = inRealTime ? buildBoard(name, node, values.wires, file) : undefined;
      return [buildNode(name, index, node, order, lines, board, values.seed, taken, file)];
    }),
    links: values.links.map((link) => {
      const [first, second] = link.between;
      return { name: link.name, between: [first, second] as const, ...cableOf(link) };
    }) as Topology['links'],
    switches: values.switches.map((each) => ({ name: each.name, ports: each.ports, ...cableOf(each) })),
    wires: values.wires.map(({ name, pins, latency, pull, role, host }) => ({
      name,
      pins,
      latency,
      pull,
      role,
      ...(host && { host: { drive: host.drive, sense: host.sense } }),
    })),
    shared: values.shared.map(({ name, variable = VARIABLE_JIFFIES, between, method, latency }) => ({
      name,
      variable,
      between,
      method,
      latency,
    })),
    processors: values.processors.map(({ name, frame, slots, lines }) => ({
      name,
      frame,
      slots: slots.map(({ partition, at, for: length }) => ({ partition, at, length })),
      lines,
    })),
    changes: values.changes
      .filter(({ at }) => values.until === undefined || at < values.until)
      .map((change) => buildChange(change, places))
      .sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0)),
  };
}

function buildNode(
  name: string,
  index: number,
  node: NodeValues,
  order: readonly string[],
  lines: readonly string[],
  board: BoardSpec | undefined,
  seed: bigint,
  taken: Set<string>,
  file: string,
): NodeSpec {
  const interfaces = order.flatMap((key): InterfaceSpec[] => {
    const values = node.interfaces[key];
    if (values === undefined) return [];
    const mac = values.mac ?? deriveMac(seed, name, key, taken);
    taken.add(formatMac(mac));
    const addresses = [values.address ?? []].flat().map((address) => address.text);
    const { mtu, device } = values;
    return [{ name: key, mac, addresses, mtu, ...(device !== undefined && { device }) }];
  });
  return {
    name,
    index,
    kind: node.kind,
    memory: node.memory ?? (node.kind === 'board' ? BOARD_MEMORY : GUEST_MEMORY),
    root: node.root ?? (node.kind === 'board' ? 'host' : 'initramfs'),
    kernel: node.kernel === undefined ? undefined : resolve(dirname(file), node.kernel),
    ...(node.kind === 'kvm' && { clock: node.clock ?? 'paravirtual' }),
    ...(node.modules !== undefined && { modules: resolve(dirname(file), node.modules) }),
    ...(node.program !== undefined && { program: resolve(dirname(file), node.program) }),
    interfaces,
    lines,
    ...(node.serial !== undefined && { serial: serialLines(node.serial) }),
    run: node.run,
    expect: node.expect ?? (node.run === undefined ? undefined : { exit: 0 }),
    onFailure: node['on-failure'],
    ...(board && { board }),
  };
}

function serialLines(serial: NonNullable<NodeValues['serial']>): SerialSpec[] {
  if (Array.isArray(serial)) return serial.map((name) => ({ name, acknowledge: true }));
  return Object.entries(serial).map(([name, { acknowledge }]) => ({ name, acknowledge }));
}

/** The freeze wire's first and second pin of a board are its pause and signal line, unless it says which are. */
function buildBoard(
  name: string,
  { address, key, lines, watchdog, tdf }: NodeValues,
  wires: WiresValues,
  file: string,
): BoardSpec {
  const freeze = wires.find(({ role }) => role === 'freeze');
  const [pause, signal] = (freeze?.pins ?? []).flatMap((pin) => (pin.node === name ? pin.line : []));
  return {
    agent:
      address === undefined
        ? undefined
        : { ...address, keyFile: resolve(dirname(file), key ?? `${name}.key`) },
    pause: lines?.pause ?? pause ?? '',
    resume: lines?.resume,
    signal: lines === undefined ? signal : lines.signal,
    watchdog: watchdog ?? WATCHDOG,
    tdf: tdf ?? NORMAL_SPEED,
  };
}

/** The MAC addresses that the file states: no derived one may be among them, wherever in the file they are. */
function takenMacs(values: TopologyValues): Set<string> {
  const nodes = Object.values(values.nodes);
  const macs = nodes.flatMap((node) => Object.values(node.interfaces).map((each) => each.mac));
  return new Set(macs.flatMap((mac) => (mac === undefined ? [] : [formatMac(mac)])));
}

/** Of each port, its index in its switch: no two ports of a file have the same name. */
function portPlaces({ switches }: TopologyValues): Map<string, number> {
  return new Map(
    switches.flatMap(({ ports }) =>
      ports.map((port, place) => [`${port.node}.${port.interface}`, place] as const),
    ),
  );
}

function buildChange(change: ChangeValues, places: ReadonlyMap<string, number>): ChangeSpec {
  const { at, port, latency, rate, loss, jitter, queue, state } = change;
  return {
    at,
    name: change.link ?? change.switch ?? change.wire ?? '',
    port: port === undefined ? undefined : places.get(`${port.node}.${port.interface}`),
    cable: { latency, rate, loss, jitter, queue },
    state,
  };
}

function cableOf({ latency, rate, loss, jitter, queue }: CableValues): CableSpec {
  return { latency, rate, loss, jitter, queue };
}
