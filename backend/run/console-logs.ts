// SPDX-License-Identifier: MIT
import { openSync } from 'node:fs';
import { join } from 'node:path';
import type { Instant } from '../calendar/index.js';
import { ConsoleLog } from '../trace/console-log.js';

/** The console logs of a run, by the index of the node. */
export class ConsoleLogs {
  readonly #logs: readonly ConsoleLog[];

  /** @param folder where they go; undefined: nowhere */
  constructor(names: readonly string[], folder: string | undefined) {
    this.#logs =
      folder === undefined
        ? []
        : names.map((name) => new ConsoleLog(openSync(join(folder, `${name}.log`), 'w', 0o644)));
  }

  write(node: number, at: Instant, bytes: Uint8Array): void {
    this.#logs[node]?.write(at, bytes);
  }

  /** Writes what was gathered, so that people see it while the run goes on. */
  flush(): void {
    for (const log of this.#logs) log.flush();
  }

  close(): void {
    for (const log of this.#logs) log.close();
  }
}
