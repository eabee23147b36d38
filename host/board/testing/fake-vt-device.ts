// SPDX-License-Identifier: MIT
import type { VtChange, VtDevice, VtMeasurements, VtPause, VtSettings, VtWatch } from '../vt-device.js';

/** Every method of the device that can be made to fail. */
type Method = Exclude<keyof VtDevice, 'folder' | 'present'>;

/** An Error as Node.js makes it of a system call that failed. */
export function errnoError(errno: string, path: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${errno}: refused, ${path}`), { code: errno, path });
}

/**
 * The module without a kernel: it keeps what is written, counts, and pauses when its line rises. Time is what the
 * test says it is.
 */
export class FakeVtDevice implements VtDevice {
  readonly folder = '/sys/vt/VT7';
  /** CLOCK_MONOTONIC. */
  nowNs = 1_000_000_000n;
  /** Whether the module is loaded. */
  loaded = true;
  /** Whether the board has a signal line; without one a local write is refused. */
  hasSignal = true;
  /** Processes that exist; undefined: all. */
  existing: Set<number> | undefined;
  /** Methods that fail, with their errno. */
  readonly failing = new Map<Method, string>();
  /** What was registered. */
  readonly registered = new Map<number, { readonly tree: boolean }>();
  /** Every successful write, in order, such as `pids +12/tree`. */
  readonly writes: string[] = [];
  tdf = 1000;
  watchdogMs = 10_000;
  method = 'park';
  clock = 'hidden';
  tracking = 'events';

  #frozen = false;
  #frozenNs = 0n;
  #pauses = 0n;
  #resumes = 0n;
  #edges = 0n;
  #watchdogReleases = 0n;
  #pausedAtNs = 0n;
  #resumedAtNs = 0n;
  readonly #watchers = new Set<() => void>();
  #quiet = false;

  present(): boolean {
    return this.loaded;
  }

  /** The pause line goes up or down; what is so already changes nothing but the count. */
  edge(up: boolean): void {
    this.#edges += 1n;
    if (up === this.#frozen) return;
    if (up) this.#pause();
    else this.#resume();
  }

  /** The module's own watchdog ends a pause. */
  watchdog(): void {
    this.#watchdogReleases += 1n;
    this.#resume();
  }

  /** Tells those who watch. */
  changed(): void {
    if (!this.#quiet) for (const changed of this.#watchers) changed();
  }

  /** What happens in `action` is told only at its end, as if it had taken no time. */
  quietly(action: () => void): void {
    this.#quiet = true;
    action();
    this.#quiet = false;
    this.changed();
  }

  /** A process ends, and leaves the list. */
  ended(pid: number): void {
    this.registered.delete(pid);
  }

  frozen(): boolean {
    this.#check('frozen', 'mode');
    return this.#frozen;
  }

  setMode(freeze: boolean): void {
    this.#check('setMode', 'mode');
    if (!this.hasSignal) throw errnoError('ENODEV', this.#file('mode'));
    this.writes.push(`mode ${freeze ? 'freeze' : 'unfreeze'}`);
    this.edge(freeze);
  }

  change(changes: readonly VtChange[]): void {
    this.#check('change', 'pids');
    for (const { type, pid } of changes) {
      const there =
        type === 'add' ? this.existing === undefined || this.existing.has(pid) : this.registered.has(pid);
      if (!there) throw errnoError('ESRCH', this.#file('pids'));
    }
    for (const change of changes) {
      if (change.type === 'add') this.registered.set(change.pid, { tree: change.tree });
      else this.registered.delete(change.pid);
      const word = change.type === 'add' ? `+${change.pid}${change.tree ? '/tree' : ''}` : `-${change.pid}`;
      this.writes.push(`pids ${word}`);
    }
  }

  listed(): number[] {
    this.#check('listed', 'pids');
    return [...this.registered.keys()];
  }

  setTdf(thousandths: number): void {
    this.#check('setTdf', 'tdf');
    if (thousandths === 0) throw errnoError('EINVAL', this.#file('tdf'));
    this.tdf = thousandths;
    this.writes.push(`tdf ${thousandths}`);
  }

  setWatchdogMs(ms: number): void {
    this.#check('setWatchdogMs', 'watchdog_ms');
    if (ms > 86_400_000) throw errnoError('ERANGE', this.#file('watchdog_ms'));
    this.watchdogMs = ms;
    this.writes.push(`watchdog_ms ${ms}`);
  }

  setMethod(method: string): void {
    this.#check('setMethod', 'method');
    if (!['park', 'stop', 'signal'].includes(method)) throw errnoError('EINVAL', this.#file('method'));
    if (this.#frozen) throw errnoError('EBUSY', this.#file('method'));
    this.method = method;
    this.writes.push(`method ${method}`);
  }

  settings(): VtSettings {
    this.#check('settings', 'tdf');
    const { tdf, watchdogMs, method, clock, tracking } = this;
    return { tdf, watchdogMs, method, clock, tracking };
  }

  frozenNs(): bigint {
    this.#check('frozenNs', 'frozen_ns');
    return this.#frozenNs + (this.#frozen ? this.nowNs - this.#pausedAtNs : 0n);
  }

  lastPause(): VtPause {
    this.#check('lastPause', 'pauses');
    return {
      pauses: this.#pauses,
      resumes: this.#resumes,
      pausedAtNs: this.#pausedAtNs,
      resumedAtNs: this.#resumedAtNs,
      pauseLatencyNs: 40_000n,
      pauseSpreadNs: 2_000n,
      resumeLatencyNs: 30_000n,
      frozenNs: this.frozenNs(),
      watchdogReleases: this.#watchdogReleases,
    };
  }

  measurements(): VtMeasurements {
    this.#check('measurements', 'pauses');
    return {
      pauses: this.#pauses,
      resumes: this.#resumes,
      edges: this.#edges,
      watchdogReleases: this.#watchdogReleases,
      barrierMisses: 0n,
      frozenNs: this.frozenNs(),
      pauseLatency: { lastNs: 40_000n, worstNs: 50_000n },
      resumeLatency: { lastNs: 30_000n, worstNs: 35_000n },
      pauseSpread: { lastNs: 2_000n, worstNs: 3_000n },
      processes: this.registered.size,
      threads: this.registered.size,
    };
  }

  watch(changed: () => void): VtWatch {
    this.#check('watch', 'mode');
    this.#watchers.add(changed);
    return { close: () => this.#watchers.delete(changed) };
  }

  #pause(): void {
    this.#frozen = true;
    this.#pauses += 1n;
    this.#pausedAtNs = this.nowNs;
    this.changed();
  }

  #resume(): void {
    if (!this.#frozen) return;
    this.#frozen = false;
    this.#resumes += 1n;
    this.#resumedAtNs = this.nowNs;
    this.#frozenNs += this.nowNs - this.#pausedAtNs;
    this.changed();
  }

  #check(method: Method, file: string): void {
    if (!this.loaded) throw errnoError('ENOENT', this.#file(file));
    const errno = this.failing.get(method);
    if (errno !== undefined) throw errnoError(errno, this.#file(file));
  }

  #file(name: string): string {
    return `${this.folder}/${name}`;
  }
}
