// SPDX-License-Identifier: MIT
import type { Update } from '../../protocols/write-update/index.js';
import { type Method, supersedes } from './order.js';

/** What one member, or the hub, knows of the group's variables: for each the update that it has its value from. */
export class Replica {
  readonly #updates = new Map<number, Update>();

  constructor(private readonly method: Method) {}

  /** Takes an update. @returns whether the variable has its value from it now */
  take(update: Update): boolean {
    const present = this.#updates.get(update.variable);
    if (present !== undefined && !supersedes(this.method, update, present)) return false;
    this.#updates.set(update.variable, update);
    return true;
  }

  get(variable: number): Update | undefined {
    return this.#updates.get(variable);
  }

  /** Of every variable that was ever set, in the order in which they were set first. */
  updates(): readonly Update[] {
    return [...this.#updates.values()];
  }
}
