// SPDX-License-Identifier: MIT
import type { BoardStatus } from '../../protocols/board/index.js';
import { invariant } from '../errors.js';
import { BoardLink } from '../participants/board-link.js';
import type { BoardAddress } from '../participants/board-link-connection.js';
import type { BoardSpec } from '../topology/model.js';
import type { Level } from '../wires/index.js';
import type { Board, BoardOwner } from './board.js';
import type { RunNode } from './node.js';

/** How long its agent may take to be there: a virtual board has to boot first. */
const REACH_MS = 60_000;

/** What has an agent: a virtual board, or one elsewhere. */
export interface BoardMachine {
  readonly pid: number | undefined;
  readonly alive: boolean;
  readonly endedCpuMs: number | undefined;
  /** Where the agent is; it may take a while to be there. */
  readonly address: BoardAddress;
  /** What the module is to call the line of a pin. */
  lineName(pin: string): string;
  start(): void;
  close(): void;
}

/** A board of a run that has an agent: its machine, and the controller's hold on the agent. */
export class BoardNode implements Board {
  run: number | undefined;
  clock: string | undefined;
  watchdogReleases = 0n;
  #link: BoardLink | undefined;
  #watchdogMs = 0;
  #over = false;
  readonly #connecting = new AbortController();

  constructor(
    readonly node: RunNode,
    readonly place: number,
    private readonly machine: BoardMachine,
    private readonly owner: BoardOwner,
  ) {}

  get spec(): BoardSpec {
    const { board } = this.node.spec;
    invariant(board !== undefined, () => `${this.node.spec.name} is no board`);
    return board;
  }

  get pid(): number | undefined {
    return this.machine.pid;
  }

  get alive(): boolean {
    return this.machine.alive;
  }

  get cpuMs(): number | undefined {
    return this.machine.endedCpuMs;
  }

  get watchdogMs(): number {
    return Number(this.spec.watchdog / 1_000_000n);
  }

  get isGone(): boolean {
    return this.#over;
  }

  get isSettled(): boolean {
    const { gpio, spec } = this.node;
    const { pause, resume = pause } = this.spec;
    return [pause, resume].every((line) => gpio?.isSettled(spec.lines.indexOf(line)) ?? true);
  }

  /** Bounded by the link. @throws OneclockError PARTICIPANT */
  async prepare(): Promise<void> {
    const { pause, resume, signal, tdf } = this.spec;
    const { machine } = this;
    this.#watchdogMs = this.watchdogMs;
    machine.start();
    this.#link = await BoardLink.connect({
      ...machine.address,
      signal: this.#connecting.signal,
      bounds: { reachMs: REACH_MS },
      event: (event) => {
        if (!this.#over) this.owner.event(event);
      },
      failed: (error) => {
        if (!this.#over) this.owner.failed(error);
      },
    });
    await this.#link.loadModule({
      pause: machine.lineName(pause),
      ...(resume === undefined ? {} : { resume: machine.lineName(resume) }),
      ...(signal === undefined ? {} : { signal: machine.lineName(signal) }),
    });
    await this.#link.configure({ tdf, watchdogMs: this.#watchdogMs });
  }

  async begin(): Promise<BoardStatus> {
    const link = this.#link as BoardLink;
    const { run } = this.node.spec;
    if (run !== undefined) this.run = (await link.start(run)).run;
    const status = await link.status();
    this.clock = status.clock;
    this.watchdogReleases = status.watchdogReleases;
    return status;
  }

  async isFrozen(): Promise<boolean> {
    return (await (this.#link as BoardLink).status()).frozen;
  }

  sense(line: string, level: Level): void {
    const { gpio, spec } = this.node;
    if (line !== this.spec.signal) gpio?.sense(spec.lines.indexOf(line), level);
  }

  extendWatchdog(frozenMs: number): void {
    const wanted = Math.ceil(frozenMs) + this.watchdogMs;
    if (this.#over || wanted === this.#watchdogMs) return;
    this.#watchdogMs = wanted;
    // Where that cannot be said, the link says why.
    this.#link?.configure({ watchdogMs: wanted }).catch(() => undefined);
  }

  /** Bounded by the link; what does not work is of no interest any more. */
  async release(): Promise<void> {
    this.#over = true;
    // A virtual board ends with its machine.
    if (this.spec.agent !== undefined) await this.#link?.release().catch(() => undefined);
    this.close();
  }

  close(): void {
    this.#over = true;
    this.#connecting.abort();
    this.#link?.close();
    this.machine.close();
  }
}
