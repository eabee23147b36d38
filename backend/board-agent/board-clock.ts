// SPDX-License-Identifier: MIT
import type { VtDevice } from '../../host/board/vt-device.js';
import type { BoardTime } from '../../protocols/board/index.js';

/** The board's clock and how much of it was frozen. */
export class BoardClock {
  #frozenNs = 0n;

  /**
   * @param monotonicNs CLOCK_MONOTONIC
   * @param problem told where the frozen time cannot be read; the last one that could be stands for it then
   */
  constructor(
    private readonly device: VtDevice,
    private readonly monotonicNs: () => bigint,
    private readonly problem: (error: unknown) => void,
  ) {}

  now(): bigint {
    return this.monotonicNs();
  }

  time(): BoardTime {
    const before = this.monotonicNs();
    try {
      this.#frozenNs = this.device.frozenNs();
    } catch (error) {
      // Without the module nothing freezes.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') this.#frozenNs = 0n;
      else this.problem(error);
    }
    const span = this.monotonicNs() - before;
    // The frozen time was read at some moment of the span: its middle is at most half of it away.
    return { monotonicNs: before + span / 2n, frozenNs: this.#frozenNs, errorNs: (span + 1n) / 2n };
  }
}
