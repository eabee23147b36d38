// SPDX-License-Identifier: MIT
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { KernelModule, ModuleParameters } from './kernel-module.js';

const NAME = 'vtgpio';
/** Unloading waits for threads in uninterruptible system calls. */
const LIMIT_MS = 20_000;
/** What a module shows for a text parameter that was not given. */
const ABSENT = '(null)';
/** What strerror(3) of the C library says, in the words of insmod and rmmod. */
const ERRNOS: readonly (readonly [text: string, errno: string])[] = [
  ['Operation not permitted', 'EPERM'],
  ['No such file or directory', 'ENOENT'],
  ['Exec format error', 'ENOEXEC'],
  ['Invalid module format', 'ENOEXEC'],
  ['Resource temporarily unavailable', 'EAGAIN'],
  ['Cannot allocate memory', 'ENOMEM'],
  ['Permission denied', 'EACCES'],
  ['Device or resource busy', 'EBUSY'],
  ['is in use', 'EBUSY'],
  ['File exists', 'EEXIST'],
  ['No such device', 'ENODEV'],
  ['Invalid argument', 'EINVAL'],
  ['Invalid parameters', 'EINVAL'],
  ['Unknown symbol', 'ENOENT'],
  ['Operation not supported', 'EOPNOTSUPP'],
  ['Key was rejected', 'EKEYREJECTED'],
  ['not found', 'ENOENT'],
];

/** The programs of kmod or busybox, and what sysfs shows of a module that is loaded. */
export interface InsmodTools {
  readonly insmod: string;
  readonly modprobe: string;
  readonly rmmod: string;
  /** Where modules are shown: /sys/module. */
  readonly shown: string;
}

const TOOLS: InsmodTools = {
  insmod: 'insmod',
  modprobe: 'modprobe',
  rmmod: 'rmmod',
  shown: '/sys/module',
};

/** Loads the module with insmod, or with modprobe where no file is given. */
export class InsmodModule implements KernelModule {
  /**
   * @param path vtgpio.ko; undefined: the one that was installed for the running kernel
   * @param number the module's parameter of that name
   */
  constructor(
    private readonly path: string | undefined,
    private readonly number: number,
    private readonly tools: InsmodTools = TOOLS,
  ) {}

  loaded(): ModuleParameters | undefined {
    const folder = join(this.tools.shown, NAME, 'parameters');
    if (!existsSync(folder)) return undefined;
    const shown = (name: string) => {
      const text = readFileSync(join(folder, name), 'latin1').trimEnd();
      return text === ABSENT ? '' : text;
    };
    return {
      pause: shown('pause'),
      resume: shown('resume'),
      signal: shown('signal'),
      periodMs: Number(shown('period_ms')),
    };
  }

  load({ pause, resume, signal, periodMs }: ModuleParameters): Promise<void> {
    const words = Object.entries({ pause, resume, signal, period_ms: periodMs, number: this.number })
      .filter(([, value]) => value !== '' && value !== 0)
      .map(([name, value]) => `${name}=${value}`);
    return this.path === undefined
      ? this.#execute(this.tools.modprobe, [NAME, ...words])
      : this.#execute(this.tools.insmod, [this.path, ...words]);
  }

  unload(): Promise<void> {
    return this.#execute(this.tools.rmmod, [NAME]);
  }

  #execute(file: string, args: readonly string[]): Promise<void> {
    return new Promise((resolve, reject) => {
      // Not only on PATH: insmod is in a folder of its own on many systems.
      const env = { PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin`, LC_ALL: 'C' };
      execFile(file, args, { timeout: LIMIT_MS, killSignal: 'SIGKILL', env }, (error, _, stderr) => {
        if (error === null) resolve();
        else reject(moduleError([file, ...args].join(' '), error, stderr));
      });
    });
  }
}

function moduleError(command: string, error: Error & { killed?: boolean }, stderr: string): Error {
  const said = stderr.trim().split('\n').at(-1) ?? '';
  const code = error.killed
    ? 'ETIMEDOUT'
    : (ERRNOS.find(([text]) => said.toLowerCase().includes(text.toLowerCase()))?.[1] ?? codeOf(error));
  return Object.assign(new Error(`${command}: ${said === '' ? error.message : said}`, { cause: error }), {
    code,
  });
}

/** A program that could not be started has its errno; one that failed has its exit status, which is none. */
function codeOf(error: NodeJS.ErrnoException): string {
  return typeof error.code === 'string' ? error.code : '';
}
