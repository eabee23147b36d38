// SPDX-License-Identifier: MIT
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeInitramfs } from '../../guest/initramfs.js';
import { packageFile } from '../../host/package-root.js';
import { umlArguments } from '../../host/uml/command-line.js';
import { umlKernel } from '../../host/uml/kernel.js';

const MEMORY = 64 * 1024 * 1024;
const INITRAMFS = 'initramfs';

export interface ForeignGuestOptions {
  /** Its place among the guests of the test. */
  readonly place: number;
  readonly run: string;
  /** Sockets by their place in the folder above the guest's, with the virtio device type. */
  readonly devices?: readonly { readonly socket: string; readonly type: number }[];
  /** The time socket's name in the folder above the guest's. */
  readonly time?: string;
}

/** A User-Mode Linux guest that a test starts by itself, for a calendar that does not know it. */
export class ForeignGuest {
  readonly child: ChildProcess;
  readonly #console: string;
  readonly #ended: Promise<unknown>;

  /** @param folder where the sockets are; the guest gets a folder of its own there */
  constructor(folder: string, options: ForeignGuestOptions) {
    const { place, run, devices = [], time = 'time' } = options;
    const own = join(folder, `guest${place}`);
    mkdirSync(own);
    const description = { hostname: `guest${place}`, root: 'initramfs', interfaces: [], run } as const;
    writeInitramfs(packageFile('build/base.cpio'), description, join(own, INITRAMFS));
    const words = umlArguments({
      memory: MEMORY,
      seed: BigInt(place),
      timeSocket: `../${time}`,
      initramfs: INITRAMFS,
      devices: devices.map(({ socket, type }) => ({ socket: `../${socket}`, type })),
    }).filter((word) => !word.startsWith('time-travel='));
    this.#console = join(own, 'console');
    const output = openSync(this.#console, 'w');
    this.child = spawn(
      umlKernel(undefined),
      [...words, 'console=tty0', `time-travel=ext:${place}:../${time}`],
      { cwd: own, env: {}, stdio: ['ignore', output, output], detached: true },
    );
    this.#ended = once(this.child, 'exit');
    closeSync(output);
  }

  /** What it has written to its console so far. */
  get console(): string {
    return readFileSync(this.#console, 'utf8');
  }

  /** Waits for its process to end. @returns what it wrote to its console */
  async ended(): Promise<string> {
    await this.#ended;
    return this.console;
  }

  /** Ends it, with all that belongs to it. */
  kill(): void {
    if (this.child.exitCode === null && this.child.signalCode === null && this.child.pid !== undefined) {
      process.kill(-this.child.pid, 'SIGKILL');
    }
  }
}
