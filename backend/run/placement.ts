// SPDX-License-Identifier: MIT
import { readdirSync } from 'node:fs';
import { addon, processesOf } from '../../host/native/index.js';

/** Windows after which the place of the guests is looked at again. */
const PERIOD = 128;
/** Where fewer than one window in so many has work for two guests, they take turns. */
const ALONE = 8;

/**
 * Which processors the guests of a run use. Guests that take turns, as in a ping, are faster on one processor, this
 * process with them: waking another processor takes longer than what there is to do. Nothing of virtual time depends
 * on it.
 */
export class Placement {
  readonly #all = addon.getAffinity();
  #windows = 0;
  #shared = 0;
  #together = false;

  /** @param groups the process groups of the guests */
  constructor(private readonly groups: () => ReadonlySet<number>) {}

  /** A window begins, in which so many domains with guests have work. */
  window(domains: number): void {
    if (this.#all.length < 2) return;
    if (domains > 1) this.#shared++;
    if (++this.#windows < PERIOD) return;
    const together = this.#shared * ALONE < this.#windows;
    this.#windows = this.#shared = 0;
    if (together !== this.#together) this.#place(together);
  }

  /** Gives this process back what it may use. */
  release(): void {
    if (this.#together) addon.setAffinity(0, this.#all);
    this.#together = false;
  }

  #place(together: boolean): void {
    const cpus = together ? [addon.currentCpu()] : this.#all;
    this.#together = together;
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
