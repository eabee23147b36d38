// SPDX-License-Identifier: MIT
import { existsSync, readFileSync, watch, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { OneclockError } from '../../backend/errors.js';
import type {
  VtChange,
  VtDevice,
  VtLatency,
  VtMeasurements,
  VtPause,
  VtSettings,
  VtWatch,
} from './vt-device.js';

/** How often a set of numbers is read again because a pause came between. */
const READS = 8;

/**
 * The module by its files in sysfs; kmod/ABI/sysfs-vtgpio describes them.
 *
 * Pauses and their ends are told of by inotify: sysfs_notify() in the kernel wakes poll(2), with POLLPRI, and also
 * gives a modification event (kernfs_notify_workfn() in fs/kernfs/file.c). Node.js has inotify as `fs.watch`, but no
 * poll(2) for POLLPRI without an addon; so none is needed on the board.
 */
export class SysfsVtDevice implements VtDevice {
  readonly folder: string;

  /**
   * @param number of the folder, the module's parameter of that name
   * @param root another folder in the place of /sys/vt, for tests
   */
  constructor(number: number, root = '/sys/vt') {
    this.folder = join(root, `VT${number}`);
  }

  present(): boolean {
    return existsSync(join(this.folder, 'mode'));
  }

  frozen(): boolean {
    return this.#word('mode', ['freeze', 'unfreeze']) === 'freeze';
  }

  setMode(freeze: boolean): void {
    this.#write('mode', freeze ? 'freeze' : 'unfreeze');
  }

  change(changes: readonly VtChange[]): void {
    const words = changes.map((change) =>
      change.type === 'add' ? `+${change.pid}${change.tree ? '/tree' : ''}` : `-${change.pid}`,
    );
    this.#write('pids', words.join(' '));
  }

  listed(): number[] {
    const lines = this.#read('pids').split('\n');
    return lines
      .filter((line) => line !== '')
      .map((line) => Number(this.#number('pids', line.split('/')[0])));
  }

  setTdf(thousandths: number): void {
    this.#write('tdf', String(thousandths));
  }

  setWatchdogMs(ms: number): void {
    this.#write('watchdog_ms', String(ms));
  }

  setMethod(method: string): void {
    this.#write('method', method);
  }

  settings(): VtSettings {
    return {
      tdf: this.#count('tdf'),
      watchdogMs: this.#count('watchdog_ms'),
      method: this.#word('method', ['park', 'stop', 'signal']),
      clock: this.#word('clock', ['hidden', 'visible']),
      tracking: this.#word('tracking', ['events', 'scans']),
    };
  }

  frozenNs(): bigint {
    return this.#wide('frozen_ns');
  }

  lastPause(): VtPause {
    for (let read = 1; ; read++) {
      const resumes = this.#wide('resumes');
      const pauses = this.#wide('pauses');
      const pause: VtPause = {
        pauses,
        resumes,
        pausedAtNs: this.#wide('paused_at_ns'),
        resumedAtNs: this.#wide('resumed_at_ns'),
        pauseLatencyNs: this.#wide('pause_latency_ns'),
        pauseSpreadNs: this.#wide('pause_spread_ns'),
        resumeLatencyNs: this.#wide('resume_latency_ns'),
        frozenNs: this.frozenNs(),
        watchdogReleases: this.#wide('watchdog_releases'),
      };
      if (this.#wide('resumes') === resumes && this.#wide('pauses') === pauses) return pause;
      if (read === READS) {
        throw new OneclockError(
          'PARTICIPANT',
          `${this.folder}: pauses follow each other too fast to be read`,
        );
      }
    }
  }

  measurements(): VtMeasurements {
    return {
      pauses: this.#wide('pauses'),
      resumes: this.#wide('resumes'),
      edges: this.#wide('edges'),
      watchdogReleases: this.#wide('watchdog_releases'),
      barrierMisses: this.#wide('barrier_misses'),
      frozenNs: this.frozenNs(),
      pauseLatency: this.#latency('pause_latency'),
      resumeLatency: this.#latency('resume_latency'),
      pauseSpread: this.#latency('pause_spread'),
      processes: this.#count('processes'),
      threads: this.#count('threads'),
    };
  }

  watch(changed: () => void): VtWatch {
    const watcher = watch(join(this.folder, 'mode'), { persistent: false }, changed);
    // The file went with the module: there is nothing more to be told.
    watcher.on('error', () => watcher.close());
    return watcher;
  }

  #read(file: string): string {
    return readFileSync(join(this.folder, file), 'latin1');
  }

  /** The file has to be there: sysfs answers another errno to who wants to make one. */
  #write(file: string, text: string): void {
    writeFileSync(join(this.folder, file), `${text}\n`, { flag: 'r+' });
  }

  #latency(name: string): VtLatency {
    return { lastNs: this.#wide(`${name}_ns`), worstNs: this.#wide(`${name}_worst_ns`) };
  }

  #count(file: string): number {
    return Number(this.#wide(file));
  }

  #wide(file: string): bigint {
    return this.#number(file, this.#read(file).trimEnd());
  }

  #number(file: string, text: string | undefined): bigint {
    if (text === undefined || !/^\d{1,20}$/.test(text)) this.#unexpected(file, 'a number', text);
    return BigInt(text);
  }

  #word(file: string, words: readonly string[]): string {
    const text = this.#read(file).trimEnd();
    if (!words.includes(text)) this.#unexpected(file, words.join(' or '), text);
    return text;
  }

  #unexpected(file: string, expected: string, found: string | undefined): never {
    const shown = JSON.stringify(found?.slice(0, 40));
    throw new OneclockError(
      'PARTICIPANT',
      `${join(this.folder, file)}: expected ${expected}, found ${shown}`,
    );
  }
}
