// SPDX-License-Identifier: MIT
import { readdirSync } from 'node:fs';
import { addon, processesOf } from '../../host/native/index.js';

/** A period, over which a place is measured, has so many windows, or takes so long if they are long. */
const WINDOWS = 128;
const PERIOD_MS = 100;
/** Periods at the beginning in which the two places take turns: boots are not like what follows. */
const TRIALS = 6;
/** Periods after which the other place is tried once more. */
const PATIENCE = 64;
/** How much cheaper the other place has to be. */
const GAIN = 0.9;

type Place = 'apart' | 'together';

/**
 * Which processors the guests of a run use: any, or all of them one, this process with them. Guests that take turns or
 * do little at a time are faster together, since waking another processor takes longer than what there is to do there;
 * guests that compute are faster apart. Which is the case here is measured, as wall time for each activation. Nothing
 * of virtual time depends on it.
 */
export class Placement {
  readonly #all = addon.getAffinity();
  readonly #cost: Partial<Record<Place, number>> = {};
  #place: Place = 'apart';
  #periods = 0;
  /** Periods since the other place was measured. */
  #unchanged = 0;
  #windows = 0;
  #began = performance.now();
  #activations = 0;

  /** @param groups the process groups of the guests */
  constructor(private readonly groups: () => ReadonlySet<number>) {}

  /** A window begins; so many activations have been so far. */
  window(activations: number): void {
    if (this.#all.length < 2) return;
    const now = performance.now();
    if (++this.#windows < WINDOWS && (now - this.#began < PERIOD_MS || this.#windows < 2)) return;
    const done = activations - this.#activations;
    if (done > 0) this.#cost[this.#place] = (now - this.#began) / done;
    this.#periods++;
    this.#unchanged++;
    if (this.#prefersOther()) this.#move(this.#place === 'apart' ? 'together' : 'apart');
    this.#windows = 0;
    this.#activations = activations;
    this.#began = performance.now();
  }

  /** Gives this process back what it may use. */
  release(): void {
    if (this.#place === 'together') addon.setAffinity(0, this.#all);
    this.#place = 'apart';
  }

  #prefersOther(): boolean {
    if (this.#periods <= TRIALS || this.#unchanged > PATIENCE) return true;
    const { apart = 0, together = 0 } = this.#cost;
    return this.#place === 'apart' ? together < apart * GAIN : apart < together * GAIN;
  }

  #move(place: Place): void {
    const cpus = place === 'together' ? [addon.currentCpu()] : this.#all;
    this.#place = place;
    this.#unchanged = 0;
    addon.setAffinity(0, cpus);
    for (const { pid } of processesOf(this.groups())) {
      for (const thread of threadsOf(pid)) addon.setAffinity(thread, cpus);
    }
  }
}

/** None where the process has ended meanwhile. */
function threadsOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).map(Number);
  } catch {
    return [];
  }
}
