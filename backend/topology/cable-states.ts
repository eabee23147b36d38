// SPDX-License-Identifier: MIT
import { NO_TIME } from '../calendar/time.js';
import type { CableSpec, ChangeSpec, Topology } from './model.js';

/** What a link, or a port of a switch, does to frames, and whether it lets any through. A wire has a latency only. */
export interface CableState extends CableSpec {
  readonly up: boolean;
}

/** A link, a wire, or one port of a switch, that has become another one. */
export interface ChangedCable {
  /** The port's index in its switch; undefined: a link or a wire. */
  readonly port: number | undefined;
  readonly before: CableState;
  readonly now: CableState;
}

/** What the links, switches and wires of a topology are, from the beginning on and after each change. */
export class CableStates {
  /** By name: one of a link or wire, one for each port of a switch. */
  readonly #states = new Map<string, CableState[]>();
  readonly #switches: ReadonlySet<string>;

  constructor({ links, switches, wires }: Topology) {
    for (const link of links) this.#states.set(link.name, [stateOf(link)]);
    for (const { name, latency } of wires) this.#states.set(name, [stateOf({ ...NO_CABLE, latency })]);
    for (const each of switches)
      this.#states.set(
        each.name,
        each.ports.map(() => stateOf(each)),
      );
    this.#switches = new Set(switches.map(({ name }) => name));
  }

  /** @param port the index of the switch's port; undefined: `name` is a link or a wire */
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

/** What a wire does to frames. */
const NO_CABLE = { rate: undefined, loss: 0, jitter: NO_TIME, queue: 0 } as const;

function stateOf({ latency, rate, loss, jitter, queue }: CableSpec): CableState {
  return { latency, rate, loss, jitter, queue, up: true };
}
