// SPDX-License-Identifier: MIT
import type { WireSpec } from '../topology/model.js';
import type { Level } from '../wires/index.js';
import { readCable } from './cable-change.js';
import type { Span } from './engine/index.js';
import { type Site, waitFor } from './site.js';

/** A change of a wire's level. */
export interface Edge {
  readonly level: Level;
  /** Virtual time. */
  readonly at: bigint;
}

/** A wire, on which a script has a pin of its own, as every node on it: what it does is seen the wire's latency later. */
export class Wire {
  constructor(
    private readonly site: Site,
    private readonly spec: WireSpec,
  ) {}

  get name(): string {
    return this.spec.name;
  }

  /** Its level, as the script's pin sees it. */
  read(): Level {
    return this.site.stage.pin(this.name).level;
  }

  /** Drives it with `level` from now on. */
  drive(level: Level): void {
    const { stage } = this.site;
    const pin = stage.pin(this.name);
    stage.act(`${this.name}: the script drives it ${level === 1 ? 'high' : 'low'}`);
    pin.drive(level);
  }

  /** Drives it no more. */
  release(): void {
    const { stage } = this.site;
    const pin = stage.pin(this.name);
    stage.act(`${this.name}: the script lets go of it`);
    pin.drive(undefined);
  }

  /** Drives it with `level` for `span`, and waits for the end of that. */
  async pulse(span: Span, level: Level = this.spec.pull === 'down' ? 1 : 0): Promise<void> {
    this.drive(level);
    try {
      await this.site.sim.sleep(span);
    } finally {
      this.release();
    }
  }

  /**
   * Waits for its level to change, to `to` where that is given.
   *
   * @throws TimedOut after `timeout` of virtual time
   */
  edge({ to, timeout }: { readonly to?: Level; readonly timeout?: Span } = {}): Promise<Edge> {
    const direction = to === undefined ? 'an' : to === 1 ? 'a rising' : 'a falling';
    return waitFor(this.site, `${direction} edge of ${this.name}`, timeout, (event) =>
      this.onEdge((edge) => {
        if (to === undefined || edge.level === to) event.succeed(edge);
      }),
    );
  }

  /** Has `action` called at each change of its level. @returns what ends it */
  onEdge(action: (edge: Edge) => unknown): () => void {
    return this.site.stage.levels.add(({ wire, level, at }) => {
      if (wire === this.name) this.site.perform(() => action({ level, at }));
    });
  }

  /** Cuts it in its middle. */
  down(): void {
    this.#change('down');
  }

  up(): void {
    this.#change('up');
  }

  #change(state: 'up' | 'down'): void {
    this.site.stage.change({ name: this.name, port: undefined, cable: readCable({}), state });
  }
}
