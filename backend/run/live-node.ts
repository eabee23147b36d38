// SPDX-License-Identifier: MIT
import { invariant } from '../errors.js';
import type { LiveGuest } from '../participants/live-guest.js';
import type { BoardSpec } from '../topology/model.js';
import type { Level } from '../wires/index.js';
import type { Board, BoardOwner } from './board.js';
import type { RunNode } from './node.js';

/**
 * A KVM guest in real time, among the boards: the virtual machine monitor freezes it. It tells of its freezes as the agent
 * of a board does; its CLOCK_MONOTONIC, there, is its own time and that for which it was frozen.
 */
export class LiveNode implements Board {
  readonly pid = undefined;
  readonly run = undefined;
  readonly clock = 'hidden';
  /** It has no watchdog: it ends with the controller. */
  readonly watchdogReleases = 0n;
  readonly watchdogMs = Number.POSITIVE_INFINITY;
  readonly isSettled = true;
  /** The freeze in which it begins is the first. */
  #freezes = 1n;
  #frozen = true;
  #frozenSince = process.hrtime.bigint();
  #frozenNs = 0n;
  #over = false;

  constructor(
    readonly node: RunNode,
    readonly place: number,
    private readonly guest: LiveGuest,
    private readonly owner: BoardOwner,
  ) {}

  get spec(): BoardSpec {
    const { board } = this.node.spec;
    invariant(board !== undefined, () => `${this.node.spec.name} is not live`);
    return board;
  }

  get alive(): boolean {
    return this.guest.alive;
  }

  get cpuMs(): number {
    return this.guest.cpuMs;
  }

  get isGone(): boolean {
    return this.#over;
  }

  async prepare(): Promise<void> {
    this.guest.start();
  }

  async begin(): ReturnType<Board['begin']> {
    return { time: { monotonicNs: 0n, frozenNs: 0n, errorNs: 0n }, pauses: this.#freezes, frozenNs: 0n };
  }

  async isFrozen(): Promise<boolean> {
    return this.#frozen;
  }

  sense(line: string, level: Level): void {
    if (this.#over || line !== this.spec.pause || (level === 1) === this.#frozen) return;
    if (level === 1) this.#freeze();
    else this.#thaw();
  }

  extendWatchdog(): void {}

  async release(): Promise<void> {
    this.close();
  }

  close(): void {
    this.#over = true;
    this.guest.close();
  }

  #freeze(): void {
    const from = process.hrtime.bigint();
    this.guest.freeze();
    this.#frozenSince = process.hrtime.bigint();
    this.#frozen = true;
    this.#freezes++;
    this.owner.event({
      type: 'paused',
      number: this.#freezes,
      pausedAtNs: this.guest.now + this.#frozenNs,
      latencyNs: this.#frozenSince - from,
      spreadNs: 0n,
    });
  }

  #thaw(): void {
    const pausedAtNs = this.guest.now + this.#frozenNs;
    const from = process.hrtime.bigint();
    this.guest.thaw();
    this.#frozen = false;
    const frozenNs = from - this.#frozenSince;
    this.#frozenNs += frozenNs;
    this.owner.event({
      type: 'resumed',
      number: this.#freezes,
      pausedAtNs,
      resumedAtNs: pausedAtNs + frozenNs,
      latencyNs: process.hrtime.bigint() - from,
      frozenNs: this.#frozenNs,
      watchdogReleases: 0n,
    });
  }
}
