// SPDX-License-Identifier: MIT
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { onTestFinished } from 'vitest';

const PROGRAM = 'qemu-system-x86_64';
const NETWORK_ROM = '/usr/lib/ipxe/qemu/pxe-virtio.rom';

/** Why tests with QEMU cannot run here; empty where they can. */
export const qemuMissing = [
  ...(spawnSync(PROGRAM, ['--version']).status === 0 ? [] : ['qemu-system-x86']),
  ...(existsSync(NETWORK_ROM) ? [] : ['ipxe-qemu']),
].join(' ');

/** QEMU with a network card behind a vhost-user socket, which boots from the network: it asks for an address. */
export class Qemu {
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  readonly #waiting = new Set<() => void>();
  #output = '';
  #over = false;

  constructor(socket: string, queues = 1) {
    const many = queues === 1 ? ['', ''] : [`,queues=${queues}`, `,mq=on,vectors=${2 * queues + 2}`];
    this.#child = spawn(
      PROGRAM,
      [
        ...[
          '-accel',
          'tcg',
          '-machine',
          'q35,graphics=off',
          '-m',
          '128M',
          '-nographic',
          '-no-user-config',
          '-nodefaults',
        ],
        ...['-object', 'memory-backend-memfd,id=mem,size=128M,share=on', '-numa', 'node,memdev=mem'],
        ...['-serial', 'stdio', '-boot', 'n'],
        ...['-chardev', `socket,id=c,path=${socket}`, '-netdev', `vhost-user,id=n,chardev=c${many[0]}`],
        ...['-device', `virtio-net-pci,netdev=n${many[1]}`],
      ],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on('data', (bytes: Buffer) => {
        this.#output += bytes.toString('latin1');
        this.#look();
      });
    }
    this.#ended = once(this.#child, 'close').then(() => {
      this.#over = true;
      this.#look();
    });
    onTestFinished(() => {
      this.#child.kill('SIGKILL');
    });
  }

  /** Waits until it has written something that `pattern` finds. @throws where it ended without */
  async wrote(pattern: RegExp): Promise<string> {
    return await new Promise((resolve, reject) => {
      const look = () => {
        const found = pattern.exec(this.#output);
        if (!found && !this.#over) return;
        this.#waiting.delete(look);
        if (found) resolve(found[0]);
        else reject(new Error(`${pattern} was not written: ${this.#output}`));
      };
      this.#waiting.add(look);
      look();
    });
  }

  async quit(): Promise<void> {
    this.#child.kill('SIGTERM');
    await this.#ended;
  }

  #look(): void {
    for (const look of [...this.#waiting]) look();
  }
}
