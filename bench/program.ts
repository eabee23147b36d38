// SPDX-License-Identifier: MIT
import { type ChildProcess, spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';

/** Runs a program and says on descriptor 3 what CPU time it took, with the children that it waited for. */
const ACCOUNTED = '"$@"; status=$?; times >&3; exit "$status"';
const ERROR_BYTES = 2000;

/** How a program ended. */
export interface Ended {
  /** As a shell has it: 128 and the signal's number where a signal ended it. */
  readonly status: number;
  readonly stdout: string;
  /** The end of it. */
  readonly stderr: string;
  readonly wallMs: number;
  /** With all that it waited for; in steps of 10 ms. */
  readonly cpuMs: number;
}

const running = new Set<Program>();

/** Ends every program that has not ended. */
export function endPrograms(signal: NodeJS.Signals): void {
  for (const program of running) program.kill(signal);
}

/** A program in a process group of its own, which is killed when its time is over. */
export class Program {
  /** Never rejects, except where the program cannot be started. */
  readonly ended: Promise<Ended>;
  readonly #child: ChildProcess;
  #over = false;

  constructor(
    readonly name: string,
    command: readonly string[],
    options: { readonly cwd?: string; readonly limitMs: number },
  ) {
    const begun = performance.now();
    this.#child = spawn('/bin/sh', ['-c', ACCOUNTED, 'sh', ...command], {
      cwd: options.cwd,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    });
    running.add(this);
    const timer = setTimeout(() => this.kill('SIGKILL'), options.limitMs);
    this.ended = this.#wait(begun).finally(() => {
      clearTimeout(timer);
      this.#over = true;
      running.delete(this);
    });
    // Whoever started several waits for one after the other.
    this.ended.catch(() => undefined);
  }

  /** Of the shell that runs it; undefined where that could not be started. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  get over(): boolean {
    return this.#over;
  }

  kill(signal: NodeJS.Signals): void {
    const { pid } = this.#child;
    if (this.#over || pid === undefined) return;
    try {
      process.kill(-pid, signal);
    } catch {
      // It has ended; that is about to be noticed.
    }
  }

  async #wait(begun: number): Promise<Ended> {
    const child = this.#child;
    const [, output, errors, account] = child.stdio;
    const exit = new Promise<number>((resolve, reject) => {
      child.on('error', reject);
      child.on('exit', (code) => resolve(code ?? 137));
    });
    const timed = exit.then((status) => ({ status, wallMs: performance.now() - begun }));
    const [{ status, wallMs }, stdout, stderr, times] = await Promise.all([
      timed,
      text(output as NodeJS.ReadableStream),
      text(errors as NodeJS.ReadableStream),
      text(account as NodeJS.ReadableStream),
    ]);
    return { status, stdout, stderr: stderr.slice(-ERROR_BYTES), wallMs, cpuMs: childrenMs(times) };
  }
}

/** The second line of the shell's `times`: user and system time of its children, such as `0m1.20s 0m0.31s`. */
function childrenMs(times: string): number {
  const line = times.split('\n')[1] ?? '';
  const parts = [...line.matchAll(/(\d+)m([\d.]+)s/g)];
  return parts.reduce(
    (sum, [, minutes, seconds]) => sum + Number(minutes) * 60_000 + Number(seconds) * 1000,
    0,
  );
}
