// SPDX-License-Identifier: MIT
import { openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { groupCpuMs, NativeHub } from '../../host/native/index.js';
import {
  after,
  Calendar,
  type Domain,
  duration,
  EventKind,
  earlier,
  formatInstant,
  type Instant,
  type Interrupt,
  LONGEST_WINDOW,
  Lookahead,
  later,
  NEVER,
  type ParticipantHost,
  type RealTime,
  type Timeline,
  ZERO,
} from '../calendar/index.js';
import { OneclockError } from '../errors.js';
import type { Guest } from '../participants/guest.js';
import type { LiveGuest } from '../participants/live-guest.js';
import { StoppableClock } from '../participants/stoppable-clock.js';
import type { NodeSpec, Topology } from '../topology/model.js';
import { logHeader } from '../trace/log-header.js';
import { RunLog } from '../trace/run-log.js';
import type { Level } from '../wires/index.js';
import { remoteMachine, virtualMachine } from './board-machines.js';
import { Boards, type BoardsOwner } from './boards.js';
import { Captures } from './captures.js';
import { Changes } from './changes.js';
import { ConsoleLogs } from './console-logs.js';
import { CostMeter } from './cost.js';
import { createGuest, createLiveGuest, type GuestSite } from './guests.js';
import { HostCard } from './host-card.js';
import { HostLines } from './host-lines.js';
import { type Layout, layOut } from './layout.js';
import { Memory } from './memory.js';
import { Network } from './network.js';
import { type Life, type NodeOwner, RunNode } from './node.js';
import { PERSONS_LATENCY, Persons } from './persons.js';
import { PersonsClock } from './persons-clock.js';
import { PersonsServer } from './persons-server.js';
import { Placement } from './placement.js';
import { Processors } from './processors.js';
import { pump, WAIT_MS } from './pump.js';
import type { Recorder } from './recording.js';
import { ReplayedBoards } from './recording-boards.js';
import { type Recording, type RecordingSource, record } from './recording-file.js';
import { Player, type PlayerOwner } from './recording-player.js';
import type { BoardResult, RunResult } from './result.js';
import { prepareRunDirectory } from './run-directory.js';
import { RunFolder } from './run-folder.js';
import { type Script, Stage } from './stage.js';
import { summarize } from './summarize.js';
import { SharedVariables } from './variables.js';
import { Wires, type WiresObserver } from './wires.js';

/** How long guests that were killed may take to end. */
const REAP_MS = 5_000;
/** How far the console logs may lag behind while the run goes on; wall time. */
const CONSOLE_MS = 100;
/** How long messages of boards wait at most while the run is being prepared, in milliseconds. */
const PREPARE_STEP_MS = 1;
const ONE = duration(1n);

export interface RunOptions {
  /** The run directory; undefined: nothing is kept. */
  readonly out: string | undefined;
  /** Domains that may run at once. */
  readonly jobs: number;
  /** Whether guests get a page of shared memory. */
  readonly sharedMemory: boolean;
  /** The run fails after this much wall time; undefined: never. */
  readonly maxWallMs: number | undefined;
  /** A guest that runs for this much wall time without a message hangs. */
  readonly hangMs: number;
  /** Undefined: nothing but the topology happens. */
  readonly script?: Script | undefined;
  /** Whether its guests do what they are told (see {@link RunNode.session}); those of a script do. */
  readonly agents?: boolean;
  /** Whether persons may come (oneclock shell): it goes no faster than wall time, its guests have agents, and there is `out`. */
  readonly interactive?: boolean;
  /** What is run, where what comes from real time is to be recorded in `out`, which there is. */
  readonly record?: RecordingSource;
  /** A recording of a run of the same topology, which takes the place of everything in real time. */
  readonly replay?: Recording;
  /** Called between turns, tens of times a second. */
  progress?(run: Run): void;
}

/** A guest in virtual time. */
interface Participating {
  readonly guest: Guest;
  /** What the calendar sees of it. */
  readonly clock: StoppableClock;
  readonly host: ParticipantHost;
  readonly domain: Domain;
}

/** The owner of a node that does nothing by itself. */
const NOBODY: NodeOwner = {
  acts: () => true,
  transmit: () => undefined,
  console: () => undefined,
  drive: () => undefined,
  released: () => undefined,
  reported: () => undefined,
  failed: () => undefined,
};

/** One run of one topology. */
export class Run {
  readonly nodes: RunNode[] = [];
  readonly #participants = new Map<RunNode, Participating>();
  /** Guests that a script has ended. */
  readonly #ended: Guest[] = [];
  /** What they have used, by node. */
  readonly #endedCpuMs: number[] = [];
  /** Undefined: there are none. */
  #boards: Boards | ReplayedBoards | undefined;
  /** Undefined: nothing is in real time. */
  readonly #realTime: RealTime | undefined;
  #senses = 0;
  readonly #recorder: Recorder | undefined;
  readonly #player: Player | undefined;
  readonly #personsClock: PersonsClock | undefined;
  #persons: Persons | undefined;
  #personsServer: PersonsServer | undefined;
  readonly #hub = new NativeHub();
  readonly #hostLines = new HostLines(this.#hub, (error) => this.abort(error));
  /** Those of boards elsewhere, by node and interface. */
  readonly #cards = new Map<RunNode, Map<string, HostCard>>();
  readonly #calendar: Calendar;
  readonly #layout: Layout;
  readonly #lookahead: Lookahead;
  readonly #network: Network;
  readonly #wires: Wires;
  readonly #changes: Changes;
  /** Undefined: there is no script. */
  #stage: Stage | undefined;
  readonly #variables: SharedVariables;
  readonly #folder = new RunFolder();
  readonly #log: RunLog;
  readonly #consoles: ConsoleLogs;
  readonly #captures: Captures | undefined;
  readonly #cost: CostMeter | undefined;
  readonly #processors: Processors;
  readonly #memory: Memory;
  readonly #started = performance.now();
  #consolesFlushed = 0;
  readonly #placement: Placement;
  #safe: Instant = ZERO;
  /** When a guest failed; 0 where none has. */
  #failedAt: Instant = ZERO;
  #broadcasts = 0;
  #inputs = 0;
  /** When the last node with `run` ended. */
  #finishedAt: Instant | undefined;
  #end: { readonly reason: string; readonly at: Instant } | undefined;
  #error: unknown;

  /** @throws OneclockError `MACHINE` or `INPUT` where the run cannot begin; nothing is left behind */
  constructor(
    readonly topology: Topology,
    private readonly options: RunOptions,
  ) {
    this.#memory = new Memory(topology.nodes.length);
    this.#placement = new Placement(
      { groups: () => new Set(this.#pids().values()), threads: () => this.#threads() },
      options.jobs,
    );
    this.#layout = layOut(topology, options.script !== undefined);
    const { boards, domains: virtual } = this.#layout;
    const interactive = options.replay?.header.interactive ?? options.interactive ?? false;
    // Persons are where boards are, or alone.
    const real = boards ?? (interactive ? virtual : undefined);
    const timelines = Math.max(virtual, (real ?? 0) + 1);
    const { out } = options;
    if (out !== undefined) prepareRunDirectory(out);
    if (options.record && out !== undefined) {
      const { seed, until } = topology;
      this.#recorder = record(out, options.record, {
        seed,
        until,
        interactive,
        messagesOnly: !options.sharedMemory,
      });
    }
    if (options.replay) this.#player = new Player(options.replay);
    this.#lookahead = new Lookahead(timelines);
    this.#calendar = new Calendar({
      jobs: options.jobs,
      until: topology.until ?? NEVER,
      activated: (participant, at) => {
        this.#log.activation(at, participant.id);
        this.#cost?.activated(participant.id);
      },
      rested: ({ id }) => this.#cost?.rested(id),
      closing: () => {
        this.#recorder?.closing();
        this.#player?.play();
      },
      barrier: (safe) => this.#barrier(safe),
      opened: () => {
        this.#recorder?.opened(this.#calendar.waiting);
        this.#placement.window(this.#calendar.activations);
      },
      ended: (end, at) => {
        this.#end ??= { reason: end, at: this.#finishedAt ?? at };
      },
    });
    const domains: Timeline[] = [];
    let realTime: RealTime | undefined;
    for (let index = 0; index < timelines; index++) {
      if (index !== real) {
        domains.push(this.#calendar.addDomain());
        continue;
      }
      if (this.#player) this.#boards = new ReplayedBoards(topology, this.#calendar, this.#player);
      else if (boards !== undefined) this.#boards = this.#makeBoards();
      else this.#personsClock = new PersonsClock(this.#calendar, this.#recorder);
      realTime = (this.#boards ?? this.#personsClock)?.timeline;
      domains.push(realTime as RealTime);
    }
    this.#realTime = realTime;
    this.#captures = out === undefined ? undefined : new Captures(topology, join(out, 'pcap'));
    if (out !== undefined) this.#cost = this.#meter(out);
    this.#consoles = new ConsoleLogs(
      topology.nodes.map((node) => node.name),
      out === undefined ? undefined : join(out, 'console'),
    );
    const logFile = out === undefined ? undefined : openSync(join(out, 'trace'), 'w', 0o644);
    this.#log = new RunLog(logFile, logHeader(topology));
    this.#network = new Network(topology, this.#layout, domains, {
      sent: (at, from, frame, fate, arrives) => {
        this.#log.frameSent(at, from.node, from.interface, frame.bytes.length, frame.crc, fate, arrives);
        this.#captures?.sent(at, from, frame, fate);
        this.#stage?.sent(at, from, frame, fate);
      },
      received: (at, to, frame, taken) => {
        this.#log.frameReceived(at, to.node, to.interface, frame.bytes.length, frame.crc, !taken);
        this.#captures?.received(at, to, frame);
        this.#stage?.received(at, to, frame, taken);
        this.#memory.touched();
      },
    });
    const scripted = this.#layout.script === undefined ? undefined : (domains[this.#layout.script] as Domain);
    const wiresObserver: WiresObserver = {
      driven: (at, node, line, drive) => {
        this.#log.drive(at, node, line, drive === undefined ? 'released' : drive === 1 ? 'high' : 'low');
      },
      level: (at, wire, level) => {
        this.#log.level(at, this.#log.wire(wire), level === 1);
        this.#stage?.level(at, wire, level);
      },
      conflict: (at, wire, text) => this.#log.fault(at, this.#log.wire(wire), text),
    };
    this.#wires = new Wires(topology, this.#layout, domains, wiresObserver, scripted);
    this.#variables = new SharedVariables(topology, this.#layout, domains, {
      changed: (at, node, shared, value, ticks) => this.#log.variableChanged(at, node, shared, value, ticks),
      stored: (at, node, shared, value, origin, sequence) =>
        this.#log.variableStored(at, node, shared, value, origin, sequence),
    });
    this.#processors = new Processors(topology, this.#layout, domains as Domain[], this.#log);
    this.#changes = new Changes(topology, this.#layout, {
      calendar: this.#calendar,
      lookahead: this.#lookahead,
      network: this.#network,
      wires: this.#wires,
      log: this.#log,
      changed: () => this.#setPatience(),
    });
    try {
      for (const spec of topology.nodes) this.#createNode(spec, domains);
      if (scripted && options.script) this.#stage = this.#setStage(scripted, options.script);
      if (realTime && interactive) this.#expectPersons(realTime);
      if (realTime) this.#player?.begin(this.#playerOwner(realTime));
      this.#joinCopper();
      this.#setPatience();
    } catch (error) {
      this.dispose();
      throw error;
    }
  }

  /** Everything before it has happened. */
  get virtualTime(): Instant {
    return this.#safe;
  }

  get wallMs(): number {
    return performance.now() - this.#started;
  }

  get events(): number {
    return this.#calendar.events;
  }

  /** Runs to the end. Never rejects: whatever went wrong is in the result. */
  async execute(): Promise<RunResult> {
    try {
      await this.#prepareBoards();
      if (this.#error === undefined) {
        this.#calendar.start(this.#lookahead);
        await pump(
          this.#hub,
          () => this.#over,
          () => this.#turn(),
          () => this.#patienceMs(),
        );
      }
      // What nodes do while they are taken down is no part of the run.
      this.#recorder?.close();
    } catch (error) {
      this.#error ??= error;
    }
    const wallMs = this.wallMs;
    const cpuMs = groupCpuMs(new Set([...this.#pids().values(), ...this.#boardPids().values()]));
    this.#placement.release();
    await this.#boards?.end();
    await this.#stage?.close(this.#end?.at ?? this.#safe);
    this.#takeDown();
    return this.#result(wallMs, cpuMs);
  }

  /** Calls `act` at `at`, in the order of the calls, as something that is done to `node`. Not where that has happened. */
  at(at: Instant, node: RunNode, act: () => void): void {
    const input = { at, kind: EventKind.INPUT, source: node.spec.index, apply: act };
    this.#calendar.at(at, () => node.domain.accept({ ...input, sequence: this.#inputs++ }));
  }

  /** Ends the run before its time. */
  abort(error: OneclockError): void {
    this.#error ??= error;
  }

  /** Something of the script failed that it does not await. */
  scriptFailed(error: unknown): void {
    this.#stage?.fail(error);
  }

  /** Kills every guest and removes every temporary file, at once. Safe at any time, and twice. */
  dispose(): void {
    this.#personsServer?.close();
    this.#closeGuests();
    this.#hostLines.close();
    for (const cards of this.#cards.values()) for (const card of cards.values()) card.close();
    this.#hub.close();
    this.#folder.remove();
  }

  get #over(): boolean {
    if (this.#error !== undefined) return true;
    // A guest that was quiet when it died holds nobody up, and its failure must not be missed.
    return this.#end !== undefined && ![...this.#participants.values()].some(({ guest }) => guest.ending);
  }

  get #guests(): Guest[] {
    return [...[...this.#participants.values()].map(({ guest }) => guest), ...this.#ended];
  }

  #pids(): Map<string, number> {
    const pids = new Map<string, number>();
    for (const [node, { guest }] of this.#participants) {
      if (guest.pid !== undefined) pids.set(node.spec.name, guest.pid);
    }
    return pids;
  }

  /** Of this process, those that run guests. */
  #threads(): number[] {
    return [...this.#participants.values()].flatMap(({ guest }) => guest.thread ?? []);
  }

  /** Where virtual boards run, by node. */
  #boardPids(): Map<string, number> {
    const pids = new Map<string, number>();
    for (const { node, pid } of this.#boards?.list ?? []) {
      if (pid !== undefined) pids.set(node.spec.name, pid);
    }
    return pids;
  }

  #makeBoards(): Boards {
    const [owner, recorder] = [this.#boardsOwner(), this.#recorder];
    return new Boards(this.topology, this.#calendar, recorder?.boards(owner) ?? owner, recorder);
  }

  #boardsOwner(): BoardsOwner {
    const wire = this.topology.wires.findIndex(({ role }) => role === 'freeze');
    return {
      level: (at, level) => {
        if (this.#boards instanceof ReplayedBoards) this.#boards.edges++;
        this.#log.level(at, this.#log.wire(wire), level === 1);
      },
      senses: (node, line, level, at) => {
        const event = { at, kind: EventKind.EDGE, source: node.spec.index, sequence: this.#senses++ };
        this.#realTime?.post(node.domain, { ...event, apply: () => node.gpio?.sense(line, level) });
      },
      console: (node, at, bytes) => {
        this.#log.consoleOutput(node.domain.now, node.spec.index, bytes);
        this.#consoles.write(node.spec.index, at, bytes);
      },
      ended: (node, at, end) => {
        node.state = 'code' in end ? 'exited' : 'killed';
        if ('code' in end) node.exit = end.code;
        else node.signal = end.signal;
        node.endedAt = at;
        node.heardAt = node.domain.now;
        this.#reported(node);
      },
      failed: (node, error) => this.#failed(node, error, false),
      stuck: (error) => this.abort(error),
    };
  }

  #playerOwner(timeline: RealTime): PlayerOwner {
    return {
      timeline,
      nodes: this.nodes,
      boards: this.#boardsOwner(),
      persons: this.#persons,
      ended: (error) => {
        this.#error ??= error;
        this.#calendar.finish();
      },
    };
  }

  #expectPersons(timeline: RealTime): void {
    const guests = this.topology.nodes.filter(({ board }) => !board);
    for (const domain of new Set(guests.map(({ index }) => this.#layout.nodeDomain[index] as number))) {
      this.#lookahead.connect(timeline.index, domain, PERSONS_LATENCY);
    }
    this.#persons = new Persons({
      timeline,
      nodes: this.nodes,
      input: (what, act) => {
        if (this.#recorder) {
          this.#recorder.input(what, act);
          return;
        }
        what();
        act();
      },
      act: (at, node, text) => this.#log.act(at, node, text),
    });
    const { out } = this.options;
    if (this.#player || out === undefined) return;
    this.#personsServer = new PersonsServer(this.#folder.path, out, this.#persons, (error) =>
      this.abort(error),
    );
  }

  /** For how many milliseconds there is nothing to do but to hear messages. */
  #patienceMs(): number {
    const patience = (this.#boards ?? this.#personsClock)?.step() ?? WAIT_MS;
    // A script is no message: it needs a turn of the event loop.
    return this.#stage?.participant.busy ? 0 : patience;
  }

  #setStage(domain: Domain, script: Script): Stage {
    const withBoards = new Set(
      this.#layout.ways
        .filter(({ from, to }) => [from, to].includes(this.#layout.boards ?? -1))
        .map(({ name }) => name),
    );
    return new Stage(
      {
        topology: this.topology,
        domain,
        log: this.#log,
        network: this.#network,
        wires: this.#wires,
        changes: this.#changes,
        node: (name) => this.nodes.find(({ spec }) => spec.name === name) as RunNode,
        reaches: (name) => !withBoards.has(name),
        kill: (node) => this.#kill(node),
        start: (node) => this.#startAgain(node, domain),
        hold: (node) =>
          this.#withGuest(node, ({ clock }) => {
            domain.hold(clock);
            clock.stop(domain.now);
          }),
        letGo: (node) =>
          this.#withGuest(node, ({ clock }) => {
            clock.go(domain.now);
            domain.letGo(clock, node.spec.index);
          }),
        ended: (end) => {
          // A script that has failed waits for nobody.
          if ('error' in end) this.#finishAt(end.at);
          else this.#finishIfDone();
        },
      },
      script,
    );
  }

  /** Makes every board ready to begin. Bounded, as each step is. */
  async #prepareBoards(): Promise<void> {
    const boards = this.#boards;
    if (!boards) return;
    let ready = false;
    const preparing = boards.prepare().then(
      () => {
        ready = true;
      },
      (error: unknown) => {
        this.#error ??= error;
      },
    );
    await pump(
      this.#hub,
      () => ready || this.#error !== undefined,
      () => this.#turn(),
      () => PREPARE_STEP_MS,
    );
    if (ready) await preparing;
    for (const cards of this.#cards.values()) for (const card of cards.values()) card.start();
  }

  /** A KVM guest in real time. */
  #createLive(spec: NodeSpec, domains: readonly Timeline[]): void {
    const boards = this.#boards as Boards | ReplayedBoards;
    const domain = domains[this.#layout.nodeDomain[spec.index] as number] as Timeline;
    let guest: LiveGuest | undefined;
    const plain: NodeOwner = {
      acts: () => guest?.alive ?? false,
      transmit: (_from, place, frame) => {
        this.#network.transmit({ node: spec.index, interface: place }, frame);
      },
      console: (_from, bytes) => {
        this.#log.consoleOutput(domain.now, spec.index, bytes);
        this.#consoles.write(spec.index, domain.now, bytes);
      },
      drive: (from, line, level) => {
        // Its pin on the wire that freezes it is an input.
        if (!boards.owns(from, line)) this.#drive(from, line, level);
      },
      released: () => {
        if (!this.#over) this.#wires.release(spec.index);
      },
      reported: (from) => this.#reported(from),
      failed: (from, error) => this.#failed(from, error, false),
    };
    const owner = this.#recorder?.node(plain) ?? plain;
    const node: RunNode = new RunNode(spec, domain, owner);
    this.nodes.push(node);
    if (this.#player) {
      this.#createPlayed(node, owner);
      return;
    }
    guest = createLiveGuest(node, this.#site(node), { failed: (error) => owner.failed(node, error) });
    (boards as Boards).addLive(node, guest);
    this.#connect(node);
  }

  /** A node of which the recording tells what it does. */
  #createPlayed(node: RunNode, owner: NodeOwner): void {
    const { index, interfaces, board } = node.spec;
    this.#player?.add(node, owner);
    interfaces.forEach(({ device }, place) => {
      const at = { node: index, interface: place };
      const isThere = board?.agent === undefined || (device !== undefined && this.#network.isConnected(at));
      if (isThere) this.#network.attach(at, (this.#player as Player).card());
    });
  }

  #site({ spec, life }: RunNode): GuestSite {
    return {
      topology: this.topology,
      folder: this.#folder.nodeFolder(folderName(spec, life)),
      sharedMemory: this.options.sharedMemory,
      hub: this.#hub,
      variables: this.#variables,
    };
  }

  #createBoard(spec: NodeSpec, domains: readonly Timeline[]): void {
    const boards = this.#boards as Boards | ReplayedBoards;
    const domain = domains[this.#layout.nodeDomain[spec.index] as number] as Timeline;
    const plain: NodeOwner = {
      acts: () => true,
      transmit: (from, place, frame) => {
        this.#network.transmit({ node: from.spec.index, interface: place }, frame);
      },
      console: () => undefined,
      drive: (from, line, level) => this.#drive(from, line, level),
      released: (from) => {
        boards.release(from);
        this.#wires.release(from.spec.index);
      },
      reported: () => undefined,
      failed: (from, error) => this.#failed(from, error, false),
    };
    const owner = this.#recorder?.node(plain) ?? plain;
    const node: RunNode = new RunNode(spec, domain, owner);
    this.nodes.push(node);
    if (this.#player) {
      this.#createPlayed(node, owner);
      return;
    }
    const { agent } = node.spec.board ?? {};
    const machine =
      agent === undefined
        ? virtualMachine(node, this.#folder.nodeFolder(spec.name), this.#hub, (error) =>
            owner.failed(node, error),
          )
        : remoteMachine(spec.name, agent);
    (boards as Boards).add(node, machine);
    this.#connect(node);
    if (agent !== undefined) this.#connectCards(node, owner);
  }

  /** Joins the network interfaces of this machine, to which the cables of a board elsewhere lead, to the network. */
  #connectCards(node: RunNode, owner: NodeOwner): void {
    const { index, interfaces } = node.spec;
    const cards = new Map<string, HostCard>();
    this.#cards.set(node, cards);
    interfaces.forEach(({ name, device }, place) => {
      const at = { node: index, interface: place };
      if (device === undefined || !this.#network.isConnected(at)) return;
      const card = new HostCard(this.#hub, device, {
        transmit: (frame) => owner.transmit(node, place, frame),
        lost: (reason) => owner.failed(node, new OneclockError('PARTICIPANT', reason)),
      });
      cards.set(name, card);
      this.#network.attach(at, this.#recorder?.card(card) ?? card);
    });
  }

  /** Joins wires to the lines of this machine. */
  #joinCopper(): void {
    this.topology.wires.forEach((wire, index) => {
      const isFreeze = wire.role === 'freeze';
      if (this.#player) {
        if (wire.host && !isFreeze) this.#wires.join(wire.name, this.#player.copper(index));
        return;
      }
      const copper = this.#hostLines.take(wire);
      if (!copper) return;
      if (isFreeze) (this.#boards as Boards | undefined)?.join(copper);
      else this.#wires.join(wire.name, this.#recorder?.copper(index, copper) ?? copper);
    });
  }

  /** What the cables of a board elsewhere have carried; nothing for another node. */
  #cardCounts(node: RunNode): Pick<BoardResult, 'interfaces'> {
    const cards = this.#cards.get(node);
    if (!cards || cards.size === 0) return {};
    return { interfaces: Object.fromEntries([...cards].map(([name, { counts }]) => [name, counts])) };
  }

  /** A node drives a line, or drives it no more; at the present instant of its domain. */
  #drive(node: RunNode, line: number, level: Level | undefined): void {
    const { index } = node.spec;
    if (!this.#boards?.owns(node, line)) {
      this.#wires.drive(index, line, level);
      return;
    }
    const drive = level === undefined ? 'released' : level === 1 ? 'high' : 'low';
    this.#log.drive(node.domain.now, index, line, drive);
    this.#boards.drive(node, this.#participants.get(node)?.domain, line, level);
  }

  /** Joins a node's devices to wires and cables. */
  #connect(node: RunNode): void {
    const { spec, gpio } = node;
    if (gpio) this.#wires.attach(spec.index, gpio);
    node.nets.forEach((net, place) => {
      const at = { node: spec.index, interface: place };
      this.#network.attach(at, spec.board && this.#recorder ? this.#recorder.card(net) : net);
      if (!this.#network.isConnected(at)) node.unplug(place);
    });
  }

  #createNode(spec: NodeSpec, domains: readonly Timeline[]): void {
    if (spec.board) {
      if (spec.kind === 'board') this.#createBoard(spec, domains);
      else this.#createLive(spec, domains);
      return;
    }
    const domain = domains[this.#layout.nodeDomain[spec.index] as number] as Domain;
    if (spec.kind === 'script') this.#createScripted(spec, domain);
    else this.#createGuest(spec, domain);
  }

  /** A place on the network where the script is. */
  #createScripted(spec: NodeSpec, domain: Domain): void {
    if (this.options.script === undefined) {
      throw new OneclockError(
        'INPUT',
        `${spec.name} is a node of kind script, and the run has no script: run a script with this topology`,
      );
    }
    this.nodes[spec.index] = new RunNode(spec, domain, NOBODY);
    spec.interfaces.forEach((_, place) => {
      const at = { node: spec.index, interface: place };
      // What arrives is heard by the stage, as that of any node is.
      this.#network.attach(at, { receive: () => true, setLink: () => undefined });
    });
  }

  #createGuest(spec: NodeSpec, domain: Domain, life?: Life): void {
    const owner: NodeOwner = {
      acts: (_from, what) => guest.acts(what),
      transmit: (from, place, frame) => {
        this.#network.transmit({ node: from.spec.index, interface: place }, frame);
      },
      console: (from, bytes) => {
        this.#log.consoleOutput(domain.now, from.spec.index, bytes);
        this.#consoles.write(from.spec.index, domain.now, bytes);
        this.#stage?.console(from, bytes);
      },
      serial: (from, line, input, bytes) => {
        this.#log.serialData(domain.now, from.spec.index, line, input, bytes);
        if (!input) this.#stage?.serial(from, line, bytes);
      },
      drive: (from, line, level) => this.#drive(from, line, level),
      released: (from) => {
        // The lines of a guest that is quiet, or that is taken down, are dealt with when it has gone.
        if (domain.running?.id !== from.spec.index || this.#over) return;
        this.#wires.release(from.spec.index);
        this.#boards?.release(from);
      },
      reported: (from) => this.#reported(from),
      failed: (from, error) => this.#participants.get(from)?.guest.fail(error),
    };
    const { agents, script, interactive, replay } = this.options;
    const agent = agents ?? (script !== undefined || (replay?.header.interactive ?? interactive ?? false));
    const node: RunNode = new RunNode(spec, domain, owner, agent, life);
    let host: ParticipantHost | undefined;
    let clock: StoppableClock | undefined;
    const guestOwner = {
      quiet: () => host?.quiet(),
      rescheduled: () => host?.rescheduled(),
      now: () => clock?.inside(domain.now) ?? domain.now,
      raise: (interrupt: Interrupt) => domain.raise(spec.index, clock?.interrupt(interrupt) ?? interrupt),
      broadcast: (value: bigint) => this.#broadcast(node, value),
      failed: (error: OneclockError, hung: boolean) => this.#failed(node, error, hung),
    };
    const guest: Guest =
      spec.kind === 'partition'
        ? this.#processors.createPartition(node, this.#hub, {
            ...guestOwner,
            console: (bytes) => {
              this.#log.consoleOutput(domain.now, spec.index, bytes);
              this.#consoles.write(spec.index, domain.now, bytes);
            },
            ended: () => this.#poweredOff(node),
          })
        : createGuest(node, this.#site(node), {
            ...guestOwner,
            bell: (operation, args) => this.#variables.bell(spec.index, operation, args),
          });
    clock = new StoppableClock(guest);
    // Its own time begins at 0.
    clock.stop(ZERO);
    clock.go(node.life.begins);
    host = domain.add(clock);
    this.nodes[spec.index] = node;
    this.#participants.set(node, { guest, clock, host, domain });
    this.#boards?.addGuest(node, domain);
    this.#connect(node);
  }

  /** Tells the guests how soon anything can come of what they send. */
  #setPatience(): void {
    for (const [{ spec, nets, devices }, { guest }] of this.#participants) {
      nets.forEach((net, place) => {
        const answer = this.#network.leastAnswer({ node: spec.index, interface: place }, this.#lookahead);
        guest.setPatience(devices.indexOf(net), answer);
      });
    }
  }

  /**
   * Passes a mark of one guest on to the others: at once where they share its domain, else after the least time in
   * which anything could reach them. Where nothing can, it does not either.
   */
  #broadcast(from: RunNode, value: bigint): void {
    const at = from.domain.now;
    this.#log.broadcast(at, from.spec.index, value);
    for (const [node, { guest, clock, domain }] of this.#participants) {
      const { spec } = node;
      const delay = this.#lookahead.distance(from.domain.index, domain.index);
      if (node === from || delay === NEVER) continue;
      from.domain.post(domain, {
        at: after(at, duration(delay)),
        kind: EventKind.BROADCAST,
        source: from.spec.index,
        sequence: this.#broadcasts++,
        apply: () => domain.raise(spec.index, clock.interrupt(guest.notify(value))),
      });
    }
  }

  #barrier(safe: Instant): void {
    this.#safe = earlier(safe, this.topology.until ?? safe);
    // What other domains did after the end, in the window in which it came, is no part of the run.
    const written = this.#finishedAt === undefined ? safe : earlier(safe, after(this.#finishedAt, ONE));
    this.#log.flush(written);
    this.#captures?.flush(written);
  }

  #reported(node: RunNode): void {
    const at = node.domain.now;
    const { spec, exit, signal } = node;
    if (exit !== undefined) this.#log.nodeState(at, spec.index, { state: 'exited', code: exit });
    else if (signal !== undefined) this.#log.nodeState(at, spec.index, { state: 'signalled', signal });
    else this.#log.nodeState(at, spec.index, { state: 'ready' });
    this.#stage?.reported(node);
    this.#finishIfDone();
  }

  /** A partition has come to its end by itself. */
  #poweredOff(node: RunNode): void {
    node.state = 'exited';
    node.exit = 0;
    node.endedAt = node.domain.now;
    this.#reported(node);
    this.#participants.get(node)?.host.gone();
  }

  #finishIfDone(): void {
    const withRun = this.nodes.filter(({ spec }) => spec.run !== undefined);
    const script = this.#stage && { end: this.#stage.end };
    if ((!script && withRun.length === 0) || !withRun.every(({ done }) => done)) return;
    if (script && script.end === undefined) return;
    // Domains end in any order of wall time: the end is that of the latest in virtual time, whoever is heard last.
    this.#finishAt(
      withRun.reduce(
        (latest, { endedAt, heardAt }) => later(latest, heardAt ?? endedAt ?? ZERO),
        script?.end?.at ?? ZERO,
      ),
    );
  }

  #finishAt(at: Instant): void {
    this.#finishedAt = at;
    this.#stage?.cut();
    this.#calendar.finish();
  }

  #withGuest(node: RunNode, act: (its: Participating) => void): void {
    const its = this.#participants.get(node);
    if (its) act(its);
    else throw new OneclockError('INPUT', `${node.spec.name} ${whyNot(node)}: a script cannot do that to it`);
  }

  /** A script ends a guest, which is quiet. */
  #kill(node: RunNode): void {
    this.#withGuest(node, ({ guest, host, domain }) => {
      const { index } = node.spec;
      node.dismissed = true;
      node.state = 'killed';
      node.endedAt ??= domain.now;
      this.#log.nodeState(domain.now, index, { state: 'killed' });
      this.#network.detach(index);
      this.#variables.detach(index);
      this.#wires.release(index);
      this.#wires.detach(index);
      this.#boards?.release(node);
      const { pid, cpuMs = pid === undefined ? 0 : groupCpuMs(new Set([pid])).get(pid) } = guest;
      this.#endedCpuMs[index] = (this.#endedCpuMs[index] ?? 0) + (cpuMs ?? 0);
      node.gone('it was killed');
      host.gone();
      guest.close();
      this.#participants.delete(node);
      this.#ended.push(guest);
      this.#stage?.reported(node);
      this.#finishIfDone();
    });
  }

  /** A node that a script has killed gets another guest. */
  #startAgain({ spec, life }: RunNode, domain: Domain): void {
    this.#folder.removeNodeFolder(folderName(spec, life));
    this.#createGuest(spec, domain, { number: life.number + 1, begins: domain.now });
    this.#log.nodeState(domain.now, spec.index, { state: 'running' });
    this.#setPatience();
  }

  #failed(node: RunNode, error: OneclockError, hung: boolean): void {
    const { spec, domain } = node;
    // A quiet guest may fail at any moment of wall time; its domain's time stands where it was quiet since.
    const at = later(domain.now, this.#safe);
    const evict = spec.onFailure === 'evict';
    const reason = node.panic === undefined ? error.message : `${error.message}; it said: ${node.panic}`;
    node.gone(reason);
    node.endedAt ??= at;
    node.reason = reason;
    node.state = evict ? 'evicted' : hung ? 'hung' : 'crashed';
    this.#log.fault(at, spec.index, reason);
    this.#log.nodeState(at, spec.index, { state: node.state });
    this.#network.detach(spec.index);
    this.#variables.detach(spec.index);
    if (evict) this.#letGo(node);
    if (!evict) {
      this.#failedAt = later(this.#failedAt, at);
      const wall = (this.wallMs / 1000).toFixed(1);
      const place = `at ${formatInstant(at)} s of virtual and ${wall} s of wall time`;
      this.#error ??= new OneclockError('PARTICIPANT', `${spec.name} failed ${place}: ${reason}`);
      return;
    }
    this.#participants.get(node)?.host.gone();
    const board = this.#boards?.list.find((each) => each.node === node);
    if (board) this.#boards?.gone(board);
    for (const card of this.#cards.get(node)?.values() ?? []) card.close();
    this.#stage?.reported(node);
    this.#finishIfDone();
  }

  /** A guest that has gone drives its lines no more. One that was quiet has gone at no exact instant. */
  #letGo(node: RunNode): void {
    const { index } = node.spec;
    this.#wires.detach(index);
    this.#boards?.release(node);
    // No window that is open reaches this far, and none that opens from now on goes past it.
    const at = after(this.#safe, LONGEST_WINDOW);
    this.#calendar.at(at, () => {
      // A script may have started another guest there.
      if (this.nodes[index] === node) this.#wires.abandon(at, index);
    });
  }

  #turn(): void {
    const { maxWallMs, hangMs } = this.options;
    if (this.wallMs - this.#consolesFlushed >= CONSOLE_MS) {
      this.#consolesFlushed = this.wallMs;
      this.#recorder?.flush();
      this.#consoles.flush();
      this.#log.sync();
      this.#captures?.sync();
      this.#memory.trim();
    }
    if (maxWallMs !== undefined && this.wallMs > maxWallMs) {
      const where = `at ${formatInstant(this.#safe)} s of virtual time`;
      this.abort(
        new OneclockError(
          'PARTICIPANT',
          `the run took longer than the ${maxWallMs} ms that it may, ${where}`,
        ),
      );
    }
    for (const { guest } of this.#participants.values()) guest.checkHang(hangMs);
    this.#cost?.turn();
    this.options.progress?.(this);
  }

  /** Ends every guest, closes every file, and leaves nothing behind. Bounded. */
  #takeDown(): void {
    for (const node of this.nodes) node.gone('the run has ended');
    this.#closeGuests();
    const deadline = performance.now() + REAP_MS;
    const left = () =>
      this.#guests.some(({ alive }) => alive) || (this.#boards?.list ?? []).some(({ alive }) => alive);
    while (left() && performance.now() < deadline) this.#hub.poll(REAP_MS);
    this.dispose();
  }

  /** One that does not end, which is this machine's fault, keeps nobody from ending the others. */
  #closeGuests(): void {
    for (const each of [...this.#guests, ...(this.#boards?.list ?? [])]) {
      try {
        each.close();
      } catch (error) {
        this.#error ??= error;
      }
    }
  }

  #meter(out: string): CostMeter {
    const nodes = this.topology.nodes.map(({ name }) => name);
    const wallMs = () => this.wallMs;
    // The window in which the run ends may go past its end.
    const safe = () => earlier(this.#safe, this.#finishedAt ?? this.#safe);
    return new CostMeter(out, nodes, { safe, wallMs, ownCpuMs: () => this.#ownCpuMs() });
  }

  /** What its thread, or its process where that has ended, has used. */
  #threadCpuMs(node: RunNode): number | undefined {
    const board = this.#boards?.list.find((each) => each.node === node);
    return board?.cpuMs ?? this.#participants.get(node)?.guest.cpuMs;
  }

  /** What this process has used, less its threads that run guests. */
  #ownCpuMs(): number {
    const { user, system } = process.cpuUsage();
    const threads = [...this.#guests, ...(this.#boards?.list ?? [])].map(({ pid, cpuMs }) =>
      pid === undefined ? (cpuMs ?? 0) : 0,
    );
    return (user + system) / 1000 - threads.reduce((sum, ms) => sum + ms, 0);
  }

  #result(wallMs: number, cpuMs: ReadonlyMap<number, number>): RunResult {
    const { topology } = this;
    const at = this.#end?.at ?? later(this.#safe, this.#failedAt);
    const end = this.#error === undefined ? (this.#end?.reason ?? 'ended') : 'error';
    const counts = { events: this.#calendar.events, activations: this.#calendar.activations };
    const traceHash = this.#log.close({ reason: end, virtualNs: at, ...counts });
    this.#captures?.close(at);
    this.#cost?.close(at);
    this.#consoles.close();
    const pids = new Map([...this.#pids(), ...this.#boardPids()]);
    const result = summarize({
      topology,
      at,
      wallMs,
      cpuMs: this.#ownCpuMs(),
      ...counts,
      traceHash,
      error: this.#error,
      disappointments: [
        ...this.nodes.flatMap((node) => node.disappointment ?? []),
        ...(this.#stage?.disappointment ?? []),
      ],
      script: this.#stage?.result,
      nodes: this.nodes.map((node) => ({
        node,
        cpuMs:
          (this.#threadCpuMs(node) ?? cpuMs.get(pids.get(node.spec.name) ?? -1) ?? 0) +
          (this.#endedCpuMs[node.spec.index] ?? 0),
        more: { ...this.#boards?.resultOf(node), ...this.#cardCounts(node) },
      })),
      link: (name) => this.#network.counts(name),
      wire: ({ name, role }) =>
        role === 'freeze' ? { edges: this.#boards?.edges ?? 0, conflicts: 0 } : this.#wires.counts(name),
      shared: (name) => this.#variables.counts(name),
    });
    const { out } = this.options;
    if (out !== undefined) writeFileSync(join(out, 'result.json'), `${JSON.stringify(result, null, 2)}\n`);
    return result;
  }
}

/** Why there is no guest in virtual time to act on. */
function whyNot({ spec, isOn }: RunNode): string {
  if (spec.board) return 'is in real time';
  if (spec.kind === 'script') return 'is where the script is';
  return isOn ? 'has no guest' : 'is off';
}

/** Each guest of a node has a folder of its own. */
function folderName({ name }: NodeSpec, { number }: Life): string {
  return number === 0 ? name : `${name} ${number}`;
}
