// SPDX-License-Identifier: MIT
import type { BoardGuard } from '../../host/board/guard.js';
import type { VtDevice } from '../../host/board/vt-device.js';
import type { BoardProcess } from '../../protocols/board/index.js';

/** The processes that a session has put on the module's list, and that have to leave it with the session. */
export class OwnedProcesses {
  readonly #pids = new Set<number>();

  constructor(
    private readonly device: VtDevice,
    private readonly guard: Pick<BoardGuard, 'own'>,
  ) {}

  /** Registers all of `processes`, or none. @throws an Error with the errno */
  add(processes: readonly BoardProcess[]): void {
    this.device.change(processes.map(({ pid, tree }) => ({ type: 'add', pid, tree })));
    for (const { pid } of processes) {
      this.#pids.add(pid);
      this.guard.own(pid);
    }
  }

  /** Takes out all of `pids`, or none. @throws an Error with the errno */
  remove(pids: readonly number[]): void {
    this.device.change(pids.map((pid) => ({ type: 'remove', pid })));
    for (const pid of pids) this.#pids.delete(pid);
  }

  /** Takes out what is left. @throws an Error with the errno, with everything else taken out all the same */
  clear(): void {
    if (this.#pids.size === 0) return;
    let first: unknown;
    for (const pid of this.device.listed()) {
      if (!this.#pids.has(pid)) continue;
      try {
        this.device.change([{ type: 'remove', pid }]);
      } catch (error) {
        // A process that has just ended has left the list by itself.
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') first ??= error;
      }
    }
    this.#pids.clear();
    if (first !== undefined) throw first;
  }
}
