// SPDX-License-Identifier: MIT
import { BoardGuard } from '../../host/board/guard.js';
import type { KernelModule } from '../../host/board/kernel-module.js';
import type { VtDevice } from '../../host/board/vt-device.js';
import type {
  BoardAnswer,
  BoardEvent,
  BoardLines,
  BoardRequest,
  BoardStatus,
} from '../../protocols/board/index.js';
import { BoardClock } from './board-clock.js';
import { BoardRuns } from './board-runs.js';
import type { AgentBounds } from './bounds.js';
import { failureOf, refusal } from './failure.js';
import { OwnedProcesses } from './owned-processes.js';
import { PauseWatch } from './pause-watch.js';

/** What an agent works on. */
export interface BoardParts {
  readonly device: VtDevice;
  readonly module: KernelModule;
  /** CLOCK_MONOTONIC in nanoseconds. */
  readonly monotonicNs: () => bigint;
}

export interface BoardHandlers {
  event(event: BoardEvent): void;
  output(run: number, data: Uint8Array): void;
}

/** The board for the time of one session: carries out requests, tells of events, and puts everything back at the end. */
export class Board {
  readonly clock: BoardClock;
  readonly runs: BoardRuns;
  readonly #device: VtDevice;
  readonly #module: KernelModule;
  readonly #guard: BoardGuard;
  readonly #owned: OwnedProcesses;
  readonly #watch: PauseWatch;
  #released = false;
  #lastProblem = '';

  constructor(
    { device, module, monotonicNs }: BoardParts,
    bounds: AgentBounds,
    private readonly handlers: BoardHandlers,
  ) {
    const mark = BoardRuns.mark();
    const problem = (error: unknown) => this.#problem(error);
    this.#device = device;
    this.#module = module;
    this.clock = new BoardClock(device, monotonicNs, problem);
    this.#guard = new BoardGuard(mark, device.folder);
    this.#owned = new OwnedProcesses(device, this.#guard);
    this.#watch = new PauseWatch(device, bounds.frozenPollMs, (event) => this.#tell(event), problem);
    this.runs = new BoardRuns(mark, bounds.drainMs, {
      output: (run, data) => handlers.output(run, data),
      end: (run, how) => this.#tell({ type: 'exited', run, time: this.clock.time(), ...how }),
    });
    this.#watch.start();
  }

  /** Carries out `request`. Never throws: what fails is the answer. */
  async answer(request: BoardRequest): Promise<BoardAnswer> {
    try {
      if (this.#released) throw refusal('ENODEV', 'the board was released');
      return await this.#answer(request);
    } catch (error) {
      return { type: 'failure', ...failureOf(error) };
    }
  }

  /**
   * Kills what was started, lowers the signal line, and takes out the processes that were registered. Everything is
   * tried, whatever fails. Synchronous: it may be the last thing that a process does. Later calls do nothing.
   *
   * @returns what could not be done
   */
  release(): string[] {
    if (this.#released) return [];
    this.#released = true;
    const failures: string[] = [];
    const attempt = (what: string, action: () => void) => {
      try {
        action();
      } catch (error) {
        failures.push(`${what}: ${failureOf(error).text}`);
      }
    };
    this.#watch.stop();
    attempt('killing what was started', () => this.runs.killAll());
    if (this.#device.present()) {
      attempt('lowering the signal line', () => this.#lower());
      attempt('taking out the processes', () => this.#owned.clear());
    }
    this.#guard.close();
    return failures;
  }

  async #answer(request: BoardRequest): Promise<BoardAnswer> {
    switch (request.type) {
      case 'loadModule':
        return this.#load(request);
      case 'unloadModule':
        if (this.#module.loaded() !== undefined) await this.#module.unload();
        this.#watch.stop();
        return { type: 'done' };
      case 'configure':
        if (request.method !== undefined) this.#device.setMethod(request.method);
        if (request.watchdogMs !== undefined) this.#device.setWatchdogMs(request.watchdogMs);
        if (request.tdf !== undefined) this.#device.setTdf(request.tdf);
        return { type: 'done' };
      case 'register':
        this.#owned.add(request.processes);
        return { type: 'done' };
      case 'unregister':
        this.#owned.remove(request.pids);
        return { type: 'done' };
      case 'start': {
        const { pid } = this.runs.start(request.run, request.command, (process) =>
          this.#owned.add([{ pid: process, tree: true }]),
        );
        return { type: 'started', pid, time: this.clock.time() };
      }
      case 'signal':
        this.runs.signal(request.run, request.signal);
        return { type: 'done' };
      case 'setMode':
        this.#device.setMode(request.freeze);
        return { type: 'done' };
      case 'getStatus':
        return { type: 'status', ...this.#status() };
      case 'release': {
        const failures = this.release();
        if (failures.length > 0) throw new Error(failures.join('; '));
        return { type: 'done' };
      }
    }
  }

  async #load({ pause, resume, signal, periodMs }: BoardLines): Promise<BoardAnswer> {
    const wanted = { pause, resume, signal, periodMs };
    const loaded = this.#module.loaded();
    if (loaded === undefined) {
      await this.#module.load(wanted);
      // Of a module that somebody else has unloaded.
      this.#watch.stop();
    } else if (JSON.stringify(loaded) !== JSON.stringify(wanted)) {
      const [found, expected] = [loaded, wanted].map((lines) => JSON.stringify(lines));
      throw refusal(
        'EBUSY',
        `the module is loaded with ${found}, where ${expected} is wanted: unload it first`,
      );
    }
    if (!this.#released) this.#watch.start();
    return { type: 'loaded', already: loaded !== undefined };
  }

  #status(): BoardStatus {
    const time = this.clock.time();
    const runs = this.runs.alive;
    if (!this.#device.present()) return { ...ABSENT, time, runs };
    return {
      time,
      runs,
      loaded: true,
      frozen: this.#device.frozen(),
      ...this.#device.measurements(),
      ...this.#device.settings(),
    };
  }

  #lower(): void {
    try {
      this.#device.setMode(false);
    } catch (error) {
      // A board without a signal line holds nothing up.
      if ((error as NodeJS.ErrnoException).code !== 'ENODEV') throw error;
    }
  }

  #tell(event: BoardEvent): void {
    if (!this.#released) this.handlers.event(event);
  }

  /** The same thing over and over is told once. */
  #problem(error: unknown): void {
    const { errno, text } = failureOf(error);
    if (text === this.#lastProblem) return;
    this.#lastProblem = text;
    this.#tell({ type: 'problem', errno, text });
  }
}

const NONE = { lastNs: 0n, worstNs: 0n };
const ABSENT: Omit<BoardStatus, 'time' | 'runs'> = {
  loaded: false,
  frozen: false,
  pauses: 0n,
  resumes: 0n,
  edges: 0n,
  watchdogReleases: 0n,
  barrierMisses: 0n,
  frozenNs: 0n,
  pauseLatency: NONE,
  resumeLatency: NONE,
  pauseSpread: NONE,
  processes: 0,
  threads: 0,
  tdf: 0,
  watchdogMs: 0,
  method: '',
  clock: '',
  tracking: '',
};
