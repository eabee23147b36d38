// SPDX-License-Identifier: MIT
import type { BoardEvent } from '../../protocols/board/index.js';
import type { Calendar, Domain, RealTime } from '../calendar/index.js';
import { after, EventKind, type Instant, instant, later, REAL_TIME_WINDOW, ZERO } from '../calendar/index.js';
import { OneclockError } from '../errors.js';
import type { LiveGuest } from '../participants/live-guest.js';
import type { Topology, WireSpec } from '../topology/model.js';
import type { Level } from '../wires/index.js';
import type { Board, BoardOwner } from './board.js';
import { BoardClock } from './board-clock.js';
import { type BoardMachine, BoardNode } from './board-node.js';
import { BoardTimes } from './board-times.js';
import { CONTROLLER, FreezeLine } from './freeze-line.js';
import type { Copper } from './host-line.js';
import { LiveNode } from './live-node.js';
import type { RunNode } from './node.js';
import type { Recorder } from './recording.js';
import type { BoardResult, NodeResult } from './result.js';

/** How long all boards may take to say that they are frozen, before the run begins. */
const FREEZE_MS = 5_000;

/** How long a board may take to see an edge of the line, before the next one comes all the same. */
const EDGE_MS = 100;
/** How long what agents say waits at most: they are not heard by the hub. */
const LISTEN_MS = 1;

/** A rise of the line by a guest, on its way to the boards. */
interface Raise {
  readonly at: Instant;
  /** Whoever it was has let go of the line since. */
  dropped: boolean;
}

export interface BoardsOwner {
  /** The level of the line that freezes boards has changed. */
  level(at: Instant, level: Level): void;
  /** A guest is to sense that at one of its lines, at `at`. */
  senses(node: RunNode, line: number, level: Level, at: Instant): void;
  console(node: RunNode, at: Instant, bytes: Uint8Array): void;
  /** Its `run` has ended at `at` by its own clock. */
  ended(node: RunNode, at: Instant, end: { readonly code: number } | { readonly signal: number }): void;
  failed(node: RunNode, error: OneclockError): void;
  /** Nothing can go on any more. */
  stuck(error: OneclockError): void;
}

/**
 * The boards of a run, and what holds guests and boards to one clock. Guests are never granted time past that of the
 * boards by more than the lookahead, which is the calendar's business; here, boards are frozen where they would come to
 * a time that guests can still reach, and let go when guests have nothing left to do before they are.
 */
export class Boards {
  readonly timeline: RealTime;
  readonly #clock = new BoardClock();
  readonly #line = new FreezeLine((level) => this.#edge(level));
  readonly #times: BoardTimes;
  readonly #boards: Board[] = [];
  readonly #wire: WireSpec;
  /** Guests with a pin on the line. */
  readonly #guests: { readonly node: RunNode; readonly domain: Domain }[] = [];
  /** By how much the clock was corrected; nanoseconds. */
  #corrected = 0n;
  #started = false;
  #frozenSince = 0;
  #watchdogAt = 0;
  #edgeAt = 0;
  /** Who raised the line last. */
  #raisedBy = '';
  /** Of wall time. */
  #beganMs = 0;
  #endedMs = 0;
  #edges = 0;
  /** By which guests hold the line up, or are about to, by holder. */
  readonly #raised = new Map<string, Raise>();

  constructor(
    topology: Topology,
    private readonly calendar: Calendar,
    private readonly owner: BoardsOwner,
    private readonly recorder?: Recorder,
  ) {
    recorder?.follow(() => this.#clock.now());
    this.timeline = calendar.addRealTime(() => recorder?.now ?? this.#clock.now());
    this.#wire = topology.wires.find(({ role }) => role === 'freeze') as WireSpec;
    this.#times = new BoardTimes(topology.nodes.filter(({ board }) => board).length);
  }

  get list(): readonly Board[] {
    return this.#boards;
  }

  get edges(): number {
    return this.#line.edges;
  }

  add(node: RunNode, machine: BoardMachine): Board {
    return this.#add(node, (place, owner) => new BoardNode(node, place, machine, owner));
  }

  addLive(node: RunNode, guest: LiveGuest): Board {
    return this.#add(node, (place, owner) => new LiveNode(node, place, guest, owner));
  }

  #add(node: RunNode, make: (place: number, owner: BoardOwner) => Board): Board {
    const board = make(this.#boards.length, {
      event: (event) => this.#event(board, event),
      failed: (error) => this.owner.failed(node, error),
    });
    this.#boards.push(board);
    return board;
  }

