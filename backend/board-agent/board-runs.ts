// SPDX-License-Identifier: MIT
import { randomBytes } from 'node:crypto';
import { markedProcesses } from '../../host/board/marked-processes.js';
import type { BoardEnd } from '../../protocols/board/index.js';
import { BoardRun } from './board-run.js';
import { refusal } from './failure.js';

/** What is killed may have had a child meanwhile: as often as this it is looked for again. */
const KILL_ROUNDS = 10;
const SIGKILL = 9;

export interface BoardRunsHandlers {
  output(run: number, data: Uint8Array): void;
  end(run: number, how: BoardEnd): void;
}

/** The commands that were started for a session, by their numbers, and all that came of them. */
export class BoardRuns {
  readonly #runs = new Map<number, BoardRun>();
  #outputPaused = false;

  /** @param mark `NAME=VALUE`, which every process of these runs has in its environment */
  constructor(
    readonly mark: string,
    private readonly drainMs: number,
    private readonly handlers: BoardRunsHandlers,
  ) {}

  /** A new mark, unlike any other. */
  static mark(): string {
    return `ONECLOCK_BOARD=${randomBytes(16).toString('hex')}`;
  }

  /** Numbers of the runs that have not ended. */
  get alive(): number[] {
    return [...this.#runs].filter(([, run]) => !run.ended).map(([number]) => number);
  }

  /**
   * Starts a command.
   *
   * @param admit called with the process before the command begins; what it throws keeps the command from it
   * @throws an Error with the errno; EEXIST where there was a run of this number
   */
  start(number: number, command: string, admit: (pid: number) => void): BoardRun {
    if (this.#runs.has(number)) throw refusal('EEXIST', `run ${number} has been started before`);
    const [name, value] = this.mark.split('=') as [string, string];
    const { PATH = '/usr/sbin:/usr/bin:/sbin:/bin', HOME = '/' } = process.env;
    const run = new BoardRun(command, { PATH, HOME, [name]: value }, this.drainMs, {
      output: (data) => this.handlers.output(number, data),
      end: (how) => this.handlers.end(number, how),
    });
    try {
      admit(run.pid);
    } catch (error) {
      run.close();
      throw error;
    }
    this.#runs.set(number, run);
    if (this.#outputPaused) run.pauseOutput();
    run.letGo();
    return run;
  }

  /** Sends a signal to the process group of a run. @throws an Error with the errno */
  signal(number: number, signal: number): void {
    const run = this.#runs.get(number);
    if (run === undefined) throw refusal('ESRCH', `there is no run ${number}`);
    run.signal(signal);
  }

  pauseOutput(): void {
    this.#outputPaused = true;
    for (const run of this.#runs.values()) run.pauseOutput();
  }

  resumeOutput(): void {
    this.#outputPaused = false;
    for (const run of this.#runs.values()) run.resumeOutput();
  }

  /** Kills everything that was started, and forgets it. Synchronous: it may be the last thing that a process does. */
  killAll(): void {
    for (const run of this.#runs.values()) {
      if (!run.ended) kill(-run.pid);
      run.close();
    }
    if (this.#runs.size === 0) return;
    this.#runs.clear();
    const killed = new Set<number>();
    for (let round = 0; round < KILL_ROUNDS; round++) {
      const found = markedProcesses(this.mark).filter((pid) => !killed.has(pid));
      if (found.length === 0) return;
      for (const pid of found) {
        killed.add(pid);
        kill(pid);
      }
    }
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, SIGKILL);
  } catch {
    // It has ended by itself.
  }
}
