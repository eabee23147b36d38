// SPDX-License-Identifier: MIT
import type { LogHeader } from '../../../protocols/trace/record.js';
import { Uints } from './lists.js';
import { type Times, WORD } from './times.js';

/** Nobody. */
export const NONE = 0xffff_ffff;
/** A receiver in real time is told late; but not by more than this many nanoseconds. */
const LATEST = 1_000_000_000;

/** Index by a hash of some numbers, with the latest entry first. Two keys may share an entry: the caller compares. */
class Chains {
  private heads = new Uint32Array(1024).fill(NONE);
  /** By entry. */
  private readonly next = new Uints();
  private readonly hashes = new Uints();

  first(hash: number): number {
    return this.heads[hash & (this.heads.length - 1)] as number;
  }

  following(entry: number): number {
    return this.next.at(entry);
  }

  /** Adds the next entry: 0, 1, 2 … */
  add(hash: number): void {
    const entry = this.hashes.length;
    this.hashes.push(hash);
    this.next.push(NONE);
    if (entry >= this.heads.length) this.grow();
    else this.link(entry);
  }

  private link(entry: number): void {
    const slot = this.hashes.at(entry) & (this.heads.length - 1);
    this.next.array[entry] = this.heads[slot] as number;
    this.heads[slot] = entry;
  }

  private grow(): void {
    this.heads = new Uint32Array(2 * this.heads.length).fill(NONE);
    for (let entry = 0; entry < this.hashes.length; entry++) this.link(entry);
  }
}

/** A chain of frames that look the same is followed so far. */
const MAX_STEPS = 64;

/**
 * Which frame that was received is which that was sent: the log says only when, where, how long and with which CRC. It is the
 * latest one of that length and CRC on the same link or switch, not from the receiver, that should have arrived by then.
 */
export class FramePairs {
  /** By interface and node: which link or switch it is on. */
  private readonly cables: readonly (readonly number[])[];
  private readonly chains = new Chains();
  private readonly sent = new Uints();
  private readonly sentOn = new Uints();
  private readonly lengths = new Uints();
  private readonly crcs = new Uints();
  private readonly arriveHi = new Uints();
  private readonly arriveLo = new Uints();
  /** The events at which frames arrived, in order, and those at which they were sent. */
  readonly to = new Uints();
  readonly from = new Uints();
  /** The longest way that was seen, in ns. */
  longest = 0;
  /** By event, the other end; of what was sent, the first one that received it. */
  private readonly others = new Uints();

  constructor(
    header: LogHeader,
    private readonly times: Times,
    private readonly nodes: Uints,
  ) {
    const places = new Map<string, number>();
    header.links.forEach(({ ends }, index) => {
      for (const end of ends) places.set(end, index);
    });
    header.switches.forEach(({ ports }, index) => {
      for (const port of ports) places.set(port, header.links.length + index);
    });
    this.cables = [
      ...header.nodes.map(({ name, interfaces }) =>
        interfaces.map((each) => places.get(`${name}.${each}`) ?? NONE),
      ),
      ...header.switches.map(({ ports }, index) => ports.map(() => header.links.length + index)),
    ];
  }

  /** The link or switch that an interface is on: links come first. {@link NONE}: on none. */
  cable(node: number, place: number): number {
    return this.cables[node]?.[place] ?? NONE;
  }

  /** The other end of a frame's way; undefined: it has none that is known. */
  other(event: number): number | undefined {
    const other = event < this.others.length ? this.others.at(event) : NONE;
    return other === NONE ? undefined : other;
  }

  /** A frame was sent that should arrive. */
  addSent(event: number, cable: number, length: number, crc: number, hi: number, lo: number): void {
    this.chains.add(hash(cable, length, crc));
    this.sent.push(event);
    this.sentOn.push(cable);
    this.lengths.push(length);
    this.crcs.push(crc);
    const sum = this.times.lo.at(event) + lo;
    this.arriveLo.push(sum >>> 0);
    this.arriveHi.push(this.times.hi.at(event) + hi + (sum >= WORD ? 1 : 0));
  }

  addReceived(event: number, cable: number, length: number, crc: number): void {
    const node = this.nodes.at(event);
    let entry = this.chains.first(hash(cable, length, crc));
    for (let step = 0; step < MAX_STEPS && entry !== NONE; step++, entry = this.chains.following(entry)) {
      if (this.sentOn.at(entry) !== cable || this.crcs.at(entry) !== crc || this.lengths.at(entry) !== length)
        continue;
      const sent = this.sent.at(entry);
      if (this.nodes.at(sent) === node) continue;
      const late = this.times.since({ hi: this.arriveHi.at(entry), lo: this.arriveLo.at(entry) }, event);
      if (late < 0) continue;
      if (late > LATEST) return;
      this.pair(sent, event);
      return;
    }
  }

  private pair(sent: number, received: number): void {
    this.from.push(sent);
    this.to.push(received);
    while (this.others.length <= received) this.others.push(NONE);
    this.others.array[received] = sent;
    if (this.others.at(sent) === NONE) this.others.array[sent] = received;
    const { hi, lo } = this.times;
    const way = this.times.since({ hi: hi.at(sent), lo: lo.at(sent) }, received);
    if (way > this.longest) this.longest = way;
  }
}

function hash(cable: number, length: number, crc: number): number {
  const mixed = Math.imul(crc ^ Math.imul(cable + 1, 0x9e3779b1), 0x85ebca6b) ^ Math.imul(length, 0xc2b2ae35);
  return (mixed ^ (mixed >>> 15)) >>> 0;
}
