// SPDX-License-Identifier: MIT
import type { VtDevice, VtWatch } from '../../host/board/vt-device.js';
import type { BoardEvent } from '../../protocols/board/index.js';

/** How long to wait after a failure before the module is looked at again. */
const AFTER_FAILURE_MS = 1000;

/** Tells of each pause and of its end. */
export class PauseWatch {
  #watch: VtWatch | undefined;
  #timer: NodeJS.Timeout | undefined;
  #pauses = 0n;
  #resumes = 0n;

  /** @param pollMs between two looks, where the kernel does not tell of changes */
  constructor(
    private readonly device: VtDevice,
    private readonly pollMs: number,
    private readonly emit: (event: BoardEvent) => void,
    private readonly problem: (error: unknown) => void,
  ) {}

  /** Begins to watch, if the module is loaded. What happened before is not told. */
  start(): void {
    if (this.#watch !== undefined || !this.device.present()) return;
    try {
      const { pauses, resumes } = this.device.lastPause();
      this.#pauses = pauses;
      this.#resumes = resumes;
      this.#watch = this.#open();
      this.#look();
    } catch (error) {
      this.problem(error);
    }
  }

  stop(): void {
    this.#watch?.close();
    this.#watch = undefined;
    clearTimeout(this.#timer);
  }

  /** Without inotify, the module is looked at from time to time. */
  #open(): VtWatch {
    const look = () => this.#look();
    try {
      return this.device.watch(look);
    } catch (error) {
      if (!this.device.present()) throw error;
      this.problem(error);
      const timer = setInterval(look, this.pollMs);
      return { close: () => clearInterval(timer) };
    }
  }

  #look(): void {
    if (this.#watch === undefined) return;
    clearTimeout(this.#timer);
    if (!this.device.present()) {
      this.stop();
      return;
    }
    try {
      this.#tell();
    } catch (error) {
      this.problem(error);
      this.#timer = setTimeout(() => this.#look(), AFTER_FAILURE_MS);
    }
  }

  #tell(): void {
    const pause = this.device.lastPause();
    const { pausedAtNs, resumedAtNs } = pause;
    const paused = pause.pauses > this.#pauses;
    // The end of an earlier pause than the last one cannot be told any more: its numbers are gone.
    const resumed = pause.resumes > this.#resumes && pause.resumes === pause.pauses;
    this.#pauses = pause.pauses;
    if (paused) {
      this.emit({
        type: 'paused',
        number: pause.pauses,
        pausedAtNs,
        latencyNs: pause.pauseLatencyNs,
        spreadNs: pause.pauseSpreadNs,
      });
    }
    if (resumed) {
      this.#resumes = pause.resumes;
      this.emit({
        type: 'resumed',
        number: pause.resumes,
        pausedAtNs,
        resumedAtNs,
        latencyNs: pause.resumeLatencyNs,
        frozenNs: pause.frozenNs,
        watchdogReleases: pause.watchdogReleases,
      });
    }
  }
}
