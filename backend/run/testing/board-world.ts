// SPDX-License-Identifier: MIT
import {
  Calendar,
  type Domain,
  EventKind,
  type Instant,
  instant,
  Lookahead,
  later,
  NEVER,
  type Participant,
  type ParticipantHost,
  type Timeline,
  ZERO,
} from '../../calendar/index.js';
import type { NodeSpec, Topology } from '../../topology/model.js';
import type { Level } from '../../wires/index.js';
import { Boards } from '../boards.js';
import { layOut } from '../layout.js';
import type { RunNode } from '../node.js';
import { type BoardTraits, FakeBoard, type Wall } from './fake-board.js';

/** What a guest does at an instant, and how much wall time that takes. */
export interface Deed {
  readonly at: bigint;
  readonly wallNs?: bigint;
  readonly act?: () => void;
}

/** A guest that does what it is told, each at its instant. */
export class FakeGuest implements Participant {
  now: Instant = ZERO;
  host: ParticipantHost | undefined;

  constructor(
    readonly id: number,
    readonly name: string,
    readonly node: RunNode,
    readonly domain: Domain,
    private readonly deeds: Iterator<Deed>,
    private readonly wall: Wall,
  ) {
    this.#next = this.#take();
  }

  #next: Deed | undefined;

  get wake(): Instant {
    return this.#next ? later(this.now, instant(this.#next.at)) : NEVER;
  }

  run(at: Instant): void {
    this.now = at;
    const deed = this.#next as Deed;
    this.wall.in(deed.wallNs ?? 0n, () => {
      deed.act?.();
      this.#next = this.#take();
      this.host?.quiet();
    });
  }

  curtail(until: Instant): void {
    if (until < this.now)
      throw new Error(`T1: ${this.name} is at ${this.now}, and was curtailed to ${until}`);
  }

  reach(at: Instant): void {
    if (at < this.now) throw new Error(`T6: ${this.name} is at ${this.now}, and was reached at ${at}`);
    this.now = at;
  }

  #take(): Deed | undefined {
    const { done, value } = this.deeds.next();
    return done ? undefined : value;
  }
}

export interface WorldOptions {
  readonly topology: Topology;
  readonly boards?: { readonly [name: string]: BoardTraits };
  readonly guests?: { readonly [name: string]: Iterable<Deed> };
  /** The longest that the machine takes to look at what is due, in wall time. */
  readonly sleepyNs?: () => bigint;
}

/** Boards and guests of a topology on the real calendar, in a wall time that the test moves. */
export class BoardWorld {
  /** What has happened, with the boards' time. */
  readonly log: string[] = [];
  readonly fakes: FakeBoard[];
  readonly guests: FakeGuest[] = [];
  readonly boards: Boards;
  readonly calendar: Calendar;
  ended: string | undefined;
  readonly #lookahead: Lookahead;
  #senses = 0;
  readonly #sleepyNs: () => bigint;

  constructor(
    readonly wall: Wall,
    register: (board: FakeBoard) => void,
    { topology, boards = {}, guests = {}, sleepyNs = () => 0n }: WorldOptions,
  ) {
    this.#sleepyNs = sleepyNs;
    this.calendar = new Calendar({
      jobs: 4,
      until: topology.until ?? NEVER,
      activated: () => undefined,
      barrier: () => undefined,
      ended: (end, at) => {
        this.ended = `${end} ${at}`;
      },
    });
    const layout = layOut(topology);
    const say = (node: RunNode, text: string) => this.log.push(`${node.spec.name} ${text}`);
    let made: Boards | undefined;
    const timelines: Timeline[] = Array.from({ length: layout.domains }, (_, index) => {
      if (index !== layout.boards) return this.calendar.addDomain();
      made = new Boards(topology, this.calendar, {
        level: (at, level) => this.log.push(`${at} line ${level}`),
        senses: (node, line, level, at) => {
          const { index: source } = node.spec;
          const event = { at, kind: EventKind.EDGE, source, sequence: this.#senses++ };
          made?.timeline.post(node.domain, { ...event, apply: () => node.gpio?.sense(line, level) });
        },
        console: (node, at, bytes) => say(node, `says ${Buffer.from(bytes)} at ${at}`),
        ended: (node, at, end) =>
          say(node, `ended with ${'code' in end ? end.code : `signal ${end.signal}`} at ${at}`),
        failed: (node, error) => say(node, `failed: ${error.message}`),
        stuck: (error) => {
          this.log.push(`stuck: ${error.message}`);
          this.ended ??= 'stuck';
        },
      });
      return made.timeline;
    });
    this.boards = made as Boards;
    this.fakes = [];
    for (const spec of topology.nodes) {
      const timeline = timelines[layout.nodeDomain[spec.index] as number] as Timeline;
      if (spec.board) this.#addBoard(spec, timeline, boards[spec.name] ?? {}, register);
      else this.#addGuest(spec, timeline as Domain, guests[spec.name] ?? []);
    }
    this.#lookahead = new Lookahead(layout.domains);
    for (const { from, to, latency } of layout.ways) this.#lookahead.connect(from, to, latency);
  }

  guest(name: string): FakeGuest {
    return this.guests.find((each) => each.name === name) as FakeGuest;
  }

  board(name: string): FakeBoard {
    return this.fakes.find((each) => each.name === name) as FakeBoard;
  }

  /** The node of a board. */
  node(name: string): RunNode {
    return this.boards.list.find(({ node }) => node.spec.name === name)?.node as RunNode;
  }

  /** A guest drives its only line, at its present instant. */
  drive(name: string, level: Level | undefined): void {
    const { node, domain } = this.guest(name);
    this.boards.drive(node, domain, 0, level);
  }

  async begin(): Promise<void> {
    await this.boards.prepare();
    this.log.push('begin');
    this.calendar.start(this.#lookahead);
  }

  /** Goes on as a run does, until it ends or `over`. */
  go(over: () => boolean = () => false): void {
    for (let turns = 0; this.ended === undefined && !over(); turns++) {
      if (turns > 200_000) throw new Error(`no end: ${this.log.slice(-5).join('; ')}`);
      const ms = this.boards.step();
      if (this.ended !== undefined) return;
      this.wall.pass(BigInt(Math.ceil(Math.min(ms, 20) * 1e6)) + this.#sleepyNs());
    }
  }

  #addBoard(
    spec: NodeSpec,
    domain: Timeline,
    traits: BoardTraits,
    register: (board: FakeBoard) => void,
  ): void {
    const fake = new FakeBoard(spec.name, this.wall, traits);
    this.fakes.push(fake);
    register(fake);
    const sense = (line: number, level: Level) => {
      if (spec.lines[line] === spec.board?.pause) fake.sense(level);
    };
    const gpio = { sense, isSettled: () => fake.isSettled };
    this.boards.add({ spec, domain, gpio } as unknown as RunNode, fake.machine);
  }

  #addGuest(spec: NodeSpec, domain: Domain, deeds: Iterable<Deed>): void {
    const sense = (line: number, level: Level) =>
      this.log.push(`${domain.now} ${spec.name}.${spec.lines[line]} sees ${level}`);
    const node = { spec, domain, gpio: { sense } } as unknown as RunNode;
    const guest = new FakeGuest(spec.index, spec.name, node, domain, deeds[Symbol.iterator](), this.wall);
    guest.host = domain.add(guest);
    this.guests.push(guest);
    this.boards.addGuest(node, domain);
  }
}