  addGuest(node: RunNode, domain: Domain): void {
    if (this.#wire.pins.some((pin) => pin.node === node.spec.name)) this.#guests.push({ node, domain });
  }

  /** Joins the line that freezes boards to copper, where boards elsewhere are. */
  join(copper: Copper): void {
    this.#line.join(copper);
  }

  /** Whether the line at `offset` of a node is a pin of the wire that freezes boards. */
  owns(node: RunNode, offset: number): boolean {
    const line = node.spec.lines[offset];
    return this.#wire.pins.some((pin) => pin.node === node.spec.name && pin.line === line);
  }

  /** Starts every board, freezes it and starts its `run`. Bounded. @throws OneclockError PARTICIPANT */
  async prepare(): Promise<void> {
    await Promise.all(this.#boards.map((board) => board.prepare()));
    this.#expectDown();
    this.#line.raise(CONTROLLER);
    await Promise.all(this.#boards.map((board) => this.#expectFrozen(board)));
    await Promise.all(
      this.#boards.map(async (board) => {
        const { time, pauses, frozenNs } = await board.begin();
        this.#times.begin(board.place, time.monotonicNs - time.frozenNs, pauses, frozenNs);
      }),
    );
    this.#started = true;
    this.#beganMs = performance.now();
  }

  /**
   * Lets happen what is due, and freezes the boards or lets them go.
   *
   * @returns the milliseconds for which there is nothing to do but to hear messages
   */
  step(): number {
    const { timeline, calendar } = this;
    if (this.recorder) this.recorder.deliver(timeline);
    else timeline.deliver();
    let now = this.#clock.now();
    if (timeline.outbox.length > 0 || now >= calendar.wake) calendar.resume();
    now = this.#clock.now();
    const holds = this.#line.isHeldBy(CONTROLLER);
    if (now >= timeline.horizon) {
      if (!holds && this.#edgeIsSeen) this.#line.raise(CONTROLLER);
      if (this.#line.level === 0) return LISTEN_MS;
    } else if (holds && calendar.waiting && this.#edgeIsSeen) {
      this.#line.lower(CONTROLLER);
    }
    if (this.#line.level === 1) return Math.min(this.#watch(), LISTEN_MS);
    const next = [timeline.due, calendar.wake, timeline.horizon].reduce((a, b) => (a < b ? a : b));
    return Math.min(Math.max(Number(next - this.#clock.now()) / 1e6, 0), LISTEN_MS);
  }

  /** Whether every board has seen the last edge: one that comes too soon after it would be missed, or hide it. */
  get #edgeIsSeen(): boolean {
    if (performance.now() - this.#edgeAt > EDGE_MS) return true;
    return this.#boards.every((board) => board.isGone || board.isSettled);
  }

  /** A guest drives the line, at the present instant of its domain; or a board does, now. */
  drive(node: RunNode, domain: Domain | undefined, offset: number, level: Level | undefined): void {
    const holder = `${node.spec.name}.${node.spec.lines[offset]}`;
    if (domain === undefined) {
      if (level === 1) this.#line.raise(holder);
      else this.#line.lower(holder);
      return;
    }
    const before = this.#raised.get(holder);
    if ((level === 1) === (before !== undefined)) return;
    const post = (at: Instant, apply: () => void) => {
      const [source, sequence] = [node.spec.index, this.#edges++];
      domain.post(this.timeline, { at, kind: EventKind.EDGE, source, sequence, apply });
    };
    if (before === undefined) {
      const raise = { at: after(domain.now, this.#wire.latency), dropped: false };
      this.#raised.set(holder, raise);
      post(raise.at, () => {
        if (!raise.dropped) this.#line.raise(holder);
      });
    } else {
      this.#raised.delete(holder);
      // Boards stay where they are until the line falls: that happens as soon as it is known.
      post(later(before.at, this.timeline.now), () => this.#line.lower(holder));
    }
  }

  /** A node lets go of the line, or has gone. */
  release(node: RunNode): void {
    for (const pin of this.#wire.pins) {
      if (pin.node !== node.spec.name) continue;
      const holder = `${pin.node}.${pin.line}`;
      const raise = this.#raised.get(holder);
      if (raise) raise.dropped = true;
      this.#raised.delete(holder);
      this.#line.lower(holder);
    }
  }

  /** The board takes no part any more. */
  gone(board: Board): void {
    this.#times.gone(board.place);
    this.release(board.node);
    board.close();
  }

  /** What the result says of a board and not of guests; nothing where the node is no board, or never began. */
  resultOf(node: RunNode): Omit<BoardResult, keyof NodeResult> | undefined {
    const board = this.#boards.find((each) => each.node === node);
    const times = board && this.#times.of(board.place);
    if (!times) return undefined;
    const { freezes, pauseNs, resumeNs, skewNs } = times;
    // The run may end within a freeze, of which the board has not told.
    const unfinished = this.#clock.frozen ? Math.max(this.#endedMs - this.#frozenSince, 0) : 0;
    const frozenNs = times.frozenNs + BigInt(Math.round(unfinished * 1e6));
    const fraction = Math.min(Number(frozenNs) / 1e6 / (this.#endedMs - this.#beganMs), 1);
    return {
      freezes,
      frozenNs: frozenNs.toString(),
      frozenFraction: Math.round(fraction * 1e4) / 1e4,
      pauseNs,
      resumeNs,
      skewNs,
      clock: board.clock ?? 'unknown',
    };
  }

  /** Has every board put back. Bounded. */
  async end(): Promise<void> {
    this.#endedMs = performance.now();
    await Promise.all(this.#boards.map((board) => board.release()));
  }

  /** Boards are frozen by an edge, and there is none where the line is up already. */
  #expectDown(): void {
    const { holders } = this.#line;
    if (holders.length === 0) return;
    throw new OneclockError(
      'PARTICIPANT',
      `the wire that freezes boards is up before the run begins, held by ${holders.join(' and ')}: let go of it, or look ` +
        'for what else is connected there',
    );
  }

  async #expectFrozen(board: Board): Promise<void> {
    const deadline = performance.now() + FREEZE_MS;
    while (!(await board.isFrozen())) {
      if (performance.now() < deadline) continue;
      const { name } = board.node.spec;
      throw new OneclockError(
        'PARTICIPANT',
        `${name} does not freeze: its pause line, ${board.spec.pause}, sees no edge within ${FREEZE_MS / 1000} s`,
      );
    }
  }

  /** The line has changed: the boards see it at once, and guests as soon as virtual time lets them. */
  #edge(level: Level): void {
    const clock = this.#clock;
    const at = clock.now();
    this.#edgeAt = performance.now();
    if (level === 1) {
      this.#raisedBy = this.#line.holders.join(' and ');
      clock.freeze();
      this.#frozenSince = performance.now();
      this.#watchdogAt = this.#frozenSince + this.#patienceMs;
      if (this.#started) this.#times.freeze(clock.reading, this.#corrected);
    } else {
      if (this.#started) clock.resume();
      for (const board of this.#boards) board.extendWatchdog(0);
    }
    for (const { node: name, line } of this.#wire.pins) this.#sense(name, line, level);
    this.owner.level(clock.frozen ? clock.now() : at, level);
  }

  #sense(name: string, line: string, level: Level): void {
    const board = this.#boards.find(({ node }) => node.spec.name === name);
    if (board) {
      board.sense(line, level);
      return;
    }
    const guest = this.#guests.find(({ node }) => node.spec.name === name);
    if (!guest) return;
    const { node } = guest;
    // Nobody is granted time up to there.
    const at = after(this.#clock.now(), REAL_TIME_WINDOW);
    this.owner.senses(node, node.spec.lines.indexOf(line), level, at);
  }

  /** While boards are frozen: keeps their watchdogs from letting them go, and finds out when nothing can go on. */
  #watch(): number {
    const now = performance.now();
    const { holders } = this.#line;
    if (now >= this.#watchdogAt) {
      // A board that freezes the others for so long is what their watchdogs are for.
      const ours = holders.some((holder) => holder === CONTROLLER || this.#isGuests(holder));
      if (ours) for (const board of this.#boards) board.extendWatchdog(now - this.#frozenSince);
      this.#watchdogAt = now + this.#patienceMs;
    }
    const { timeline, calendar } = this;
    const idle = calendar.waiting && timeline.due > timeline.now;
    if (idle && holders.length > 0 && holders.every((holder) => this.#isGuests(holder))) {
      const who = holders.join(' and ');
      this.owner.stuck(
        new OneclockError(
          'PARTICIPANT',
          `${who} freezes the boards, and no guest may go further than they are: it has to lower the line ` +
            'before anything else happens in virtual time',
        ),
      );
    }
    return this.#watchdogAt - now;
  }

  /** How often watchdogs have to hear of us. */
  get #patienceMs(): number {
    return Math.min(...this.#boards.map(({ watchdogMs }) => watchdogMs)) / 2;
  }

  #isGuests(holder: string): boolean {
    return this.#guests.some(({ node }) => holder.startsWith(`${node.spec.name}.`));
  }

  #event(board: Board, event: BoardEvent): void {
    const { node } = board;
    switch (event.type) {
      case 'paused':
        this.#times.paused(board.place, event);
        break;
      case 'resumed': {
        if (event.watchdogReleases > board.watchdogReleases) this.#watchdogFired(board);
        for (const correction of this.#times.resumed(board.place, event)) this.#follow(correction);
        break;
      }
      case 'console':
        this.owner.console(node, this.#boardTime(board, event.time), event.data);
        break;
      case 'exited':
        if (event.run === board.run) this.owner.ended(node, this.#boardTime(board, event.time), event);
        break;
      case 'problem':
        this.owner.failed(node, new OneclockError('PARTICIPANT', `${node.spec.name}: ${event.text}`));
        break;
    }
  }

  #boardTime(board: Board, time: { readonly monotonicNs: bigint; readonly frozenNs: bigint }): Instant {
    return this.#started ? instant(this.#times.sinceBegin(board.place, time)) : ZERO;
  }

  #watchdogFired(board: Board): void {
    const { name } = board.node.spec;
    this.owner.failed(
      board.node,
      new OneclockError('PARTICIPANT', `${name} was let go by its watchdog while ${this.#raisedBy} froze it`),
    );
  }

  /** Lets the clock follow what the boards' own clocks were on the average. */
  #follow(correction: bigint): void {
    this.#clock.correct(correction - this.#corrected);
    this.#corrected = correction;
  }
}
