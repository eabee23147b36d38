// SPDX-License-Identifier: MIT
import type { Line } from '../../host/gpio/index.js';
import type { OneclockError } from '../errors.js';
import type { Level } from '../wires/index.js';

/** The copper beyond a wire, as the wire has to do with it. */
export interface Copper {
  /** Says who holds it: the line of this machine that hears it, or else that which drives it. */
  readonly name: string;
  /** Makes it active, or lets go of it. Where others turn out to hold it then, they are heard of before this returns. */
  drive(active: boolean): void;
  /** Begins to tell whether others hold it: at once where they do, and of each change from then on. */
  listen(heard: (held: boolean) => void): void;
}

export interface HostLineOptions {
  readonly name: string;
  /** An output that is inactive, and an input; on the same copper. */
  readonly drive: Line | undefined;
  readonly sense: Line | undefined;
  /** The level that wins on the copper: high where it is pulled down. */
  readonly active: Level;
  /** Edges cannot be heard any more. */
  failed(error: OneclockError): void;
}

/**
 * GPIO lines of this machine, as the end of a wire: one drives the copper, and one hears what all do to it, ourselves
 * included.
 *
 * While we hold the copper, others can do nothing that is heard, and edges say nothing. When we let go, what is left on it is
 * theirs; so the line is read then, and edges that the kernel saw before count no more, whenever they are told.
 */
export class HostLine implements Copper {
  #driving = false;
  #held = false;
  /** When we let go of the copper last. */
  #quietSince = 0n;
  #heard: (held: boolean) => void = () => undefined;
  #unwatch: (() => void) | undefined;

  constructor(
    private readonly options: HostLineOptions,
    /** CLOCK_MONOTONIC, by which edges have their times. */
    private readonly monotonicNs: () => bigint = process.hrtime.bigint,
  ) {}

  get name(): string {
    return this.options.name;
  }

  drive(active: boolean): void {
    const { drive, sense } = this.options;
    if (!drive || active === this.#driving) return;
    this.#driving = active;
    drive.write(this.#level(active));
    if (active || !sense) return;
    this.#quietSince = this.monotonicNs();
    this.#hear(sense.read());
  }

  listen(heard: (held: boolean) => void): void {
    this.#heard = heard;
    const { sense, failed } = this.options;
    if (!sense) return;
    this.#unwatch = sense.watch({
      onEdge: ({ level, at }) => {
        if (!this.#driving && at > this.#quietSince) this.#hear(level);
      },
      onError: failed,
    });
    if (!this.#driving) this.#hear(sense.read());
  }

  /** Lets go of the copper and gives the lines back. Safe to call twice. */
  close(): void {
    const { drive, sense } = this.options;
    const unwatch = this.#unwatch;
    this.#unwatch = undefined;
    this.#heard = () => undefined;
    const driving = this.#driving;
    this.#driving = false;
    const steps = [
      // The kernel may leave the level as it is when it takes a line back.
      () => driving && drive?.write(this.#level(false)),
      () => unwatch?.(),
      () => drive?.close(),
      () => sense?.close(),
    ];
    for (const step of steps) {
      try {
        step();
      } catch {
        // Each is tried; what is wrong with a line has been said when it was used.
      }
    }
  }

  #level(active: boolean): Level {
    return active === (this.options.active === 1) ? 1 : 0;
  }

  #hear(level: Level): void {
    const held = level === this.options.active;
    if (held === this.#held) return;
    this.#held = held;
    this.#heard(held);
  }
}
