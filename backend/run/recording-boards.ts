// SPDX-License-Identifier: MIT
import {
  after,
  type Calendar,
  type Domain,
  EventKind,
  type Instant,
  later,
  REAL_TIME_WINDOW,
  type RealTime,
} from '../calendar/index.js';
import type { Topology, WireSpec } from '../topology/model.js';
import type { Level } from '../wires/index.js';
import type { RunNode } from './node.js';
import type { Player } from './recording-player.js';

/** Boards, as far as guests have to do with them, where a recording tells what they did. */
export class ReplayedBoards {
  readonly timeline: RealTime;
  readonly list: readonly never[] = [];
  /** Changes of the line that freezes boards. */
  edges = 0;
  readonly #wire: WireSpec | undefined;
  /** By which guests hold the line up, and since when, by node and line. */
  readonly #raised = new Map<string, Instant>();
  #sequence = 0;

  constructor(
    { wires }: Topology,
    private readonly calendar: Calendar,
    player: Player,
  ) {
    this.#wire = wires.find(({ role }) => role === 'freeze');
    this.timeline = calendar.addRealTime(() => player.now);
  }

  async prepare(): Promise<void> {}

  /** Nobody is waited for. @returns the milliseconds for which there is nothing to do but to hear messages */
  step(): number {
    if (!this.calendar.waiting) return Number(REAL_TIME_WINDOW);
    this.calendar.resume();
    return 0;
  }

  owns({ spec }: RunNode, offset: number): boolean {
    const line = spec.lines[offset];
    return this.#wire?.pins.some((pin) => pin.node === spec.name && pin.line === line) ?? false;
  }

  addGuest(): void {}

  /** What comes of it for the line is recorded; that boards are reached by it counts for the guest's windows. */
  drive(node: RunNode, domain: Domain | undefined, offset: number, level: Level | undefined): void {
    if (!domain) return;
    const holder = `${node.spec.name}.${node.spec.lines[offset]}`;
    const before = this.#raised.get(holder);
    if ((level === 1) === (before !== undefined)) return;
    const at =
      before === undefined
        ? after(domain.now, (this.#wire as WireSpec).latency)
        : later(before, this.timeline.now);
    if (before === undefined) this.#raised.set(holder, at);
    else this.#raised.delete(holder);
    const [source, sequence] = [node.spec.index, this.#sequence++];
    domain.post(this.timeline, { at, kind: EventKind.EDGE, source, sequence, apply: () => undefined });
  }

  release({ spec }: RunNode): void {
    for (const { node, line } of this.#wire?.pins ?? []) {
      if (node === spec.name) this.#raised.delete(`${node}.${line}`);
    }
  }

  gone(): void {}

  /** What boards said of their clocks is in the result of the recorded run. */
  resultOf(): undefined {
    return undefined;
  }

  async end(): Promise<void> {}
}
