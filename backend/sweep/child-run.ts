// SPDX-License-Identifier: MIT
import { type ChildProcess, fork } from 'node:child_process';
import type { Readable } from 'node:stream';
import { packageFile } from '../../host/package-root.js';
import type { RunResult } from '../run/result.js';

/** A result is a few kilobytes; what a script puts out may be more. */
const MAX_RESULT = 64 << 20;
const MAX_MESSAGES = 16 << 10;
/** How long a run that was told to end may take to clean up. */
const END_MS = 10_000;
/** How long what it said last may take to come; a process that it left behind could keep the pipes open for ever. */
const DRAIN_MS = 2_000;

/** How a run ended that was a process of its own. */
export interface ChildEnd {
  readonly status: RunResult['status'];
  readonly exitCode: number;
  readonly reason: string | null;
  /** Undefined where it printed none. */
  readonly result: RunResult | undefined;
}

/** `oneclock run --json`, as a process of its own. */
export class ChildRun {
  readonly #process: ChildProcess;
  #excess = false;
  #deadline: NodeJS.Timeout | undefined;
  /** Never rejects. */
  readonly finished: Promise<ChildEnd>;

  /** @param args what follows `oneclock run --json` */
  constructor(args: readonly string[]) {
    // In a session of its own, so that Ctrl-C on a terminal comes to the sweep alone, which tells the runs. The channel
    // breaks when the sweep is gone, however that ended, and then the run ends too.
    this.#process = fork(packageFile('dist/backend/cli/main.js'), ['run', '--json', ...args], {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    const { stdout, stderr } = this.#process as { stdout: Readable; stderr: Readable };
    const result: Buffer[] = [];
    let size = 0;
    stdout.on('data', (part: Buffer) => {
      size += part.length;
      if (size <= MAX_RESULT) result.push(part);
      else if (!this.#excess) {
        this.#excess = true;
        result.length = 0;
        this.end();
      }
    });
    let messages = '';
    stderr.setEncoding('utf8').on('data', (part: string) => {
      messages = (messages + part).slice(-MAX_MESSAGES);
    });
    this.finished = new Promise((resolve) => {
      this.#process.on('error', (error) => resolve(failed(3, `the run cannot be started: ${error.message}`)));
      this.#process.on('exit', () => {
        clearTimeout(this.#deadline);
        this.#deadline = setTimeout(() => {
          stdout.destroy();
          stderr.destroy();
        }, DRAIN_MS);
      });
      this.#process.on('close', (status, signal) => {
        clearTimeout(this.#deadline);
        if (this.#excess) resolve(failed(3, `its result is longer than ${MAX_RESULT} bytes`));
        else resolve(readEnd(status, signal, Buffer.concat(result).toString('utf8'), messages));
      });
    });
  }

  /** Tells it to end in good order, and makes it end when it does not. */
  end(): void {
    this.#process.kill('SIGTERM');
    this.#deadline ??= setTimeout(() => this.#process.kill('SIGKILL'), END_MS);
  }
}

function readEnd(
  status: number | null,
  signal: NodeJS.Signals | null,
  text: string,
  messages: string,
): ChildEnd {
  if (status === null) return failed(3, `the run was ended by ${signal}`);
  const result = readResult(text);
  if (result) {
    const ended = status !== 0 && result.status === 'ok' ? 'error' : result.status;
    return { status: ended, exitCode: status, reason: result.reason, result };
  }
  const said = messages.trim().replace(/^oneclock: /, '');
  return failed(status === 0 ? 3 : status, said || `the run printed no result, and ended with ${status}`);
}

function readResult(text: string): RunResult | undefined {
  try {
    const result = JSON.parse(text) as Partial<RunResult> | null;
    return typeof result?.status === 'string' ? (result as RunResult) : undefined;
  } catch {
    return undefined;
  }
}

function failed(exitCode: number, reason: string): ChildEnd {
  return { status: 'error', exitCode, reason, result: undefined };
}
