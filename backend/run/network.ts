// SPDX-License-Identifier: MIT
import { crc32 } from 'node:zlib';
import {
  after,
  type Duration,
  duration,
  EventKind,
  type Instant,
  type Lookahead,
  NEVER,
  NO_TIME,
  type Timeline,
} from '../calendar/index.js';
import { type Cable, egressSpec, LearningSwitch, linkCables, switchCables } from '../network/index.js';
import type { ChangedCable } from '../topology/cable-states.js';
import type { Endpoint, LinkSpec, SwitchSpec, Topology } from '../topology/model.js';
import type { Put } from './changes.js';
import type { Layout } from './layout.js';
import { Span } from './span.js';

/** A frame on its way, with what is needed to tell it from others. */
export interface Frame {
  readonly bytes: Uint8Array;
  readonly crc: number;
}

/** What became of a frame that a guest sent. */
export type SendFate = 'delivered' | 'queue-full' | 'lost' | 'unconnected' | 'link-down';

/** An end of a cable: an interface of a node. */
export interface Attachment {
  readonly node: number;
  readonly interface: number;
}

/** Sees every frame that is sent and every frame that reaches a guest. */
export interface NetworkObserver {
  sent(at: Instant, from: Attachment, frame: Frame, fate: SendFate, arrives: Instant | undefined): void;
  received(at: Instant, to: Attachment, frame: Frame, taken: boolean): void;
}

/** Counts of one link or switch, over all its ends. */
export interface NetworkCounts {
  readonly frames: number;
  readonly bytes: number;
  readonly dropped: number;
}

/** A guest's network card. */
export interface Card {
  /** @returns false where the guest has no room for the frame */
  receive(frame: Uint8Array): boolean;
  /** Lets the guest see whether there is a carrier; at the present instant of its domain. */
  setLink(up: boolean): void;
}

interface Port extends Attachment {
  readonly domain: Timeline;
  card: Card | undefined;
  /** The way of what is sent there; undefined: no cable is plugged in. */
  span: Span | undefined;
  /** Who decides on each frame that is sent there; undefined: nobody. */
  interception: PortInterception | undefined;
}

/** What becomes of a frame that is sent: undefined: what would have; 'drop': it is lost; bytes: these are sent instead. */
export type PortInterception = (at: Instant, bytes: Uint8Array) => Uint8Array | 'drop' | undefined;

/** A link, or a port of a switch: what changes by itself. */
interface Connection {
  /** Both directions. */
  readonly spans: readonly [Span, Span];
  /** Of a switch: the second span leads out of it. */
  readonly fabric: { readonly forget: () => void } | undefined;
  /** The interfaces at its ends. */
  readonly ports: readonly Port[];
}

/** The cables and switches of a topology, on a calendar. */
export class Network {
  readonly #ports = new Map<number, Port[]>();
  readonly #counts = new Map<string, () => NetworkCounts>();
  /** By name: one of a link, one for each port of a switch. */
  readonly #connections = new Map<string, readonly Connection[]>();
  #sources = 0;
  #carriers = 0;

  constructor(
    topology: Topology,
    layout: Layout,
    domains: readonly Timeline[],
    private readonly observer: NetworkObserver,
  ) {
    for (const node of topology.nodes) {
      const domain = domains[layout.nodeDomain[node.index] as number] as Timeline;
      this.#ports.set(
        node.index,
        node.interfaces.map((_, place) => ({
          node: node.index,
          interface: place,
          domain,
          card: undefined,
          span: undefined,
          interception: undefined,
        })),
      );
    }
    const find = (end: Endpoint): Port => {
      const node = topology.nodes.find(({ name }) => name === end.node);
      const place = node?.interfaces.findIndex(({ name }) => name === end.interface) ?? -1;
      return (this.#ports.get(node?.index ?? -1) as Port[])[place] as Port;
    };
    for (const link of topology.links) this.#addLink(link, topology.seed, find);
    topology.switches.forEach((spec, place) => {
      this.#addSwitch(spec, topology.seed, find, domains[layout.switchDomain[place] as number] as Timeline);
    });
  }

  /** Says who takes the frames that arrive at an interface; nobody does before. */
  attach(to: Attachment, card: Card): void {
    this.#port(to).card = card;
  }

  /** Whether a cable or a switch is at the interface. */
  isConnected(at: Attachment): boolean {
    return this.#port(at).span !== undefined;
  }

  /**
   * How long after a frame was sent at the interface its node can be reached by anything that came of it; no time
   * where that may be at once.
   */
  leastAnswer(at: Attachment, lookahead: Lookahead): Duration {
    const { span, domain } = this.#port(at);
    if (span === undefined) return duration(NEVER);
    if (span.to === domain) return NO_TIME;
    return duration(after(lookahead.distance(span.to.index, domain.index), span.cable.spec.latency));
  }

