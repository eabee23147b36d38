// SPDX-License-Identifier: MIT
import { closeSync, openSync } from 'node:fs';
import { constants } from 'node:os';
import { addon, type Channel, type Child, type Exit, type Hub } from '../../host/native/index.js';

/** The name of the initial file system in a guest's folder. */
export const INITRAMFS = 'initramfs';
/** How long a guest that seems to be ending may take for it: how it ends says more than the first sign of it. */
export const ENDING_MS = 1_000;
/** What the kernel's process wrote last is kept, to explain its death. */
const LAST_WORDS_BYTES = 2048;

/** The name of the socket of a guest's device in the guest's folder. */
export function deviceSocket(place: number): string {
  return `device${place}`;
}

/** The process of a User-Mode Linux kernel. */
export class UmlProcess {
  /** What it had used when it ended before {@link close}. */
  endedCpuMs: number | undefined;
  /** Whether it was started and has not been seen to end. */
  alive = false;
  #child: Child | undefined;
  #output: Channel | undefined;
  #lastWords = '';
  #closed = false;

  /** @param ended told how it ended: `with exit code 0`; not after {@link close} */
  constructor(
    private readonly hub: Hub,
    private readonly ended: (how: string) => void,
  ) {}

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /**
   * Starts it in `folder`, without input.
   *
   * @param descriptors the process has them as 3, 4 and so on
   * @throws OneclockError `MACHINE`
   */
  start(file: string, args: readonly string[], folder: string, descriptors: readonly number[] = []): void {
    const nothing = openSync('/dev/null', 'r');
    const [reader, writer] = addon.pipe();
    this.#output = this.hub.open(reader, {
      onData: (bytes) => {
        this.#lastWords = (this.#lastWords + Buffer.from(bytes).toString('latin1')).slice(-LAST_WORDS_BYTES);
      },
      onClose: () => undefined,
    });
    try {
      const stdio = [nothing, writer, writer, ...descriptors] as const;
      this.#child = this.hub.spawn({ file, args, env: {}, cwd: folder, stdio }, (exit) => this.#exited(exit));
      this.alive = true;
    } finally {
      closeSync(writer);
      closeSync(nothing);
    }
  }

  /** Its last words that explain its end best: of a panic, else, where `anything` helps, the last line. */
  lastLine(anything: boolean): string | undefined {
    const lines = this.#lastWords.split(/\r?\n/).filter((line) => line.trim() !== '');
    return (
      lines.find((line) => /panic|fatal|failed|error/i.test(line)) ?? (anything ? lines.at(-1) : undefined)
    );
  }

  kill(): void {
    this.#child?.kill(constants.signals.SIGKILL);
  }

  /** Hears it no more, except for `alive`. */
  close(): void {
    this.#closed = true;
    this.#output?.close();
  }

  #exited(exit: Exit): void {
    this.alive = false;
    if (this.#closed) return;
    this.endedCpuMs = exit.cpuMs;
    this.ended('code' in exit ? `with exit code ${exit.code}` : `by signal ${signalName(exit.signal)}`);
  }
}

function signalName(signal: number): string {
  return Object.entries(constants.signals).find(([, number]) => number === signal)?.[0] ?? `${signal}`;
}
