// SPDX-License-Identifier: MIT

/** How long something took, in nanoseconds: the last time, and the worst. */
export interface VtLatency {
  readonly lastNs: bigint;
  readonly worstNs: bigint;
}

/** What the module counts and measures; kmod/ABI/sysfs-vtgpio says what each is. */
export interface VtMeasurements {
  readonly pauses: bigint;
  readonly resumes: bigint;
  readonly edges: bigint;
  readonly watchdogReleases: bigint;
  readonly barrierMisses: bigint;
  readonly frozenNs: bigint;
  readonly pauseLatency: VtLatency;
  readonly resumeLatency: VtLatency;
  readonly pauseSpread: VtLatency;
  readonly processes: number;
  readonly threads: number;
}

/** The last pause, and the end of the last pause: of the same one unless `resumes` is less than `pauses`. */
export interface VtPause {
  readonly pauses: bigint;
  readonly resumes: bigint;
  /** CLOCK_MONOTONIC, 0 for never; as are the next. */
  readonly pausedAtNs: bigint;
  readonly resumedAtNs: bigint;
  readonly pauseLatencyNs: bigint;
  readonly pauseSpreadNs: bigint;
  readonly resumeLatencyNs: bigint;
  /** Of all pauses, the present one included. */
  readonly frozenNs: bigint;
  readonly watchdogReleases: bigint;
}

/** What is set, and what the kernel can do. */
export interface VtSettings {
  /** Thousandths: 1000 is normal speed. */
  readonly tdf: number;
  /** 0: no bound. */
  readonly watchdogMs: number;
  /** `park`, `stop` or `signal`. */
  readonly method: string;
  /** `hidden` or `visible`: whether processes see frozen time pass. */
  readonly clock: string;
  /** `events` or `scans`. */
  readonly tracking: string;
}

/** A process to register or, without `tree`, to take out with what belongs to it. */
export type VtChange =
  | { readonly type: 'add'; readonly pid: number; readonly tree: boolean }
  | { readonly type: 'remove'; readonly pid: number };

export interface VtWatch {
  close(): void;
}

/**
 * The kernel module vtgpio, as one of its folders in sysfs shows it. All calls are synchronous and take microseconds.
 * What the kernel refuses is thrown as Node.js does it: an Error whose `code` is the name of the errno, such as
 * `ESRCH`, and which has the module's file as `path`; `ENOENT` where the module is not loaded.
 */
export interface VtDevice {
  /** The folder, for people. */
  readonly folder: string;
  /** Whether the module is loaded and has this folder. */
  present(): boolean;

  frozen(): boolean;
  /** Drives the board's signal line; whether the processes stop is the line's business. ENODEV without such a line. */
  setMode(freeze: boolean): void;

  /** Changes the list of processes: all of `changes`, of which there is one at least, or nothing. */
  change(changes: readonly VtChange[]): void;
  /** The processes that were registered, and have not ended. */
  listed(): number[];

  setTdf(thousandths: number): void;
  setWatchdogMs(ms: number): void;
  setMethod(method: string): void;
  settings(): VtSettings;

  frozenNs(): bigint;
  /** The numbers belong together: no pause began or ended while they were read. */
  lastPause(): VtPause;
  measurements(): VtMeasurements;

  /**
   * Calls `changed` soon after each pause and each end of one, and possibly at other times.
   *
   * @throws an Error as above, also where the kernel has no inotify (ENOSYS)
   */
  watch(changed: () => void): VtWatch;
}