  /** The guest has gone: its interfaces take nothing any more. */
  detach(node: number): void {
    for (const port of this.#ports.get(node) ?? []) port.card = undefined;
  }

  /** A guest sends a frame, at the present instant of its domain. */
  transmit(from: Attachment, bytes: Uint8Array): void {
    const port = this.#port(from);
    const at = port.domain.now;
    const decision = port.interception?.(at, bytes);
    const sent = decision instanceof Uint8Array ? decision : bytes;
    const frame = { bytes: sent, crc: crc32(sent) };
    const { fate, arrives } =
      decision === 'drop'
        ? { fate: 'lost' as const, arrives: undefined }
        : (port.span?.send(at, frame) ?? { fate: 'unconnected' as const, arrives: undefined });
    this.observer.sent(at, port, frame, fate, arrives);
  }

  /** Lets a frame arrive at an interface, at the present instant of its domain, without any cable. */
  deliver(to: Attachment, bytes: Uint8Array): void {
    this.#receive(this.#port(to), { bytes, crc: crc32(bytes) });
  }

  /** Has `interception` decide on every frame that is sent at the interface; undefined: nobody does any more. */
  intercept(from: Attachment, interception: PortInterception | undefined): void {
    this.#port(from).interception = interception;
  }

  /**
   * A link, or a port of a switch, is another one from `at` on; called when everything before `at` has happened.
   *
   * @returns how many frames were queued or on the way, and do not arrive
   */
  change(at: Instant, name: string, { port, before, now }: ChangedCable, put: Put): number {
    const connections = this.#connections.get(name) as readonly Connection[];
    const { spans, fabric, ports } = connections[port ?? 0] as Connection;
    const [first, second] = spans;
    const lost = first.change(at, now) + second.change(at, fabric ? egressSpec(now) : now);
    if (before.up === now.up) return lost;
    if (!now.up) fabric?.forget();
    for (const end of ports) {
      put(end.domain, {
        at,
        kind: EventKind.CHANGE,
        source: 0,
        sequence: this.#carriers++,
        apply: () => end.card?.setLink(now.up),
      });
    }
    return lost;
  }

  counts(name: string): NetworkCounts {
    return this.#counts.get(name)?.() ?? { frames: 0, bytes: 0, dropped: 0 };
  }

  #port({ node, interface: place }: Attachment): Port {
    return (this.#ports.get(node) as Port[])[place] as Port;
  }

  #addLink(spec: LinkSpec, seed: bigint, find: (end: Endpoint) => Port): void {
    const cables = linkCables(spec, seed);
    const ends = spec.between.map(find) as [Port, Port];
    const spans = ends.map((from, side) => {
      const to = ends[1 - side] as Port;
      const span = this.#span(cables[side] as Cable, from.domain, to.domain, EventKind.FRAME, (_at, frame) =>
        this.#receive(to, frame),
      );
      from.span = span;
      return span;
    }) as [Span, Span];
    this.#connections.set(spec.name, [{ spans, fabric: undefined, ports: ends }]);
    this.#counts.set(spec.name, () => sum(cables));
  }

  #addSwitch(spec: SwitchSpec, seed: bigint, find: (end: Endpoint) => Port, domain: Timeline): void {
    const fabric = new LearningSwitch(spec.ports.length);
    const cables = spec.ports.map((_, port) => switchCables(spec, port, seed));
    const egress = spec.ports.map((end, place) => {
      const port = find(end);
      return this.#span(
        (cables[place] as (typeof cables)[number]).egress,
        domain,
        port.domain,
        EventKind.FRAME,
        (_at, frame) => this.#receive(port, frame),
      );
    });
    const connections = spec.ports.map((end, ingress): Connection => {
      const from = find(end);
      const into = (cables[ingress] as (typeof cables)[number]).ingress;
      const span = this.#span(into, from.domain, domain, EventKind.FABRIC, (at, frame) => {
        for (const port of fabric.forward(ingress, frame.bytes, at)) {
          // As a bridge, it sends nothing to a port that is down.
          if (egress[port]?.cable.up) egress[port].send(at, frame);
        }
      });
      from.span = span;
      const forget = () => fabric.forget(ingress);
      return { spans: [span, egress[ingress] as Span], fabric: { forget }, ports: [from] };
    });
    this.#connections.set(spec.name, connections);
    this.#counts.set(spec.name, () => {
      const into = sum(cables.map((pair) => pair.ingress));
      const out = sum(cables.map((pair) => pair.egress));
      return { ...into, dropped: into.dropped + out.dropped };
    });
  }

  /** A span by `cable` from one domain to another; each frame that arrives there is given to `arrive`. */
  #span(
    cable: Cable,
    from: Timeline,
    to: Timeline,
    kind: EventKind,
    arrive: (at: Instant, frame: Frame) => void,
  ): Span {
    return new Span(cable, { from, to }, { kind, source: this.#sources++ }, arrive);
  }

  /** A frame has arrived, at the present instant of its domain: for boards, that may be late. */
  #receive(port: Port, frame: Frame): void {
    const taken = port.card?.receive(frame.bytes) ?? false;
    this.observer.received(port.domain.now, port, frame, taken);
  }
}

function sum(cables: readonly Cable[]): NetworkCounts {
  let frames = 0;
  let bytes = 0;
  let dropped = 0;
  for (const { statistics } of cables) {
    frames += statistics.frames;
    bytes += statistics.bytes;
    dropped += statistics.frames - statistics.delivered;
  }
  return { frames, bytes, dropped };
}
