// SPDX-License-Identifier: MIT
import { execFileSync } from 'node:child_process';
import { constants, mkdtempSync, openSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * A pipe that a child gets as both its standard output and its standard error, so that the order of what it writes
 * is kept. Not one of Node.js's own: those are sockets, and /dev/stderr of a socket cannot be opened.
 */
export class OutputPipe {
  /** Open for writing, and the caller's to close when the child has it. */
  readonly writeEnd: number;
  readonly #reader: Socket;

  /**
   * @param data called with what was written
   * @param end called when nobody has the write end any more
   */
  constructor(data: (bytes: Uint8Array) => void, end: () => void) {
    const folder = mkdtempSync(join(tmpdir(), 'oneclock-board-'));
    let readEnd: number;
    try {
      const path = join(folder, 'output');
      execFileSync('mkfifo', ['-m', '600', path], { stdio: ['ignore', 'ignore', 'pipe'], timeout: 10_000 });
      // Without O_NONBLOCK this would wait for a writer.
      readEnd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
      this.writeEnd = openSync(path, constants.O_WRONLY);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
    this.#reader = new Socket({ fd: readEnd, readable: true, writable: false });
    this.#reader.on('data', data);
    this.#reader.on('close', end);
    this.#reader.on('error', () => this.#reader.destroy());
  }

  /** Leaves what is written in the pipe; a writer waits when that is full. */
  pause(): void {
    this.#reader.pause();
  }

  resume(): void {
    this.#reader.resume();
  }

  close(): void {
    this.#reader.destroy();
  }
}
