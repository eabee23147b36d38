// SPDX-License-Identifier: MIT
import {
  after,
  type Duration,
  EventKind,
  type Instant,
  later,
  type Timeline,
  ZERO,
} from '../calendar/index.js';
import type { CableState } from '../topology/cable-states.js';
import type { Topology, WireSpec } from '../topology/model.js';
import { type Drive, End, type Level, Net, type Step } from '../wires/index.js';
import type { Put } from './changes.js';
import type { Copper } from './host-line.js';
import type { Layout } from './layout.js';

/** Sees what guests do to their lines and what comes of it. Each call is at the present instant of its domain. */
export interface WiresObserver {
  /** A guest drives a line, or drives it no more. */
  driven(at: Instant, node: number, line: number, drive: Drive): void;
  /** The level of a wire, by its place in the topology, has changed. */
  level(at: Instant, wire: number, level: Level): void;
  /** Pins of a wire begin to drive it against each other. */
  conflict(at: Instant, wire: number, text: string): void;
}

/** A guest's GPIO controller. */
export interface Controller {
  /** From now on `level` is sensed at `line`; at the present instant of the guest's domain. */
  sense(line: number, level: Level): void;
}

/** Counts of one wire. */
export interface WireCounts {
  /** Changes of its level. */
  readonly edges: number;
  /** How often pins began to drive it against each other. */
  readonly conflicts: number;
}

/** In the place of a node: this machine, and the script. */
const HOST = -1;
const SCRIPT = -2;
/** What their pins are called; no node is. */
const HOST_PIN = 'host';
const SCRIPT_PIN = 'the script';

/** A line of a node: a pin of a wire, or one that leads nowhere. */
interface Line {
  readonly node: number;
  readonly offset: number;
  readonly domain: Timeline;
  readonly end: End;
  readonly pin: Pin | undefined;
  /** What its guest was told last. */
  level: Level;
  /** Of this machine: what is beyond it. */
  copper?: Copper;
}

/** The way between a line and the middle of its wire. */
interface Pin {
  readonly wire: Wire;
  /** Its place among the pins of the wire. */
  readonly place: number;
  /** Its place among all pins of the topology. */
  readonly number: number;
  /** Changes that it sent, and changes that it was told of. */
  sent: number;
  told: number;
  /** When the last one that it sent is in the middle: none overtakes another. */
  last: Instant;
}

/** The middle of a wire, in a domain of its own unless it has no latency. */
interface Wire {
  readonly index: number;
  readonly spec: WireSpec;
  /** What it joins, by place. */
  readonly pins: readonly string[];
  readonly domain: Timeline;
  readonly net: Net;
  readonly lines: Line[];
  latency: Duration;
  edges: number;
  conflicts: number;
}

/**
 * The wires of a topology, on a calendar.
 *
 * What a guest does to its pin is in the middle of the wire a latency later, and from there at the other pins in no time.
 * The pin itself sees what its own guest does at once.
 */
export class Wires {
  /** By node and offset. */
  readonly #lines: readonly (readonly Line[])[];
  readonly #wires: readonly Wire[];
  /** By node. */
  readonly #controllers = new Map<number, Controller>();
  readonly #pins: number;
  #changes = 0;

