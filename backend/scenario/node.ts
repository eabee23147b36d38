// SPDX-License-Identifier: MIT
import { OneclockError } from '../errors.js';
import type { RunNode } from '../run/node.js';
import type { NodeState } from '../run/result.js';
import type { SeenFrame } from '../run/stage.js';
import type { NodeSpec } from '../topology/model.js';
import { byName } from './by-name.js';
import { TextLine } from './console.js';
import { type Span, TimedOut } from './engine/index.js';
import { readSpan } from './engine/span.js';
import { type Expect, makeExpect } from './expect.js';
import { waitForFrame } from './frames.js';
import {
  type CommandLine,
  type ExecOptions,
  type Executed,
  execute,
  getFile,
  putFile,
  ScriptProgram,
  type SpawnOptions,
} from './program.js';
import type { NodeShape } from './scenario.js';
import { keep, type Site, waitFor } from './site.js';

/** A network interface of a node. */
export interface ScriptInterface {
  readonly name: string;
  /** Its MAC address, six bytes. */
  readonly mac: Uint8Array;
  readonly addresses: readonly string[];
  /** Gives a frame to its cable, as though the node had sent it. */
  send(frame: Uint8Array): void;
  /** Lets a frame arrive at it, without any cable. */
  deliver(frame: Uint8Array): void;
  /** Waits for a frame that arrives at it. @throws TimedOut after `timeout` of virtual time */
  frame(filter?: { matches?: (frame: SeenFrame) => boolean; timeout?: Span }): Promise<SeenFrame>;
  /** Has `action` called for each frame that arrives at it. @returns what ends it */
  onFrame(action: (frame: SeenFrame) => unknown): () => void;
}

/** The names of a list of lines, or of a map with settings. */
type SerialNames<L> = L extends readonly (infer N extends string)[]
  ? N
  : L extends object
    ? keyof L & string
    : never;

/** A node of a scene. */
export class ScriptNode<S extends NodeShape = NodeShape> {
  readonly name: string;
  /** What its kernel and its programs say on the console. */
  readonly console: TextLine;
  /** Its serial lines, by name: `ttyS0`. */
  readonly serial: { readonly [K in SerialNames<S['serial']>]: TextLine };
  readonly interfaces: { readonly [K in keyof S['interfaces'] & string]: ScriptInterface };
  /** As the scene's, and it names the node. */
  readonly expect: Expect;
  readonly #spec: NodeSpec;
  #frozen = false;
  #off = false;

