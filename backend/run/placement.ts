// SPDX-License-Identifier: MIT
import { readdirSync } from 'node:fs';
import { addon, processesOf } from '../../host/native/index.js';

/** A period, over which a place is measured, has so many windows, or takes so long if they are long. */
const WINDOWS = 128;
const PERIOD_MS = 100;
/** Periods at the beginning in which the places take turns: boots are not like what follows. */
const TRIALS = 6;
/** Periods after which another place is tried once more. */
const PATIENCE = 64;
/** How much cheaper another place has to be. */
const GAIN = 0.9;
/** How much what is known of a place may grow by one measurement. */
const FORGETTING = 1.1;
/** Milliseconds of wall time for an activation from which on the guests compute, whatever the place. */
const LONG_MS = 1;

/** `apart`: all use all processors. `together`: all use one. `split`: this process has one, the guests have the others. */
type Place = 'apart' | 'together' | 'split';
const PLACES: readonly Place[] = ['apart', 'together', 'split'];

/** Where the guests of a run are. */
export interface GuestPlaces {
  /** Process groups of their own. */
  groups(): ReadonlySet<number>;
  /** Threads of this process. */
  threads(): readonly number[];
}

/**
 * Which processors the guests of a run, and this process, use. Guests that take turns or do little at a time are faster
 * together, since waking another processor takes longer than what there is to do there; where many do little at once,
 * the guests and this process share the work if they are split; guests that compute are faster apart. Which is the case
 * is measured, as wall time for each activation. Nothing of virtual time depends on it.
 */
export class Placement {
  readonly #all = addon.getAffinity();
  readonly #cost: Partial<Record<Place, number>> = {};
  #place: Place = 'apart';
  /** In which period each was measured last. */
  readonly #measured: Record<Place, number> = { apart: 0, together: 0, split: 0 };
  #periods = 0;
  /** Periods since the last change. */
  #unchanged = 0;
  #windows = 0;
  #began = performance.now();
  #activations = 0;

  /** @param jobs how many guests may run at once */
  constructor(
    private readonly guests: GuestPlaces,
    private readonly jobs: number,
  ) {}

  /** A window begins; so many activations have been so far. */
  window(activations: number): void {
    if (this.#all.length < 2) return;
    const now = performance.now();
    if (++this.#windows < WINDOWS && (now - this.#began < PERIOD_MS || this.#windows < 2)) return;
    const done = activations - this.#activations;
    const measured = done > 0 ? (now - this.#began) / done : Number.POSITIVE_INFINITY;
    // One period in which something else was in the way does not spoil a place.
    const known = this.#cost[this.#place] ?? measured;
    this.#cost[this.#place] = Math.min(measured, known * FORGETTING);
    this.#measured[this.#place] = ++this.#periods;
    this.#unchanged++;
    const place = this.#choose(measured);
    if (place !== this.#place) this.#move(place);
    this.#windows = 0;
    this.#activations = activations;
    this.#began = performance.now();
  }

  /** Gives this process back what it may use. */
  release(): void {
    if (this.#place !== 'apart') addon.setAffinity(0, this.#all);
    this.#place = 'apart';
  }

  #choose(measured: number): Place {
    // Two places more would have to be tried, at half the speed, to see what is known.
    if (this.jobs > 1 && measured > LONG_MS) return 'apart';
    if (this.#periods <= TRIALS || this.#unchanged > PATIENCE) {
      const last = (place: Place) => this.#measured[place];
      return PLACES.reduce((oldest, place) => (last(place) < last(oldest) ? place : oldest));
    }
    const cost = (place: Place) => this.#cost[place] ?? Number.POSITIVE_INFINITY;
    const best = PLACES.reduce((least, place) => (cost(place) < cost(least) ? place : least));
    return cost(best) < cost(this.#place) * GAIN ? best : this.#place;
  }

  #move(place: Place): void {
    const here = [addon.currentCpu()];
    const elsewhere = this.#all.filter((cpu) => cpu !== here[0]);
    const [own, guests] = {
      apart: [this.#all, this.#all],
      together: [here, here],
      split: [here, elsewhere],
    }[place] as [number[], number[]];
    this.#place = place;
    this.#unchanged = 0;
    addon.setAffinity(0, own);
    for (const thread of this.guests.threads()) addon.setAffinity(thread, guests);
    const groups = this.guests.groups();
    if (groups.size === 0) return;
    for (const { pid } of processesOf(groups)) {
      for (const thread of threadsOf(pid)) addon.setAffinity(thread, guests);
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
