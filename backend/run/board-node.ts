// SPDX-License-Identifier: MIT
import type { BoardEvent, BoardStatus } from '../../protocols/board/index.js';
import { invariant, type OneclockError } from '../errors.js';
import { BoardLink } from '../participants/board-link.js';
import type { BoardAddress } from '../participants/board-link-connection.js';
import type { BoardSpec } from '../topology/model.js';
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

export interface BoardOwner {
  event(event: BoardEvent): void;
  /** The board is lost. */
  failed(error: OneclockError): void;
}

/** A board of a run: its machine, and the controller's hold on its agent. */
export class BoardNode {
  /** What `run` is called in the agent's events. */
  run: number | undefined;
  /** Whether its processes see the time for which they are frozen: `hidden` or `visible`. */
  clock: string | undefined;
  /** How often its watchdog had let it go before the run began. */
  watchdogReleases = 0n;
  #link: BoardLink | undefined;
  #watchdogMs = 0;
  #over = false;
  readonly #connecting = new AbortController();

  constructor(
    readonly node: RunNode,
    /** Its place among the boards. */
    readonly place: number,
    readonly machine: BoardMachine,
    private readonly owner: BoardOwner,
  ) {}

  get spec(): BoardSpec {
    const { board } = this.node.spec;
    invariant(board !== undefined, () => `${this.node.spec.name} is no board`);
    return board;
  }

  /** How long it stays frozen at most without a word from the controller. */
  get watchdogMs(): number {
    return Number(this.spec.watchdog / 1_000_000n);
  }

  /** Whether it takes no part any more. */
  get isGone(): boolean {
    return this.#over;
  }

  /** Whether it has handled the edges of its lines, as far as we can know. */
  get isSettled(): boolean {
    const { gpio, spec } = this.node;
    const { pause, resume = pause } = this.spec;
    return [pause, resume].every((line) => gpio?.isSettled(spec.lines.indexOf(line)) ?? true);
  }

  /** Starts it and makes it ready to be frozen. Bounded by the link. @throws OneclockError PARTICIPANT */
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

  /** Starts its `run`, which begins when the board, which is frozen, is let go. */
  async begin(): Promise<BoardStatus> {
    const link = this.#link as BoardLink;
    const { run } = this.node.spec;
    if (run !== undefined) this.run = (await link.start(run)).run;
    const status = await link.status();
    this.clock = status.clock;
    this.watchdogReleases = status.watchdogReleases;
    return status;
  }

  status(): Promise<BoardStatus> {
    return (this.#link as BoardLink).status();
  }

  /** The board is frozen since `frozenMs`: its watchdog waits for {@link watchdogMs} from now on. */
  extendWatchdog(frozenMs: number): void {
    const wanted = Math.ceil(frozenMs) + this.watchdogMs;
    if (this.#over || wanted === this.#watchdogMs) return;
    this.#watchdogMs = wanted;
    // Where that cannot be said, the link says why.
    this.#link?.configure({ watchdogMs: wanted }).catch(() => undefined);
  }

  /** Puts everything back. Bounded by the link; what does not work is of no interest any more. */
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