  constructor(
    { nodes, wires }: Topology,
    layout: Layout,
    domains: readonly Timeline[],
    private readonly observer: WiresObserver,
    /** Where the script is, which has a pin of its own on each wire there; undefined: there is none. */
    script?: Timeline,
  ) {
    // The wire that freezes boards is no business of virtual time.
    const makeWire = (spec: WireSpec, index: number): Wire => {
      const domain = domains[layout.wireDomain[index] as number] as Timeline;
      const pins = [
        ...spec.pins.map(({ node, line }) => `${node}.${line}`),
        ...(spec.host ? [HOST_PIN] : []),
        ...(script !== undefined && script === domain ? [SCRIPT_PIN] : []),
      ];
      const net = new Net(pins.length, spec.pull);
      return { index, spec, pins, domain, net, lines: [], latency: spec.latency, edges: 0, conflicts: 0 };
    };
    this.#wires = wires.flatMap((spec, index) => (spec.role === 'freeze' ? [] : [makeWire(spec, index)]));
    const pins = new Map<string, Pin>();
    for (const wire of this.#wires) {
      wire.spec.pins.forEach(({ node, line }, place) => {
        pins.set(`${node}.${line}`, { wire, place, number: pins.size, sent: 0, told: 0, last: ZERO });
      });
    }
    for (const wire of this.#wires) {
      wire.pins.forEach((name, place) => {
        if (name !== HOST_PIN && name !== SCRIPT_PIN) return;
        const pin = { wire, place, number: pins.size, sent: 0, told: 0, last: ZERO };
        pins.set(`${name} ${wire.spec.name}`, pin);
        const node = name === HOST_PIN ? HOST : SCRIPT;
        const domain = node === HOST ? (domains[layout.boards as number] as Timeline) : wire.domain;
        const end = new End(wire.spec.pull);
        wire.lines[place] = { node, offset: 0, domain, end, pin, level: end.level };
      });
    }
    this.#pins = pins.size;
    this.#lines = nodes.map(({ name, index, lines }) =>
      lines.map((line, offset) => {
        const pin = pins.get(`${name}.${line}`);
        const end = new End(pin?.wire.spec.pull ?? 'down');
        const domain = domains[layout.nodeDomain[index] as number] as Timeline;
        const made: Line = { node: index, offset, domain, end, pin, level: end.level };
        if (pin) pin.wire.lines[pin.place] = made;
        return made;
      }),
    );
  }

  /** Says what the guest of a node senses its lines with; nothing does before. */
  attach(node: number, controller: Controller): void {
    this.#controllers.set(node, controller);
    for (const { offset, level } of this.#lines[node] ?? []) controller.sense(offset, level);
  }

  /** Joins a wire that has lines of this machine to what is beyond them: to the wire, that is one more pin. */
  join(name: string, copper: Copper): void {
    const wire = this.#wires.find(({ spec }) => spec.name === name) as Wire;
    const line = wire.lines[wire.pins.indexOf(HOST_PIN)] as Line;
    line.copper = copper;
    copper.listen((held) => this.#drive(line, line.domain.now, held ? activeLevel(wire) : undefined));
  }

  /**
   * The pin of the script on a wire, by which it drives and senses it at the present instant of its domain; undefined: there
   * is no such wire where the script is.
   */
  scriptPin(name: string): { readonly level: Level; drive(drive: Drive): void } | undefined {
    const wire = this.#wires.find(({ spec }) => spec.name === name);
    const line = wire?.lines[wire.pins.indexOf(SCRIPT_PIN)];
    if (!line) return undefined;
    return {
      get level() {
        return line.level;
      },
      drive: (drive) => this.#drive(line, line.domain.now, drive),
    };
  }

  /** A guest drives a line, or drives it no more; at the present instant of its domain. */
  drive(node: number, offset: number, drive: Drive): void {
    const line = this.#lines[node]?.[offset] as Line;
    this.#drive(line, line.domain.now, drive);
  }

  /** A guest lets go of all its lines, at the present instant of its domain. */
  release(node: number): void {
    for (const line of this.#lines[node] ?? []) this.#drive(line, line.domain.now, undefined);
  }

  /** The guest has gone: it senses nothing any more. If it was running, it lets go of its lines at that instant. */
  detach(node: number): void {
    this.#controllers.delete(node);
    for (const line of this.#lines[node] ?? []) {
      if (line.domain.running?.id === node) this.#drive(line, line.domain.now, undefined);
    }
  }

  /**
   * Lets go of the lines of a guest that has gone, where it still has any; called at a barrier at which everything before
   * `at` has happened, and nothing at `at` or later.
   */
  abandon(at: Instant, node: number): void {
    for (const line of this.#lines[node] ?? []) {
      const { end, pin } = line;
      if (end.own === undefined) continue;
      end.own = undefined;
      if (!pin) continue;
      const { wire, place } = pin;
      const accept: Put = (target, event) => target.accept(event);
      this.#put(wire, at, () => wire.net.drive(place, undefined), accept);
    }
  }

  /**
   * A wire is another one from `at` on; called when everything before `at` has happened. Not called for a link or a switch.
   */
  change(at: Instant, name: string, { latency, up }: CableState, put: Put): void {
    const wire = this.#wires.find(({ spec }) => spec.name === name) as Wire;
    wire.latency = latency;
    this.#put(wire, at, () => wire.net.connect(up), put);
  }

  counts(name: string): WireCounts {
    const { edges = 0, conflicts = 0 } = this.#wires.find(({ spec }) => spec.name === name) ?? {};
    return { edges, conflicts };
  }

  /** Lets something happen in the middle of a wire from outside. */
  #put(wire: Wire, at: Instant, act: () => Step, put: Put): void {
    put(wire.domain, {
      at,
      kind: EventKind.CHANGE,
      // Source 0 are the carriers of links.
      source: 1 + wire.index,
      sequence: this.#changes++,
      apply: () => this.#follow(wire, at, act()),
    });
  }

  #drive(line: Line, at: Instant, drive: Drive): void {
    const { end, pin } = line;
    if (end.own === drive) return;
    end.own = drive;
    if (line.node >= 0) this.observer.driven(at, line.node, line.offset, drive);
    this.#tell(line);
    if (!pin) return;
    const { wire, place } = pin;
    const arrives = later(after(at, wire.latency), pin.last);
    pin.last = arrives;
    line.domain.post(wire.domain, {
      at: arrives,
      kind: EventKind.EDGE,
      source: pin.number,
      sequence: pin.sent++,
      apply: () => this.#follow(wire, arrives, wire.net.drive(place, drive)),
    });
  }

  /** Tells everybody what a step in the middle of `wire` has made of it. */
  #follow(wire: Wire, at: Instant, { level, conflict, told }: Step): void {
    if (level !== undefined) {
      wire.edges++;
      this.observer.level(at, wire.index, level);
    }
    if (conflict) {
      wire.conflicts++;
      this.observer.conflict(at, wire.index, describeConflict(wire));
    }
    for (const place of told) {
      const line = wire.lines[place] as Line;
      const pin = line.pin as Pin;
      const others = wire.net.othersOf(place);
      wire.domain.post(line.domain, {
        at,
        kind: EventKind.EDGE,
        // Whatever reaches the middle of a wire at this instant comes before.
        source: this.#pins + pin.number,
        sequence: pin.told++,
        apply: () => {
          line.end.others = others;
          // What is done there is there already: it gets what the other pins do.
          line.copper?.drive(others === activeLevel(wire));
          this.#tell(line);
        },
      });
    }
  }

  /** Tells a guest the level of a line, if it has changed. */
  #tell(line: Line): void {
    const { level } = line.end;
    if (level === line.level) return;
    line.level = level;
    this.#controllers.get(line.node)?.sense(line.offset, level);
  }
}

/** That by which copper is driven: the one that it does not have by itself. */
function activeLevel({ spec }: Wire): Level {
  return spec.pull === 'down' ? 1 : 0;
}

/** `a.gpio0 and b.gpio1 drive it high, c.gpio0 low; it is low` */
function describeConflict({ spec, pins, net }: Wire): string {
  const host = (spec.host?.sense ?? spec.host?.drive)?.name ?? HOST_PIN;
  const names = pins.map((pin) => (pin === HOST_PIN ? host : pin));
  const who = (drive: Drive) => names.filter((_, place) => net.driveOf(place) === drive).join(' and ');
  return `${who(1)} high against ${who(0)} low; it is ${net.level === 1 ? 'high' : 'low'}`;
}
