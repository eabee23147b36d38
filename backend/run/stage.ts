// SPDX-License-Identifier: MIT
import { inspect } from 'node:util';
import {
  type CalendarEvent,
  type Domain,
  EventKind,
  formatInstant,
  type Instant,
  instant,
  type ParticipantHost,
  type Timeline,
} from '../calendar/index.js';
import { OneclockError } from '../errors.js';
import { notItsTurn, ScriptParticipant } from '../participants/script.js';
import { Simulation } from '../scenario/engine/index.js';
import type { CableState } from '../topology/cable-states.js';
import type { ChangeSpec, NodeSpec, Topology } from '../topology/model.js';
import type { RunLog } from '../trace/run-log.js';
import type { Drive, Level } from '../wires/index.js';
import type { Changes } from './changes.js';
import type { Attachment, Frame, Network, SendFate } from './network.js';
import type { RunNode } from './node.js';
import type { ExpectationResult, ScriptResult } from './result.js';
import { scriptFailure } from './script-failure.js';
import { plainOutput } from './script-output.js';
import { Watchers } from './watchers.js';
import type { Wires } from './wires.js';

/** A frame that a script has seen at an interface. */
export interface SeenFrame {
  readonly at: Instant;
  /** The names of the node and its interface. */
  readonly node: string;
  readonly interface: string;
  readonly direction: 'sent' | 'received';
  readonly bytes: Uint8Array;
  /** What became of it, where it was sent; where it was received, whether the guest had room. */
  readonly fate: SendFate | 'taken' | 'dropped';
}

/** What a script does with a frame that a guest sends: undefined lets it pass, 'drop' loses it, bytes take its place. */
export type Interception = (frame: {
  readonly at: Instant;
  readonly node: string;
  readonly interface: string;
  readonly bytes: Uint8Array;
}) => Uint8Array | 'drop' | undefined;

/** The run, as far as a stage acts on it. */
export interface StageOwner {
  readonly topology: Topology;
  /** Where the script is. */
  readonly domain: Domain;
  readonly log: RunLog;
  readonly network: Network;
  readonly wires: Wires;
  readonly changes: Changes;
  node(name: string): RunNode;
  /** Whether everything between its nodes is where the script is. */
  reaches(name: string): boolean;
  kill(node: RunNode): void;
  /** Gives a node that was killed another guest. */
  start(node: RunNode): void;
  hold(node: RunNode): void;
  letGo(node: RunNode): void;
  /** The script has come to its end. */
  ended(end: ScriptEnd): void;
}

/** How a script ended. */
export type ScriptEnd =
  | { readonly at: Instant; readonly output: unknown }
  | { readonly at: Instant; readonly error: unknown };

/** What a run plays besides its topology. */
export interface Script {
  /** Called in a process of the simulation at the beginning of the run; it has ended when the promise is settled. */
  play(stage: Stage): Promise<unknown>;
}

/**
 * What a script sees and does of a run. All of it happens at the present instant of the domain in which the script is, and
 * every guest with it: whatever it does is done at the exact virtual time of its activation.
 */
export class Stage {
  readonly simulation: Simulation;
  readonly participant: ScriptParticipant;
  /** Undefined: it goes on. */
  end: ScriptEnd | undefined;
  readonly frames = new Watchers<SeenFrame>();
  /** Called at once, while the guest still runs: whoever wants the script to act says {@link later}. */
  readonly consoles = new Watchers<{ readonly node: RunNode; readonly bytes: Uint8Array }>();
  readonly serials = new Watchers<{
    readonly node: RunNode;
    readonly line: string;
    readonly bytes: Uint8Array;
  }>();
  readonly levels = new Watchers<{ readonly wire: string; readonly level: Level; readonly at: Instant }>();
  /** Nodes that are set up, or have ended. */
  readonly nodes = new Watchers<RunNode>();
  readonly expectations: ExpectationResult[] = [];
  readonly #host: ParticipantHost;
  #waited: string | undefined;
  readonly #intercepted: Attachment[] = [];
  #told = 0;

  constructor(
    private readonly owner: StageOwner,
    script: Script,
  ) {
    const { log, domain } = owner;
    this.simulation = new Simulation({ seed: owner.topology.seed });
    this.participant = new ScriptParticipant(log.run, this.simulation.engine, (failure) => {
      if (failure !== undefined) this.#end({ at: this.now, error: failure });
      this.#host.quiet();
    });
    this.#host = domain.add(this.participant);
    this.simulation.process('the script', async () => {
      const output = plainOutput(await script.play(this));
      this.#end({ at: this.now, output });
    });
    this.#host.rescheduled();
  }

  get topology(): Topology {
    return this.owner.topology;
  }

