// SPDX-License-Identifier: MIT
import type { LogHeader, TraceEvent } from '../../../protocols/trace/index.js';
import type { LoggedEvent } from '../log-reader.js';

/** Frames on one cable, or sent through one switch, whose arrival is waited for. What is older has been lost. */
const MAX_WAITING = 1_024;

type Sent = Extract<TraceEvent, { kind: 'frame-sent' }>;
type Received = Extract<TraceEvent, { kind: 'frame-received' }>;

/** A frame that was sent. */
interface Waiting {
  readonly logged: LoggedEvent;
  readonly sent: Sent;
  readonly arrives: bigint;
  /** The port of the switch, or 0. */
  readonly port: number;
  /** Its arrows; through a switch it may have several. */
  readonly flows: bigint[];
  /** Ports that it has come out of. */
  readonly out: number[];
}

/** Where an interface's cable leads. */
type Place =
  | { readonly cable: Waiting[]; readonly back: Waiting[] }
  | { readonly lan: Lan; readonly port: number };

/** The frames that were sent through a switch lately: by their order, and by what they are. */
class Lan {
  readonly waiting: Waiting[] = [];
  readonly alike = new Map<number, Waiting[]>();
}

/**
 * Finds which frame that was received is which that was sent, so that an arrow can join them.
 *
 * A cable keeps the order of frames, so there the first one that is alike is meant. Through a switch it is the first one
 * that is alike and has not come out of that port: where a switch drops one of several frames that are the same in every
 * byte, a later one is taken for it.
 */
export class FrameFlows {
  /** By node and interface. */
  readonly #places: readonly (readonly (Place | undefined)[])[];
  readonly #lans: readonly Lan[];
  #flows = 0n;

  /** @param sent takes each frame that was sent, when all arrows are known that begin there */
  constructor(
    header: LogHeader,
    private readonly sent: (logged: LoggedEvent, flows: readonly bigint[]) => void,
  ) {
    const places = new Map<string, Place>();
    for (const { ends } of header.links) {
      const [cable, back]: [Waiting[], Waiting[]] = [[], []];
      if (ends[0] !== undefined) places.set(ends[0], { cable, back });
      if (ends[1] !== undefined) places.set(ends[1], { cable: back, back: cable });
    }
    this.#lans = header.switches.map(({ ports }) => {
      const lan = new Lan();
      for (const [port, end] of ports.entries()) places.set(end, { lan, port });
      return lan;
    });
    this.#places = header.nodes.map(({ name, interfaces }) =>
      interfaces.map((each) => places.get(`${name}.${each}`)),
    );
  }

  /** Another arrow's identity. */
  next(): bigint {
    return ++this.#flows;
  }

  /** A node has sent a frame. */
  send(logged: LoggedEvent, sent: Sent): void {
    const place = this.#places[logged.node]?.[sent.interface];
    if (place === undefined || sent.fate !== 'delivered') {
      this.sent(logged, []);
      return;
    }
    const arrives = logged.at + sent.travel;
    if ('cable' in place) {
      const flow = this.next();
      this.sent(logged, [flow]);
      place.cable.push({ logged, sent, arrives, port: 0, flows: [flow], out: [] });
      if (place.cable.length > MAX_WAITING) place.cable.shift();
      return;
    }
    const { lan, port } = place;
    const waiting = { logged, sent, arrives, port, flows: [], out: [] };
    lan.waiting.push(waiting);
    const alike = lan.alike.get(sent.crc);
    if (alike) alike.push(waiting);
    else lan.alike.set(sent.crc, [waiting]);
    if (lan.waiting.length > MAX_WAITING) this.#release(lan);
  }

  /** A node has received a frame. @returns the arrow that ends there */
  receive({ node, at }: LoggedEvent, { interface: index, crc, length }: Received): bigint | undefined {
    const place = this.#places[node]?.[index];
    if (place === undefined) return undefined;
    const isIt = ({ sent, arrives }: Waiting) => sent.crc === crc && sent.length === length && arrives <= at;
    if ('cable' in place) {
      const found = place.back.findIndex(isIt);
      return found < 0 ? undefined : place.back.splice(0, found + 1).at(-1)?.flows[0];
    }
    const { lan, port } = place;
    const found = lan.alike
      .get(crc)
      ?.find((each) => isIt(each) && each.port !== port && !each.out.includes(port));
    if (found === undefined) return undefined;
    const flow = this.next();
    found.flows.push(flow);
    found.out.push(port);
    return flow;
  }

  /** No more events come. */
  close(): void {
    for (const lan of this.#lans) while (lan.waiting.length > 0) this.#release(lan);
  }

  /** The oldest frame of a switch is waited for no more. */
  #release(lan: Lan): void {
    const { logged, sent, flows } = lan.waiting.shift() as Waiting;
    const alike = lan.alike.get(sent.crc) as Waiting[];
    alike.shift();
    if (alike.length === 0) lan.alike.delete(sent.crc);
    this.sent(logged, flows);
  }
}
