// SPDX-License-Identifier: MIT
import { crc32 } from 'node:zlib';
import { type Domain, EventKind, type Instant } from '../calendar/index.js';
import { type Cable, LearningSwitch, linkCables, switchCables } from '../network/index.js';
import type { Endpoint, LinkSpec, SwitchSpec, Topology } from '../topology/model.js';
import type { Layout } from './layout.js';

/** A frame on its way, with what is needed to tell it from others. */
export interface Frame {
  readonly bytes: Uint8Array;
  readonly crc: number;
}

/** What became of a frame that a guest sent. */
export type SendFate = 'delivered' | 'queue-full' | 'lost' | 'unconnected';

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

/** Gives a frame to a guest; false where the guest has no room for it. */
export type Receiver = (frame: Uint8Array) => boolean;

interface Port extends Attachment {
  readonly domain: Domain;
  receiver: Receiver | undefined;
  send: ((at: Instant, frame: Frame) => { fate: SendFate; arrives: Instant | undefined }) | undefined;
}

/** The cables and switches of a topology, on a calendar. */
export class Network {
  readonly #ports = new Map<number, Port[]>();
  readonly #counts = new Map<string, () => NetworkCounts>();
  #sources = 0;

  constructor(
    topology: Topology,
    layout: Layout,
    domains: readonly Domain[],
    private readonly observer: NetworkObserver,
  ) {
    for (const node of topology.nodes) {
      const domain = domains[layout.nodeDomain[node.index] as number] as Domain;
      this.#ports.set(
        node.index,
        node.interfaces.map((_, place) => ({
          node: node.index,
          interface: place,
          domain,
          receiver: undefined,
          send: undefined,
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
      this.#addSwitch(spec, topology.seed, find, domains[layout.switchDomain[place] as number] as Domain);
    });
  }

  /** Says who takes the frames that arrive at an interface; nobody does before. */
  attach(to: Attachment, receiver: Receiver): void {
    this.#port(to).receiver = receiver;
  }

  /** Whether a cable or a switch is at the interface. */
  isConnected(at: Attachment): boolean {
    return this.#port(at).send !== undefined;
  }

  /** The guest has gone: its interfaces take nothing any more. */
  detach(node: number): void {
    for (const port of this.#ports.get(node) ?? []) port.receiver = undefined;
  }

  /** A guest sends a frame, at the present instant of its domain. */
  transmit(from: Attachment, bytes: Uint8Array): void {
    const port = this.#port(from);
    const frame = { bytes, crc: crc32(bytes) };
    const at = port.domain.now;
    const { fate, arrives } = port.send?.(at, frame) ?? { fate: 'unconnected', arrives: undefined };
    this.observer.sent(at, port, frame, fate, arrives);
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
    ends.forEach((from, side) => {
      const to = ends[1 - side] as Port;
      from.send = this.#sender(cables[side] as Cable, from.domain, to.domain, EventKind.FRAME, (at, frame) =>
        this.#receive(at, to, frame),
      );
    });
    this.#counts.set(spec.name, () => sum(cables));
  }

  #addSwitch(spec: SwitchSpec, seed: bigint, find: (end: Endpoint) => Port, domain: Domain): void {
    const fabric = new LearningSwitch(spec.ports.length);
    const cables = spec.ports.map((_, port) => switchCables(spec, port, seed));
    const egress = spec.ports.map((end, place) => {
      const port = find(end);
      return this.#sender(
        (cables[place] as (typeof cables)[number]).egress,
        domain,
        port.domain,
        EventKind.FRAME,
        (at, frame) => this.#receive(at, port, frame),
      );
    });
    spec.ports.forEach((end, ingress) => {
      const from = find(end);
      const into = (cables[ingress] as (typeof cables)[number]).ingress;
      from.send = this.#sender(into, from.domain, domain, EventKind.FABRIC, (at, frame) => {
        for (const port of fabric.forward(ingress, frame.bytes, at)) egress[port]?.(at, frame);
      });
    });
    this.#counts.set(spec.name, () => {
      const into = sum(cables.map((pair) => pair.ingress));
      const out = sum(cables.map((pair) => pair.egress));
      return { ...into, dropped: into.dropped + out.dropped };
    });
  }

  /** Sends frames from one domain to another by `cable`; each that arrives there is given to `arrive`. */
  #sender(
    cable: Cable,
    from: Domain,
    to: Domain,
    kind: EventKind,
    arrive: (at: Instant, frame: Frame) => void,
  ): NonNullable<Port['send']> {
    const source = this.#sources++;
    let sequence = 0;
    return (at, frame) => {
      const passage = cable.send(at, frame.bytes.length);
      if (passage.fate !== 'delivered') return { fate: passage.fate, arrives: undefined };
      const { arrives } = passage;
      from.post(to, {
        at: arrives,
        kind,
        source,
        sequence: sequence++,
        apply: () => arrive(arrives, frame),
      });
      return { fate: 'delivered', arrives };
    };
  }

  #receive(at: Instant, port: Port, frame: Frame): void {
    const taken = port.receiver?.(frame.bytes) ?? false;
    this.observer.received(at, port, frame, taken);
  }
}

function sum(cables: readonly Cable[]): NetworkCounts {
  let frames = 0;
  let bytes = 0;
  let dropped = 0;
  for (const { statistics } of cables) {
    frames += statistics.frames;
    bytes += statistics.bytes;
    dropped += statistics.dropped.queueFull + statistics.dropped.lost;
  }
  return { frames, bytes, dropped };
}