  get now(): Instant {
    return this.owner.domain.now;
  }

  node(name: string): RunNode {
    return this.owner.node(name);
  }

  /**
   * Writes into the run log what the script does.
   *
   * @throws OneclockError `INPUT` where it is not the script's turn
   */
  act(text: string, node?: RunNode): void {
    this.mustBeTurn();
    this.note(text, node);
  }

  /** Writes into the run log what became of it. */
  note(text: string, node?: RunNode): void {
    const { log } = this.owner;
    log.act(this.now, node?.spec.index ?? log.run, text);
  }

  /** @throws OneclockError `INPUT` where it is not the script's turn: what it did then would be at no exact instant */
  mustBeTurn(): void {
    if (this.end !== undefined) throw new OneclockError('INPUT', 'the script acts when the run has ended');
    if (!this.participant.busy) throw notItsTurn();
  }

  /** Something of the script failed that it does not await. */
  fail(error: unknown): void {
    if (this.participant.busy) this.simulation.fail(error);
    else this.#end({ at: this.now, error });
  }

  mark(text: string): void {
    const { log } = this.owner;
    log.mark(this.now, log.run, text);
  }

  /** The run is over: finds out what the script still waits for. */
  async close(at: Instant): Promise<void> {
    if (this.end === undefined && !this.participant.busy) {
      const { engine } = this.simulation;
      if (engine.next < at) {
        // An event that was put when its time was past.
        this.#waited = notItsTurn().message;
      } else {
        engine.reach(at);
        this.#waited = (await this.simulation.stuck('the run ends')).message;
      }
    }
    this.participant.over = true;
  }

  /** What was expected of the script and is not so. */
  get disappointment(): string[] {
    const { error } = this.result;
    if (error !== null) return [error];
    // The script went on all the same.
    const unmet = this.expectations.filter(({ met }) => !met);
    return unmet.map(({ text, atNs, node }) => {
      const place = `at ${formatInstant(instant(BigInt(atNs)))} s${node === null ? '' : `, ${node}`}`;
      return `${place}: expected ${text}`;
    });
  }

  get result(): ScriptResult {
    const { end, now } = this;
    const { expectations } = this;
    const at = { endedNs: (end?.at ?? now).toString(), expectations };
    if (end === undefined) {
      return {
        state: 'waiting',
        ...at,
        output: null,
        error: this.#waited ?? 'the run ended before the script',
      };
    }
    if ('error' in end) {
      const error = scriptFailure(end.error, end.at);
      return { state: 'failed', ...at, output: null, error };
    }
    return { state: 'ended', ...at, output: end.output ?? null, error: null };
  }

  /** Has `action` called in an activation of the script at the present instant, when whoever runs is quiet. */
  later(action: () => void): void {
    const { domain } = this.owner;
    domain.post(domain, {
      at: domain.now,
      kind: EventKind.SCRIPT,
      source: 0,
      sequence: this.#told++,
      apply: () => {
        this.simulation.engine.schedule(domain.now, action);
        this.#host.rescheduled();
      },
    });
  }

  /** Makes a link, a switch, a port of it, or a wire another one. @throws OneclockError `INPUT` where boards are joined by it */
  change(change: Omit<ChangeSpec, 'at'>): void {
    this.mustBeTurn();
    this.#mustReach(change.name);
    const put = (target: Timeline, event: CalendarEvent) => target.post(target, event);
    this.owner.changes.make({ ...change, at: this.now }, put);
  }

  stateOf(name: string, port: number | undefined): CableState {
    return this.owner.changes.stateOf(name, port);
  }

  /** Sends a frame as though the node had. */
  send(from: Attachment, bytes: Uint8Array): void {
    this.#mustBeThere(from);
    this.owner.network.transmit(from, bytes);
  }

  /** Lets a frame arrive at the node. */
  deliver(to: Attachment, bytes: Uint8Array): void {
    this.#mustBeThere(to);
    this.owner.network.deliver(to, bytes);
  }

  /** Has `interception` decide on each frame that the node sends there; undefined: nobody does. */
  intercept(from: Attachment, interception: Interception | undefined): void {
    this.mustBeTurn();
    if (this.topology.nodes[from.node]?.board) return;
    this.#intercepted.push(from);
    this.owner.network.intercept(
      from,
      interception && ((at, bytes) => this.#decide(from, interception, at, bytes)),
    );
  }

  /** What `interception` decides; where it fails, so does the script, and the frame passes. */
  #decide(from: Attachment, interception: Interception, at: Instant, sent: Uint8Array) {
    const node = this.topology.nodes[from.node];
    const name = node?.interfaces[from.interface]?.name ?? '';
    try {
      // What is on its way is not to be changed under the hands of others.
      const bytes = Uint8Array.from(sent);
      const decision: unknown = interception({ at, node: node?.name ?? '', interface: name, bytes });
      if (decision === undefined || decision === 'drop') return decision;
      if (decision instanceof Uint8Array) return Uint8Array.from(decision);
      throw new OneclockError(
        'INPUT',
        `what decides on frames gave ${inspect(decision)}: expected nothing, 'drop' or bytes, and at once`,
      );
    } catch (error) {
      this.later(() => this.simulation.fail(error));
      return undefined;
    }
  }

