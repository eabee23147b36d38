// SPDX-License-Identifier: MIT
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { copyFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { type GpioLevel, VirtioGpio, VirtioNet } from '../../backend/devices/index.js';
import { INITRAMFS } from '../../backend/participants/uml.js';
import { VirtualBoard } from '../../backend/participants/virtual-board.js';
import { RunFolder } from '../../backend/run/run-folder.js';
import { boardModule, describeBoard } from '../../guest/board.js';
import { writeInitramfs } from '../../guest/initramfs.js';
import { NativeHub } from '../../host/native/index.js';
import { packageFile } from '../../host/package-root.js';
import { umlKernel } from '../../host/uml/kernel.js';
import { until } from '../support/wait.js';
import { TestLink } from './support.js';

/** Starting kernel and agent, on a machine that is busy with other things. */
const BOOT_MS = 60_000;
/** How long the hub is waited for before the event loop has its turn. */
const POLL_MS = 1;
const MAC = Uint8Array.of(2, 0, 0, 0, 0, 1);
/** Lines of the board's GPIO chip, by what the tests use them for. */
export const LINE = { PAUSE: 0, RESUME: 1, SIGNAL: 2, OTHER: 3 } as const;
const LINES = ['', '', '', ''];

/** What the board's kernel calls its line 0 in sysfs. */
export const FIRST_LINE = 512;

/** A virtual board with one network card and a GPIO chip, and all that it has told. */
export class TestVirtualBoard {
  readonly key = randomBytes(32);
  readonly folder = new RunFolder();
  readonly failures: Error[] = [];
  readonly frames: Uint8Array[] = [];
  /** What the board did to its lines. */
  readonly drives: [line: number, level: GpioLevel | undefined][] = [];
  readonly dialled: Duplex[] = [];
  readonly gpio: VirtioGpio;
  readonly net: VirtioNet;
  readonly board: VirtualBoard;
  console = '';
  readonly #hub = new NativeHub();
  #over = false;

  /** @param moved has the module in the run's folder, which is below /tmp */
  constructor({ kernel, moved = false }: { readonly kernel?: string; readonly moved?: boolean } = {}) {
    if (!existsSync(boardModule())) execFileSync(packageFile('kmod/build.sh'), ['uml'], { stdio: 'pipe' });
    const folder = this.folder.nodeFolder('bp1');
    const interfaces = [{ name: 'eth0', mac: MAC, mtu: 1500, addresses: ['10.0.0.1/24'] }];
    const module = moved ? join(this.folder.nodeFolder('module'), 'vtgpio.ko') : boardModule();
    if (moved) copyFileSync(boardModule(), module);
    const guest = describeBoard({ hostname: 'bp1', interfaces }, this.key, module);
    writeInitramfs(packageFile('build/base.cpio'), guest, join(folder, INITRAMFS));
    this.gpio = new VirtioGpio(
      { name: 'gpio of bp1', lines: LINES },
      { drive: (line, level) => this.drives.push([line, level]), released: () => undefined },
    );
    this.net = new VirtioNet(
      { name: 'eth0 of bp1', mac: MAC },
      { transmit: (frame) => this.frames.push(frame) },
    );
    this.board = new VirtualBoard(
      {
        name: 'bp1',
        folder,
        kernel: umlKernel(kernel),
        memory: 384 * 2 ** 20,
        devices: [this.net, this.gpio],
      },
      {
        console: (bytes) => {
          this.console += Buffer.from(bytes).toString('latin1');
        },
        failed: (error) => this.failures.push(error),
      },
      this.#hub,
    );
    onTestFinished(() => this.#end());
    this.board.start();
    void this.#pump();
  }

  /** The board's folder. */
  get path(): string {
    return join(this.folder.path, 'bp1');
  }

  async link(key = this.key): Promise<TestLink> {
    const dial = () => {
      const connection = this.board.dial();
      this.dialled.push(connection);
      return connection;
    };
    const at = { dial, by: 'its relay' };
    return TestLink.open({ name: 'bp1', key, at, bounds: { reachMs: BOOT_MS } });
  }

  /** A link, with the module loaded. */
  async ready(): Promise<TestLink> {
    const test = await this.link();
    const chip = this.board.chipLabel(this.gpio);
    const line = (offset: number) => `${chip}:${offset}`;
    await test.link.loadModule({
      pause: line(LINE.PAUSE),
      resume: line(LINE.RESUME),
      signal: line(LINE.SIGNAL),
    });
    return test;
  }

  /** The level of the wire that pauses. */
  sensePause(level: GpioLevel): void {
    this.gpio.sense(LINE.PAUSE, level);
    this.gpio.sense(LINE.RESUME, level);
  }

  failed(): Promise<Error> {
    return until('the board fails', () => this.failures[0], BOOT_MS);
  }

  async #pump(): Promise<void> {
    while (!this.#over) {
      while (!this.#over && this.#hub.poll(POLL_MS) > 0);
      await setImmediate();
    }
  }

  #end(): void {
    this.#over = true;
    this.board.close();
    this.#hub.close();
    this.folder.remove();
  }
}