  constructor(
    private readonly site: Site,
    spec: NodeSpec,
  ) {
    const { stage, sim } = site;
    this.#spec = spec;
    this.name = spec.name;
    this.expect = makeExpect(sim, stage.expectations, spec.name);
    this.console = new TextLine(site, `the console of ${spec.name}`, (bytes) =>
      stage.type(this.#node, bytes),
    );
    stage.consoles.add((said) => {
      if (said.node === this.#node) this.console.push(said.bytes);
    });
    const serial = (spec.serial ?? []).map(({ name }) => {
      const send = (bytes: Uint8Array) => {
        stage.act(`a script sends ${bytes.length} bytes by ${name}`, this.#node);
        this.#node.serial.get(name)?.send(bytes);
      };
      return [name, new TextLine(site, `${name} of ${spec.name}`, send)] as const;
    });
    this.serial = byName('serial line', Object.fromEntries(serial)) as typeof this.serial;
    const lines = new Map(serial);
    stage.serials.add((said) => {
      if (said.node === this.#node) lines.get(said.line)?.push(said.bytes);
    });
    const interfaces = Object.fromEntries(
      spec.interfaces.map(({ name, mac, addresses }, place) => {
        const at = { node: spec.index, interface: place };
        const isHere = (frame: SeenFrame) =>
          frame.direction === 'received' && frame.node === spec.name && frame.interface === name;
        const tell = (verb: string, { length }: Uint8Array) =>
          stage.act(`a script ${verb} a frame of ${length} bytes at ${name}`, this.#node);
        return [
          name,
          {
            name,
            mac,
            addresses,
            send: (frame: Uint8Array) => {
              tell('sends', frame);
              stage.send(at, Uint8Array.from(frame));
            },
            deliver: (frame: Uint8Array) => {
              tell('delivers', frame);
              stage.deliver(at, Uint8Array.from(frame));
            },
            frame: (filter = {}) => waitForFrame(site, `a frame at ${spec.name}.${name}`, isHere, filter),
            onFrame: (action) =>
              stage.frames.add((frame) => {
                if (isHere(frame)) site.perform(() => action(frame));
              }),
          } satisfies ScriptInterface,
        ];
      }),
    );
    this.interfaces = byName('interface', interfaces) as unknown as typeof this.interfaces;
  }

  /** The guest that it has now. */
  get #node(): RunNode {
    return this.site.stage.node(this.name);
  }

  /** How it stands: `running` until its `run` has ended, or it has. */
  get state(): NodeState {
    return this.#node.state;
  }

  /** Whether it is set up, and its `run` has begun. */
  get isReady(): boolean {
    return this.#node.isReady && this.#node.isOn;
  }

  /** The exit status of its `run`; undefined where that has not exited. */
  get exit(): number | undefined {
    return this.#node.exit;
  }

  get frozen(): boolean {
    return this.#frozen;
  }

  /** Waits until it is set up. @throws TimedOut after `timeout` of virtual time, PARTICIPANT where it has gone before */
  ready({ timeout }: { readonly timeout?: Span } = {}): Promise<void> {
    return keep(this.#untilReady(timeout));
  }

  async #untilReady(timeout: Span | undefined): Promise<void> {
    // It is no machine.
    if (this.#spec.kind === 'script') return;
    const node = await this.#until(
      `${this.name} to be set up`,
      ({ isReady, isOn, state }) => isReady || !isOn || state !== 'running',
      timeout,
    );
    if (!node.isReady || !node.isOn)
      throw new OneclockError('PARTICIPANT', `${this.name} is not set up: it is ${node.state}`);
  }

  /** Waits until its `run` has ended, or it has. @returns how */
  ended({ timeout }: { readonly timeout?: Span } = {}): Promise<NodeState> {
    const ended = this.#until(`the end of ${this.name}`, ({ state }) => state !== 'running', timeout);
    return keep(ended.then(({ state }) => state));
  }

  /**
   * Runs a command to its end. It begins at this instant, or when the node is set up; its virtual time is what it takes in the
   * guest.
   *
   * @throws TimedOut after `timeout` of virtual time, when it has been killed; PARTICIPANT where it cannot be run
   */
  exec(command: CommandLine, options: ExecOptions = {}): Promise<Executed> {
    return execute(this.site, this.#node, command, options);
  }

  /** Starts a program, to talk to it while it runs. */
  spawn(command: CommandLine, options: SpawnOptions = {}): ScriptProgram {
    return new ScriptProgram(this.site, this.#node, command, options);
  }

  /** Writes a file, as a whole. @throws PARTICIPANT that says what its kernel says */
  put(path: string, content: string | Uint8Array, { mode }: { readonly mode?: number } = {}): Promise<void> {
    return putFile(this.site, this.#node, path, content, mode);
  }

  /** Reads a regular file. @throws PARTICIPANT that says what its kernel says */
  get(path: string): Promise<Uint8Array> {
    return getFile(this.site, this.#node, path);
  }

  /** Ends it at once, as when its power is cut. Nothing is expected of it any more, unless it is started again. */
  kill(): void {
    if (this.#off) return;
    const { stage } = this.site;
    stage.mustBeTurn();
    stage.kill(this.#node);
    stage.note('a script kills it', this.#node);
    this.#off = true;
    this.#frozen = false;
  }

  /**
   * Switches it off in good order: its programs get SIGTERM, what they wrote goes to the disk, and after `grace` of virtual time,
   * or when its `run` has ended, it is ended as by {@link kill}.
   */
  async stop({ grace = '5s' }: { readonly grace?: Span } = {}): Promise<void> {
    if (this.#off) return;
    const { sim } = this.site;
    const end = sim.now + readSpan(grace);
    const node = this.#node;
    // Another process of the script may be quicker.
    const ignore = (error: unknown) => {
      if (!(error instanceof TimedOut) && node.isOn) throw error;
    };
    if (this.isReady) await sim.timeout(this.exec('sync; kill -TERM -1'), grace).catch(ignore);
    if (node.isOn && this.#spec.run !== undefined && sim.now < end)
      await this.ended({ timeout: end - sim.now }).catch(ignore);
    if (node === this.#node) this.kill();
  }

  /**
   * Switches it on again after {@link kill}: its kernel boots at this instant, with the files of the beginning, and its `run`
   * runs again.
   */
  start(): void {
    if (!this.#off)
      throw new OneclockError('INPUT', `${this.name} is on: it can be started when it was killed`);
    this.site.stage.act('a script starts it', this.#node);
    this.site.stage.start(this.#node);
    this.#off = false;
    // What the guest before has said is not what this one says.
    for (const line of [this.console, ...Object.values<TextLine>(this.serial)]) line.clear();
  }

  /** Ends it at once, and switches it on again. */
  restart(): void {
    this.kill();
    this.start();
  }

  /** It does not run until {@link resume}, while time goes on: its clock stands still, and what reaches it meanwhile reaches it then. */
  freeze(): void {
    if (this.#frozen) return;
    const { stage } = this.site;
    stage.mustBeTurn();
    stage.hold(this.#node);
    stage.note('a script freezes it', this.#node);
    this.#frozen = true;
  }

  resume(): void {
    if (!this.#frozen) return;
    this.#frozen = false;
    this.site.stage.act('a script lets it run', this.#node);
    this.site.stage.letGo(this.#node);
  }

  /** Waits for the guest that it has now. */
  async #until(what: string, holds: (node: RunNode) => boolean, timeout: Span | undefined): Promise<RunNode> {
    const node = this.#node;
    if (holds(node)) return node;
    await waitFor<void>(this.site, what, timeout, (event) =>
      this.site.stage.nodes.add((told) => {
        if (told === node && holds(node)) event.succeed();
      }),
    );
    return node;
  }
}