  /** The script's pin on a wire. @throws OneclockError `INPUT` where boards are joined by it */
  pin(wire: string): { readonly level: Level; drive(drive: Drive): void } {
    this.#mustReach(wire);
    const pin = this.owner.wires.scriptPin(wire);
    if (pin) return pin;
    throw new OneclockError('INPUT', `the wire ${wire} freezes boards: a script does not drive it`);
  }

  /** The run ends: no more happens than what does at this instant. */
  cut(): void {
    this.owner.domain.cut();
  }

  /** Types on the console of a node. */
  type(node: RunNode, bytes: Uint8Array): void {
    this.#mustBeOn(node);
    this.act(`a script types ${bytes.length} bytes`, node);
    if (node.type(bytes)) return;
    throw new OneclockError(
      'PARTICIPANT',
      `${node.spec.name} takes no more input on its console: it does not read any`,
    );
  }

  kill(node: RunNode): void {
    this.owner.kill(node);
  }

  start(node: RunNode): void {
    this.owner.start(node);
  }

  hold(node: RunNode): void {
    this.owner.hold(node);
  }

  letGo(node: RunNode): void {
    this.owner.letGo(node);
  }

  /** A guest has sent a frame. */
  sent(at: Instant, from: Attachment, { bytes }: Frame, fate: SendFate): void {
    this.#frame(at, from, bytes, 'sent', fate);
  }

  /** A frame has come to a guest. */
  received(at: Instant, to: Attachment, { bytes }: Frame, taken: boolean): void {
    this.#frame(at, to, bytes, 'received', taken ? 'taken' : 'dropped');
  }

  console(node: RunNode, bytes: Uint8Array): void {
    if (this.end === undefined) this.consoles.tell({ node, bytes });
  }

  serial(node: RunNode, line: string, bytes: Uint8Array): void {
    if (this.end === undefined) this.serials.tell({ node, line, bytes });
  }

  level(at: Instant, wire: number, level: Level): void {
    this.#tell(this.levels, { wire: this.topology.wires[wire]?.name ?? '', level, at });
  }

  reported(node: RunNode): void {
    this.#tell(this.nodes, node);
  }

  #frame(
    at: Instant,
    { node, interface: place }: Attachment,
    bytes: Uint8Array,
    direction: SeenFrame['direction'],
    fate: SeenFrame['fate'],
  ): void {
    if (this.frames.size === 0) return;
    const spec = this.topology.nodes[node];
    const [name, port] = [spec?.name ?? '', spec?.interfaces[place]?.name ?? ''];
    const copy = Uint8Array.from(bytes);
    this.#tell(this.frames, { at, node: name, interface: port, direction, bytes: copy, fate });
  }

  #tell<T>(watchers: Watchers<T>, value: T): void {
    if (watchers.size > 0 && this.end === undefined) this.later(() => watchers.tell(value));
  }

  #end(how: ScriptEnd): void {
    // An error at the instant of the end counts more than a good end.
    if (this.end !== undefined && ('error' in this.end || !('error' in how))) return;
    this.end = how;
    this.participant.over = true;
    for (const from of this.#intercepted) this.owner.network.intercept(from, undefined);
    this.owner.ended(how);
  }

  /** @throws OneclockError `INPUT` where the script can do nothing at an interface */
  #mustBeThere({ node }: Attachment): void {
    const spec = this.topology.nodes[node] as NodeSpec;
    if (spec.board)
      throw new OneclockError('INPUT', `${spec.name} is in real time: a script cannot do that there`);
    this.#mustBeOn(this.owner.node(spec.name));
  }

  /** @throws OneclockError `INPUT` where its guest has gone */
  #mustBeOn(node: RunNode): void {
    if (node.isOn) return;
    throw new OneclockError('INPUT', `${node.spec.name} is off: it is ${node.state}`);
  }

  #mustReach(name: string): void {
    if (this.owner.reaches(name)) return;
    throw new OneclockError(
      'INPUT',
      `${name} leads to boards, which have a time of their own: a script cannot change it at an exact instant; use 'changes' in the topology`,
    );
  }
}
