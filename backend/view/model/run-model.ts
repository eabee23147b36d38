// SPDX-License-Identifier: MIT
import { FATES, RecordField, STATES } from '../../../protocols/trace/constants.js';
import type { LogHeader } from '../../../protocols/trace/record.js';
import { EventLog, type RecordParts } from './event-log.js';
import { FramePairs, NONE } from './frame-pairs.js';
import { Uints } from './lists.js';
import { Spans } from './spans.js';
import { Times, WORD } from './times.js';

/** Kinds of event that are drawn alike. */
export const CLASSES = ['frame', 'console', 'signal', 'state', 'fault'] as const;
export type EventClass = (typeof CLASSES)[number];

const R = RecordField;
const CLASS_OF: Readonly<Record<number, EventClass>> = {
  [R.FRAME_SENT]: 'frame',
  [R.FRAME_RECEIVED]: 'frame',
  [R.CONSOLE_OUTPUT]: 'console',
  [R.NODE_STATE]: 'state',
  [R.MARK]: 'state',
  [R.ACT]: 'state',
  [R.SERIAL_DATA]: 'console',
  [R.CHANGE]: 'state',
  [R.FAULT]: 'fault',
  [R.DEADLINE_MISSED]: 'fault',
};

/** The class of a kind of event. */
export function classOf(kind: number): EventClass {
  return CLASS_OF[kind] ?? 'signal';
}

/** Events of one class in a track. */
export class Ticks {
  readonly times = new Times();
  readonly events = new Uints();
}

/** What happened in one place: a node, a link, a switch, a wire, a shared variable, or the run itself. */
export class Track {
  /** All its events, in order. */
  readonly all = new Ticks();
  readonly ticks: Readonly<Record<EventClass, Ticks>> = {
    frame: new Ticks(),
    console: new Ticks(),
    signal: new Ticks(),
    state: new Ticks(),
    fault: new Ticks(),
  };
  /** A node's: it runs. */
  readonly running = new Spans();
  /** A board's: it is held by the line that freezes boards. A partition's: another one has the processor. */
  readonly frozen = new Spans();
  /** A node's: it takes no part any more. */
  readonly gone = new Spans();
  /** A wire's: it is high. */
  readonly high = new Spans();
  /** A link's or wire's: nothing gets through. */
  readonly down = new Spans();
  /** Frames that were sent and received, and were lost; bytes of console output. */
  sent = 0;
  received = 0;
  lost = 0;
  activations = 0;

  constructor(readonly name: string) {}
}

/**
 * Nanoseconds between two things that a guest does in one go. Computing takes a guest no virtual time, and reading its clock
 * well below a microsecond; who is silent for longer has slept.
 */
const LONGEST_SILENCE = 100_000;

const GONE = new Set(['exited', 'signalled', 'failed', 'killed', 'evicted', 'crashed', 'hung']);

/** A run log, with all that the page draws found out as it is read. */
export class RunModel {
  readonly log: EventLog;
  readonly tracks: { nodes: Track[]; links: Track[]; wires: Track[]; shared: Track[]; run: Track } = {
    nodes: [],
    links: [],
    wires: [],
    shared: [],
    run: new Track('run'),
  };
  /** Faults, changes and marks wherever they were. */
  readonly flags = new Ticks();
  pairs: FramePairs | undefined;
  /** The index in the header of the wire that freezes boards. */
  freezeWire: number | undefined;
  private byNode: (Track | undefined)[] = [];
  private boards: Track[] = [];
  private pinned: boolean[] = [];

  constructor(expected = 0) {
    this.log = new EventLog(expected);
  }

  get header(): LogHeader | undefined {
    return this.log.header;
  }

  /** The later of the last event and the end. */
  get end(): bigint {
    const said = this.log.end?.virtualNs ?? 0n;
    return said > this.log.now ? said : this.log.now;
  }

  /** Reads on what has come. @returns whether there is more to read */
  advance(most: number): boolean {
    if (this.header === undefined) {
      if (!this.log.advance(() => undefined, 1) || this.header === undefined) return false;
      this.prepare(this.header);
    }
    return this.log.advance(this.take, most);
  }

  private prepare(header: LogHeader): void {
    const { nodes, links, switches, wires, shared } = header;
    const named = ({ name }: { readonly name: string }) => new Track(name);
    this.tracks.nodes = nodes.map(named);
    this.tracks.links = [...links, ...switches].map(named);
    this.tracks.wires = wires.map(named);
    this.tracks.shared = shared.map(named);
    this.byNode = [
      ...this.tracks.nodes,
      ...this.tracks.links.slice(links.length),
      this.tracks.run,
      ...this.tracks.wires,
    ];
    this.pairs = new FramePairs(header, this.log.times, this.log.nodes);
    this.pinned = nodes.map(({ kind }) => kind === 'board');
    this.findFreezeWire(header);
    nodes.forEach(({ kind }, index) => {
      const track = this.tracks.nodes[index] as Track;
      // What is in real time has no activations: it runs unless it is held.
      if (kind === 'board') track.running.begin(0, 0);
      if (kind === 'partition') track.frozen.begin(0, 0);
    });
  }

