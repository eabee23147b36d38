// SPDX-License-Identifier: MIT
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * The run's own temporary folder, where sockets and initial file systems live. It goes with the run, however that
 * ends: a helper waits on a pipe that only this process holds, and removes the folder when the pipe breaks, as it
 * does even after SIGKILL. The helper is there before the folder, so that there is no moment without it.
 */
export class RunFolder {
  readonly path = join(tmpdir(), `oneclock-${randomBytes(8).toString('hex')}`);
  readonly #guard = spawn(
    '/bin/sh',
    ['-c', 'trap "" INT TERM HUP; read -r _; rm -rf -- "$1"', 'sh', this.path],
    {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
    },
  );

  constructor() {
    this.#guard.unref();
    // A guard that cannot be started, or is killed, costs only the protection against SIGKILL.
    this.#guard.on('error', () => undefined);
    this.#guard.stdin?.on('error', () => undefined);
    mkdirSync(this.path, { mode: 0o700 });
  }

  /** Makes a node's folder. */
  nodeFolder(name: string): string {
    const folder = join(this.path, name);
    mkdirSync(folder, { mode: 0o700 });
    return folder;
  }

  /** Removes a node's folder: its guest has gone, and there is another. */
  removeNodeFolder(name: string): void {
    rmSync(join(this.path, name), { recursive: true, force: true });
  }

  /** Removes everything. Synchronous, so that it can be the last thing that a process does. */
  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
    this.#guard.stdin?.destroy();
  }
}
