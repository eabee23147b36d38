// SPDX-License-Identifier: MIT
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { packageFile } from '../host/package-root.js';
import { umlKernel } from '../host/uml/kernel.js';

const GIT_MS = 10_000;

/** Where figures were taken: they mean nothing without it. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly node: string;
  /** Short hash, with a `+` where the checkout has changes; null outside of a checkout. */
  readonly commit: string | null;
  /** The first 12 digits of the guest kernel's SHA-256. */
  readonly kernel: string;
}

export function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    node: process.version,
    commit: commit(),
    kernel: createHash('sha256')
      .update(readFileSync(umlKernel(undefined)))
      .digest('hex')
      .slice(0, 12),
  };
}

/** The load averages of 1, 5 and 15 minutes. */
export function load(): string {
  return loadavg()
    .map((value) => value.toFixed(2))
    .join(' ');
}

function commit(): string | null {
  const git = (...words: string[]) =>
    execFileSync('git', ['-C', packageFile('.'), ...words], {
      encoding: 'utf8',
      timeout: GIT_MS,
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  try {
    const changed = git('status', '--porcelain', '--untracked-files=no') !== '';
    return `${git('rev-parse', '--short', 'HEAD')}${changed ? '+' : ''}`;
  } catch {
    return null;
  }
}
