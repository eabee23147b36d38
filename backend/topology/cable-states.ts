// SPDX-License-Identifier: MIT
import type { CableSpec, ChangeSpec, Topology } from './model.js';

/** What a link, or a port of a switch, does to frames, and whether it lets any through. */
export interface CableState extends CableSpec {
  readonly up: boolean;
}

/** A link, or one port of a switch, that has become another one. */
export interface ChangedCable {
  /** The port's index in its switch; undefined: a link. */
  readonly port: number | undefined;
  readonly before: CableState;
  readonly now: CableState;
}

/** What the links and switches of a topology are, from the beginning on and after each change. */
export class CableStates {
  /** By name: one of a link, one for each port of a switch. */
  readonly #states = new Map<string, CableState[]>();
  readonly #switches: ReadonlySet<string>;

  constructor({ links, switches }: Topology) {
    for (const link of links) this.#states.set(link.name, [stateOf(link)]);
    for (const each of switches)
      this.#states.set(
        each.name,
        each.ports.map(() => stateOf(each)),
      );
    this.#switches = new Set(switches.map(({ name }) => name));
  }

  /** @param port the index of the switch's port; undefined: `name` is a link */
  of(name: string, port: number | undefined): CableState {
    return (this.#states.get(name) as CableState[])[port ?? 0] as CableState;
  }

  /** Makes a change. @returns every cable that it is about, in the order of the ports */
  apply({ name, port: only, cable, state }: ChangeSpec): ChangedCable[] {
    const states = this.#states.get(name) as CableState[];
    const isSwitch = this.#switches.has(name);
    return states.flatMap((before, place) => {
      if (only !== undefined && only !== place) return [];
      const now = {
        latency: cable.latency ?? before.latency,
        rate: cable.rate ?? before.rate,
        loss: cable.loss ?? before.loss,
        jitter: cable.jitter ?? before.jitter,
        queue: cable.queue ?? before.queue,
        up: state === undefined ? before.up : state === 'up',
      };
      states[place] = now;
      return [{ port: isSwitch ? place : undefined, before, now }];
    });
  }
}

function stateOf({ latency, rate, loss, jitter, queue }: CableSpec): CableState {
  return { latency, rate, loss, jitter, queue, up: true };
}
