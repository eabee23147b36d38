// SPDX-License-Identifier: MIT
import type { WriteStream } from 'node:tty';
import type { Run } from '../run/index.js';

/** Between two looks on a terminal, and between two plain lines elsewhere. */
const LIVE_MS = 100;
const PLAIN_MS = 5_000;

/** Shows how a run goes: one line that changes on a terminal, a line now and then elsewhere. */
export class Progress {
  #last = 0;
  #shown = false;

  constructor(
    private readonly stream: WriteStream,
    private readonly enabled: boolean,
  ) {}

  show(run: Run): void {
    if (!this.enabled) return;
    const now = run.wallMs;
    if (now - this.#last < (this.stream.isTTY ? LIVE_MS : PLAIN_MS)) return;
    this.#last = now;
    const line = describe(run);
    if (!this.stream.isTTY) {
      this.stream.write(`${line}\n`);
      return;
    }
    this.#shown = true;
    const width = this.stream.columns || 80;
    this.stream.write(`\r\x1b[K${line.length < width ? line : `${line.slice(0, width - 2)}…`}`);
  }

  /** Clears the line. */
  end(): void {
    if (this.#shown) this.stream.write('\r\x1b[K');
  }
}

/** `12.3 s virtual, 4.1 s wall (3.0x), 1024 events, 2 running, 1 exited` */
function describe(run: Run): string {
  const virtual = Number(run.virtualTime / 1_000_000n) / 1000;
  const wall = run.wallMs / 1000;
  const states = new Map<string, number>();
  for (const { state } of run.nodes) states.set(state, (states.get(state) ?? 0) + 1);
  return [
    `${virtual.toFixed(3)} s virtual`,
    `${wall.toFixed(1)} s wall (${(virtual / wall).toFixed(1)}x)`,
    `${run.events} events`,
    ...[...states].map(([state, count]) => `${count} ${state}`),
  ].join(', ');
}
