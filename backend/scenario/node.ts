// SPDX-License-Identifier: MIT
import type { RunNode } from '../run/node.js';
import type { NodeState } from '../run/result.js';
import { TextLine } from './console.js';
import type { Span } from './engine/index.js';
import { type Expect, makeExpect } from './expect.js';
import type { NodeShape } from './scenario.js';
import type { Site } from './site.js';

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
}

/** A node of a scene. */
export class ScriptNode<S extends NodeShape = NodeShape> {
  readonly name: string;
  /** What its kernel and its programs say on the console. */
  readonly console: TextLine;
  readonly interfaces: { readonly [K in keyof S['interfaces'] & string]: ScriptInterface };
  /** As the scene's, and it names the node. */
  readonly expect: Expect;
  #frozen = false;

  constructor(
    private readonly site: Site,
    private readonly node: RunNode,
  ) {
    const { stage, sim } = site;
    const { spec } = node;
    this.name = spec.name;
    this.expect = makeExpect(sim, stage.expectations, spec.name);
    this.console = new TextLine(site, `the console of ${spec.name}`, (bytes) => stage.type(node, bytes));
    stage.consoles.add((said) => {
      if (said.node === node) this.console.push(said.bytes);
    });
    this.interfaces = Object.fromEntries(
      spec.interfaces.map(({ name, mac, addresses }, place) => {
        const at = { node: spec.index, interface: place };
        const tell = (verb: string, { length }: Uint8Array) =>
          stage.act(`a script ${verb} a frame of ${length} bytes at ${name}`, node);
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
          } satisfies ScriptInterface,
        ];
      }),
    ) as typeof this.interfaces;
  }

  /** How it stands: `running` until its `run` has ended, or it has. */
  get state(): NodeState {
    return this.node.state;
  }

  /** Whether it is set up, and its `run` has begun. */
  get isReady(): boolean {
    return this.node.isReady;
  }

  /** The exit status of its `run`; undefined where that has not exited. */
  get exit(): number | undefined {
    return this.node.exit;
  }

  get frozen(): boolean {
    return this.#frozen;
  }

  /** Waits until it is set up. @throws TimedOut after `timeout` of virtual time */
  async ready({ timeout }: { readonly timeout?: Span } = {}): Promise<void> {
    await this.#until(`${this.name} to be set up`, () => this.isReady || this.state !== 'running', timeout);
  }

  /** Waits until its `run` has ended, or it has. @returns how */
  async ended({ timeout }: { readonly timeout?: Span } = {}): Promise<NodeState> {
    await this.#until(`the end of ${this.name}`, () => this.state !== 'running', timeout);
    return this.state;
  }

  /** Ends it at once, as when its power is cut. Nothing is expected of it any more. */
  kill(): void {
    if (this.state !== 'running' && this.state !== 'exited') return;
    this.site.stage.act('a script kills it', this.node);
    this.site.stage.kill(this.node);
  }

  /** It does not run until {@link resume}, while time goes on: what happens to it meanwhile happens then. */
  freeze(): void {
    if (this.#frozen) return;
    this.#frozen = true;
    this.site.stage.act('a script freezes it', this.node);
    this.site.stage.hold(this.node);
  }

  resume(): void {
    if (!this.#frozen) return;
    this.#frozen = false;
    this.site.stage.act('a script lets it run', this.node);
    this.site.stage.letGo(this.node);
  }

  async #until(what: string, holds: () => boolean, timeout: Span | undefined): Promise<void> {
    if (holds()) return;
    const { sim, stage } = this.site;
    const event = sim.event(what);
    const stop = stage.nodes.add((node) => {
      if (node === this.node && holds()) event.succeed();
    });
    try {
      await (timeout === undefined ? event : sim.timeout(event, timeout));
    } finally {
      stop();
    }
  }
}