  /** The log does not say which wire it is: it is one that every board is on. */
  private findFreezeWire({ nodes, wires }: LogHeader): void {
    const boards = nodes.filter(({ kind }) => kind === 'board');
    if (boards.length === 0) return;
    const holds = ({ pins }: { readonly pins: readonly string[] }) =>
      boards.every(({ name }) => pins.some((pin) => pin.startsWith(`${name}.`)));
    const candidates = wires.filter(holds);
    const wire = candidates.find(({ name }) => name === 'freeze') ?? candidates[0];
    if (wire === undefined) return;
    this.freezeWire = wires.indexOf(wire);
    this.boards = this.tracks.nodes.filter((_, index) => nodes[index]?.kind === 'board');
  }

  private readonly take = (event: number, parts: RecordParts): void => {
    const { times } = this.log;
    const hi = times.hi.at(event);
    const lo = times.lo.at(event);
    const { node, kind } = parts;
    const track = this.byNode[node] as Track;
    const header = this.header as LogHeader;
    const className = classOf(kind);
    const runs = node < header.nodes.length && this.pinned[node] === false;
    if (kind === R.ACTIVATION) {
      track.activations++;
      add(track.all, event, hi, lo);
      if (header.nodes[node]?.kind !== 'partition') {
        track.running.begin(hi, lo);
        track.running.open = false;
      }
      return;
    }
    put(track, className, event, hi, lo);
    switch (kind) {
      case R.FRAME_SENT:
      case R.FRAME_RECEIVED: {
        const pairs = this.pairs as FramePairs;
        const cable = pairs.cable(node, parts.place);
        const link = cable === NONE ? undefined : this.tracks.links[cable];
        if (link !== undefined && link !== track) put(link, 'frame', event, hi, lo);
        if (kind === R.FRAME_RECEIVED) {
          track.received++;
          if (parts.flag !== 0) track.lost++;
          pairs.addReceived(event, cable, parts.length, parts.crc);
          return;
        }
        track.sent++;
        if (FATES[parts.flag] === 'delivered')
          pairs.addSent(event, cable, parts.length, parts.crc, parts.spanHi, parts.spanLo);
        else {
          track.lost++;
          add(track.ticks.fault, event, hi, lo);
        }
        break;
      }
      case R.NODE_STATE: {
        const state = STATES[parts.flag - 1] ?? '';
        if (GONE.has(state)) {
          if (track.running.open) track.running.end(hi, lo);
          if (track.frozen.open) track.frozen.end(hi, lo);
          if (!track.gone.open) track.gone.begin(hi, lo);
        }
        break;
      }
      case R.CHANGE: {
        const link = node === this.runNode ? this.tracks.links[parts.place] : track;
        if (link === undefined) break;
        if (link !== track) put(link, 'state', event, hi, lo);
        // A port that is down is not the whole switch.
        if (node === this.runNode || node > this.runNode) setLevel(link.down, parts.flag !== 0, hi, lo);
        add(this.flags, event, hi, lo);
        return;
      }
      case R.MARK:
      case R.ACT:
      case R.FAULT:
        add(this.flags, event, hi, lo);
        return;
      case R.LEVEL: {
        const high = parts.flag !== 0;
        const first = track.ticks.signal.events.length === 1;
        if (first && !high) track.high.begin(0, 0);
        setLevel(track.high, high, hi, lo);
        if (node - this.runNode - 1 === this.freezeWire)
          for (const board of this.boards) if (!board.gone.open) setLevel(board.frozen, high, hi, lo);
        return;
      }
      case R.VARIABLE_CHANGED:
      case R.VARIABLE_STORED:
        put(this.tracks.shared[parts.place] as Track, 'signal', event, hi, lo);
        if (kind === R.VARIABLE_STORED) return;
        break;
      case R.SLOT_ENTRY: {
        const sum = lo + parts.spanLo;
        const endHi = hi + parts.spanHi + (sum > 0xffff_ffff ? 1 : 0);
        setLevel(track.frozen, false, hi, lo);
        track.running.begin(hi, lo);
        track.running.end(endHi, sum >>> 0);
        track.frozen.begin(endHi, sum >>> 0);
        return;
      }
      case R.LINE_RAISED:
        return;
      case R.SERIAL_DATA:
        // What the node receives, another has done.
        if (parts.flag !== 0) return;
        break;
    }
    // What a node did itself shows that it still ran.
    if (runs && track.running.length > 0 && header.nodes[node]?.kind !== 'partition')
      stillRuns(track.running, hi, lo);
  };

  /** The `node` of events of the run itself. */
  get runNode(): number {
    const { nodes, switches } = this.header as LogHeader;
    return nodes.length + switches.length;
  }
}

/** A span goes on, or the guest has slept meanwhile and has woken by itself, of which the log tells by what it does only. */
function stillRuns(running: Spans, hi: number, lo: number): void {
  const last = running.length - 1;
  const idle = (hi - running.ends.hi.at(last)) * WORD + (lo - running.ends.lo.at(last));
  if (idle <= LONGEST_SILENCE) running.extend(hi, lo);
  else {
    running.begin(hi, lo);
    running.open = false;
  }
}

function put(track: Track, name: EventClass, event: number, hi: number, lo: number): void {
  add(track.all, event, hi, lo);
  add(track.ticks[name], event, hi, lo);
}

function add(ticks: Ticks, event: number, hi: number, lo: number): void {
  ticks.events.push(event);
  ticks.times.push(hi, lo);
}

function setLevel(spans: Spans, high: boolean, hi: number, lo: number): void {
  if (high === spans.open) return;
  if (high) spans.begin(hi, lo);
  else spans.end(hi, lo);
}
