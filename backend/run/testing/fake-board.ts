// SPDX-License-Identifier: MIT
import type { BoardEvent, BoardSettings, BoardStatus } from '../../../protocols/board/index.js';
import type { BoardLinkOptions } from '../../participants/board-link.js';
import type { Level } from '../../wires/index.js';
import type { BoardMachine } from '../board-node.js';

/** Wall time that a test moves, in nanoseconds, and what happens in it. */
export class Wall {
  ns = 0n;
  readonly #plans: { readonly at: bigint; readonly act: () => void }[] = [];

  in(ns: bigint, act: () => void): void {
    this.#plans.push({ at: this.ns + ns, act });
    // Of one instant, in the order in which they were made.
    this.#plans.sort((a, b) => Number(a.at - b.at));
  }

  /** Lets pass at most `ns`, and ends at the first thing that happens. */
  pass(ns: bigint): void {
    const end = this.ns + ns;
    const first = this.#plans[0];
    if (first === undefined || first.at > end) {
      this.ns = end;
      return;
    }
    this.#plans.shift();
    this.ns = first.at;
    first.act();
  }
}

/** What a board is like. */
export interface BoardTraits {
  /** Wall time from an edge of its line to what comes of it. */
  readonly pauseNs?: bigint;
  readonly resumeNs?: bigint;
  /** From a resume until the controller hears of it. */
  readonly lagNs?: bigint;
  /** Billionths by which its clock is too fast. */
  readonly drift?: bigint;
}

/** What asking a board takes, in wall time. */
const ANSWER_NS = 100_000n;
/** What its clock shows when the test begins. */
const UPTIME = 1_000_000_000_000n;

/** A board with module and agent as the controller sees them: a line that freezes it, requests, and events. */
export class FakeBoard {
  readonly calls: string[] = [];
  readonly machine: BoardMachine;
  watchdogMs = 0;
  watchdogReleases = 0n;
  /** Its line leads nowhere. */
  isDeaf = false;
  #options: BoardLinkOptions | undefined;
  #pausedAt: bigint | undefined;
  #pauses = 7n;
  #frozenNs = 12_345n;
  #runs = 0;
  #unseen = 0;

  constructor(
    readonly name: string,
    private readonly wall: Wall,
    private readonly traits: BoardTraits,
  ) {
    this.machine = {
      pid: undefined,
      alive: true,
      endedCpuMs: undefined,
      address: { name, at: { host: name, port: 1 }, key: Buffer.alloc(32) },
      lineName: (pin) => `chip:${pin}`,
      start: () => this.calls.push('start the machine'),
      close: () => this.calls.push('close the machine'),
    };
  }

  /** CLOCK_MONOTONIC of the board. */
  get monotonicNs(): bigint {
    return UPTIME + this.wall.ns + (this.wall.ns * (this.traits.drift ?? 0n)) / 1_000_000_000n;
  }

  get frozen(): boolean {
    return this.#pausedAt !== undefined;
  }

  /** Its own virtual time, since it was booted. */
  get virtualNs(): bigint {
    return (this.#pausedAt ?? this.monotonicNs) - this.#frozenNs;
  }

  get time(): { monotonicNs: bigint; frozenNs: bigint; errorNs: bigint } {
    const { monotonicNs } = this;
    return { monotonicNs, frozenNs: monotonicNs - this.virtualNs, errorNs: 0n };
  }

  /** The line that freezes it has changed. */
  sense(level: Level): void {
    const { pauseNs = 0n, resumeNs = 0n } = this.traits;
    this.#unseen++;
    if (this.isDeaf) return;
    this.wall.in(level === 1 ? pauseNs : resumeNs, () => {
      this.#unseen--;
      if (level === 1) this.#pause();
      else this.#resume();
    });
  }

  /** Whether all edges of its line have come to something. */
  get isSettled(): boolean {
    return this.#unseen === 0;
  }

  tell(event: BoardEvent): void {
    this.#options?.event(event);
  }

  lose(error: Parameters<BoardLinkOptions['failed']>[0]): void {
    this.#options?.failed(error);
  }

  connect(options: BoardLinkOptions): object {
    this.#options = options;
    this.calls.push('connect');
    return {
      loadModule: async (lines: object) => this.calls.push(`load ${JSON.stringify(lines)}`),
      configure: async (settings: BoardSettings) => {
        this.watchdogMs = settings.watchdogMs ?? this.watchdogMs;
        this.calls.push(`configure ${JSON.stringify(settings)}`);
      },
      start: async (command: string) => {
        this.calls.push(`run ${command}`);
        return { run: ++this.#runs, pid: 1, time: this.time };
      },
      status: async (): Promise<Partial<BoardStatus>> => {
        this.wall.pass(ANSWER_NS);
        const { time, frozen, watchdogReleases } = this;
        return {
          time,
          frozen,
          watchdogReleases,
          pauses: this.#pauses,
          frozenNs: this.#frozenNs,
          clock: 'hidden',
        };
      },
      release: async () => this.calls.push('release'),
      close: () => this.calls.push('close'),
    };
  }

  #pause(): void {
    if (this.frozen) return;
    this.#pauses++;
    const pausedAtNs = this.monotonicNs;
    this.#pausedAt = pausedAtNs;
    const { pauseNs = 0n } = this.traits;
    this.tell({ type: 'paused', number: this.#pauses, pausedAtNs, latencyNs: pauseNs, spreadNs: 0n });
  }

  #resume(): void {
    const pausedAtNs = this.#pausedAt;
    // A line that fell before it was seen high froze nobody.
    if (pausedAtNs === undefined) return;
    const resumedAtNs = this.monotonicNs;
    this.#pausedAt = undefined;
    this.#frozenNs += resumedAtNs - pausedAtNs;
    const { resumeNs = 0n, lagNs = 0n } = this.traits;
    const event: BoardEvent = {
      type: 'resumed',
      number: this.#pauses,
      pausedAtNs,
      resumedAtNs,
      latencyNs: resumeNs,
      frozenNs: this.#frozenNs,
      watchdogReleases: this.watchdogReleases,
    };
    this.wall.in(lagNs, () => this.tell(event));
  }
}
