// SPDX-License-Identifier: MIT

import { OneclockError } from '../errors.js';
import type { Attachment } from '../run/network.js';
import type { Interception, SeenFrame } from '../run/stage.js';
import type { CableState } from '../topology/cable-states.js';
import type { ChangeSpec, Endpoint, LinkSpec, SwitchSpec } from '../topology/model.js';
import { type CableChange, readCable } from './cable-change.js';
import type { Span } from './engine/index.js';
import { waitForFrame } from './frames.js';
import type { Site } from './site.js';

/** Which frames are meant. */
export interface FrameFilter {
  /** `sent` where a node gives it to the cable, `received` where it comes out; `received` where nothing is said. */
  readonly when?: SeenFrame['direction'];
  /** The node at whose interface that is; any where nothing is said. */
  readonly at?: string;
  readonly matches?: (frame: SeenFrame) => boolean;
}

/** A link, or a switch with all its ports. */
export class Link {
  readonly #ends: readonly Endpoint[];

  constructor(
    private readonly site: Site,
    private readonly spec: LinkSpec | SwitchSpec,
  ) {
    this.#ends = 'between' in spec ? spec.between : spec.ports;
  }

  get isSwitch(): boolean {
    return 'ports' in this.spec;
  }

  get name(): string {
    return this.spec.name;
  }

  /** Its ends, as the topology has them: `a.eth0`. */
  get ends(): readonly string[] {
    return this.#ends.map(({ node, interface: place }) => `${node}.${place}`);
  }

  /** What it does to frames now; of a switch, its first port. */
  get state(): CableState {
    return this.site.stage.stateOf(this.name, this.isSwitch ? 0 : undefined);
  }

  /** Whether anything gets through; of a switch, at `port`. */
  isUp(port?: string): boolean {
    return this.site.stage.stateOf(this.name, this.#port(port) ?? (this.isSwitch ? 0 : undefined)).up;
  }

  /** Nothing gets through from now on; what is on the way does not arrive, and guests see no carrier. */
  down(port?: string): void {
    this.#change(readCable({}), 'down', port);
  }

  up(port?: string): void {
    this.#change(readCable({}), 'up', port);
  }

  /**
   * Makes it another one from now on, as `changes` in a topology do: `{ latency: '5ms', loss: '1%' }`.
   *
   * @param port of a switch, the end whose port alone changes: `c.eth0`
   * @throws OneclockError `INPUT` where a value is not what it may be
   */
  set(change: CableChange, port?: string): void {
    this.#change(readCable(change), undefined, port);
  }

  /**
   * Waits for a frame on it.
   *
   * @throws TimedOut after `timeout` of virtual time
   */
  frame(filter: FrameFilter & { readonly timeout?: Span } = {}): Promise<SeenFrame> {
    this.#checkNode(filter.at);
    const what = `a frame ${filter.when ?? 'received'} on ${this.name}`;
    return waitForFrame(this.site, what, (frame) => this.#isMeant(frame, filter), filter);
  }

  /** Has `action` called for each frame on it, at its instant. @returns what ends it */
  onFrame(filter: FrameFilter, action: (frame: SeenFrame) => unknown): () => void {
    this.#checkNode(filter.at);
    const { matches } = filter;
    return this.site.stage.frames.add((frame) => {
      if (!this.#isMeant(frame, filter) || (matches !== undefined && !matches(frame))) return;
      this.site.perform(() => action(frame));
    });
  }

  /**
   * Has `decide` look at each frame that a node gives to it, before it is on its way. It decides at once, while the node
   * waits, and does nothing else.
   *
   * @returns what ends it
   */
  intercept(decide: Interception): () => void {
    const places = this.#ends.map((end) => this.#place(end));
    for (const place of places) this.site.stage.intercept(place, decide);
    this.site.stage.act(`${this.name}: a script decides on its frames`);
    return () => {
      if (this.site.stage.end !== undefined) return;
      for (const place of places) this.site.stage.intercept(place, undefined);
      this.site.stage.act(`${this.name}: no script decides on its frames any more`);
    };
  }

  #checkNode(name: string | undefined): void {
    if (name === undefined || this.#ends.some(({ node }) => node === name)) return;
    throw new OneclockError('INPUT', `${name} is not at ${this.name}, which joins ${this.ends.join(', ')}`);
  }

  #isMeant(frame: SeenFrame, { when = 'received', at }: FrameFilter): boolean {
    if (frame.direction !== when || (at !== undefined && frame.node !== at)) return false;
    return this.#ends.some((end) => end.node === frame.node && end.interface === frame.interface);
  }

  #change(cable: ChangeSpec['cable'], state: 'up' | 'down' | undefined, end?: string): void {
    this.site.stage.change({ name: this.name, port: this.#port(end), cable, state });
  }

  #port(end: string | undefined): number | undefined {
    if (end === undefined) return undefined;
    const port = 'ports' in this.spec ? this.ends.indexOf(end) : -1;
    if (port >= 0) return port;
    throw new OneclockError(
      'INPUT',
      `${this.name} has no port ${end}; ${'ports' in this.spec ? `it has ${this.ends.join(', ')}` : 'it is a link'}`,
    );
  }

  #place(end: Endpoint): Attachment {
    const node = this.site.stage.topology.nodes.find(({ name }) => name === end.node);
    return {
      node: node?.index ?? -1,
      interface: node?.interfaces.findIndex(({ name }) => name === end.interface) ?? -1,
    };
  }
}
