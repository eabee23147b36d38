// SPDX-License-Identifier: MIT
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync } from 'node:fs';
import { constants } from 'node:os';
import type { Writable } from 'node:stream';
import type { BoardEnd } from '../../protocols/board/index.js';
import { refusal } from './failure.js';
import { OutputPipe } from './output-pipe.js';

/**
 * Waits for a line on descriptor 3 before it becomes the command, $1: so the command's process can be registered
 * before its first instruction. A pipe that ends without a line means that there shall be no command.
 */
const GATE = 'read -r _ <&3 || exit 125; exec 3<&-; exec /bin/sh -c "$1"';
/** The descriptor of the gate among those of the child. */
const GATE_DESCRIPTOR = 3;

export interface BoardRunHandlers {
  /** What the run and its descendants wrote. */
  output(data: Uint8Array): void;
  /** The run has ended, and what it wrote was handed over; descendants may go on and write. Called once. */
  end(how: BoardEnd): void;
}

/** A command and its process group. */
export class BoardRun {
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #gate: Writable;
  readonly #output: OutputPipe;
  #ended: BoardEnd | undefined;
  #told = false;
  #paused = false;
  /** Nobody has the output open any more, and all of it was read. */
  #silent = false;
  #drained: NodeJS.Timeout | undefined;
  #looked: NodeJS.Immediate | undefined;

  /**
   * Starts the process, which waits for {@link letGo}.
   *
   * @param drainMs how long to wait after the end for more output, where descendants hold it open
   * @throws an Error with the errno where it cannot be started
   */
  constructor(
    command: string,
    environment: Readonly<Record<string, string>>,
    private readonly drainMs: number,
    private readonly handlers: BoardRunHandlers,
  ) {
    this.#output = new OutputPipe(
      (data) => this.#take(data),
      () => {
        this.#silent = true;
        this.#tell();
      },
    );
    try {
      this.#child = spawn('/bin/sh', ['-c', GATE, 'sh', command], {
        cwd: '/',
        env: environment,
        detached: true,
        stdio: ['ignore', this.#output.writeEnd, this.#output.writeEnd, 'pipe'],
      });
    } finally {
      closeSync(this.#output.writeEnd);
    }
    // A process that cannot be started is told of at once by its missing number, and once more by an event.
    this.#child.on('error', () => undefined);
    this.#gate = this.#child.stdio[GATE_DESCRIPTOR] as Writable;
    this.#gate.on('error', () => undefined);
    if (this.#child.pid === undefined) {
      this.#output.close();
      throw refusal('EAGAIN', 'the process of the run could not be started');
    }
    this.pid = this.#child.pid;
    this.#child.on('exit', (code, signal) => {
      this.#ended = signal === null ? { code: code ?? 0 } : { signal: constants.signals[signal] };
      this.#awaitOutput();
    });
  }

  /** Lets the command begin. */
  letGo(): void {
    this.#gate.end('go\n');
  }

  /** Whether the process of the run has ended. */
  get ended(): boolean {
    return this.#ended !== undefined;
  }

  /** @throws an Error with the errno; ESRCH where the run has ended: its group may be somebody else's by now */
  signal(number: number): void {
    if (this.ended) throw refusal('ESRCH', 'the run has ended');
    process.kill(-this.pid, number);
  }

  /** Leaves output in the pipe, so that who writes more than fits waits. */
  pauseOutput(): void {
    this.#paused = true;
    this.#output.pause();
    this.#disarm();
  }

  resumeOutput(): void {
    this.#paused = false;
    this.#output.resume();
    this.#awaitOutput();
  }

  /** Forgets the run, which has been killed: no handler is called any more. */
  close(): void {
    this.#told = true;
    this.#disarm();
    this.#gate.destroy();
    this.#output.close();
  }

  #take(data: Uint8Array): void {
    this.handlers.output(data);
    this.#awaitOutput();
  }

  /** What the run itself wrote is in the pipe when it has ended, so a short silence means that it was read. */
  #awaitOutput(): void {
    this.#disarm();
    if (this.#silent) this.#tell();
    if (!this.ended || this.#paused || this.#told) return;
    this.#drained = setTimeout(() => {
      // Timers come before input: one more look, in case this process was late.
      this.#looked = setImmediate(() => this.#tell());
    }, this.drainMs);
  }

  #disarm(): void {
    clearTimeout(this.#drained);
    clearImmediate(this.#looked);
  }

  #tell(): void {
    if (this.#told || this.#ended === undefined) return;
    this.#told = true;
    this.#disarm();
    this.handlers.end(this.#ended);
  }
}
