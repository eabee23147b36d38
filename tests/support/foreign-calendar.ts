// SPDX-License-Identifier: MIT
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';
import { packageFile } from '../../host/package-root.js';
import { ForeignGuest, type ForeignGuestOptions } from './foreign-guest.js';

/** How `oneclock serve` ended. */
export interface ServeEnd {
  readonly status: number | null;
  readonly stderr: string;
}

/** `oneclock serve` in a folder of its own, which goes with the test, and the guests started there. */
export class ForeignCalendar {
  readonly folder = mkdtempSync(join(tmpdir(), 'serve-'));
  readonly child: ChildProcess;
  readonly ended: Promise<ServeEnd>;
  readonly #lines: string[] = [];
  readonly #waiting = new Set<() => void>();
  readonly #guests: ForeignGuest[] = [];
  #over = false;

  /** @param words options besides `--time time` */
  constructor(words: readonly string[]) {
    this.child = spawn(
      process.execPath,
      [packageFile('dist/backend/cli/main.js'), 'serve', '--time', 'time', ...words],
      { cwd: this.folder, stdio: ['ignore', 'inherit', 'pipe'] },
    );
    if (!this.child.stderr) throw new Error('no standard error');
    createInterface({ input: this.child.stderr }).on('line', (line) => {
      this.#lines.push(line);
      for (const look of [...this.#waiting]) look();
    });
    this.ended = once(this.child, 'close').then(([status]) => {
      this.#over = true;
      for (const look of [...this.#waiting]) look();
      return { status, stderr: this.stderr };
    });
    onTestFinished(() => {
      for (const guest of this.#guests) guest.kill();
      this.child.kill('SIGKILL');
      rmSync(this.folder, { recursive: true, force: true });
    });
  }

  get stderr(): string {
    return this.#lines.join('\n');
  }

  /** The path of one of its sockets. */
  path(name: string): string {
    return join(this.folder, name);
  }

  /** Sockets and other files that it has in its folder. */
  get files(): string[] {
    return readdirSync(this.folder).filter((name) => !name.startsWith('guest'));
  }

  /** How many of its lines have `text`. */
  count(text: string): number {
    return this.#lines.filter((line) => line.includes(text)).length;
  }

  /** Waits until it has said `text`, `times` over. @throws where it ended without */
  async said(text: string, times = 1): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const look = () => {
        const found = this.count(text) >= times;
        if (!found && !this.#over) return;
        this.#waiting.delete(look);
        if (found) resolve();
        else reject(new Error(`"${text}" was not said: ${this.stderr}`));
      };
      this.#waiting.add(look);
      look();
    });
  }

  /** Waits until clients can connect. */
  ready(): Promise<void> {
    return this.said('waiting for');
  }

  guest(options: ForeignGuestOptions): ForeignGuest {
    const guest = new ForeignGuest(this.folder, options);
    this.#guests.push(guest);
    return guest;
  }

  interrupt(): void {
    this.child.kill('SIGINT');
  }
}
