// SPDX-License-Identifier: MIT
import { spawn } from 'node:child_process';
import { packageFile } from '../../host/package-root.js';

const SCRIPT = packageFile('host/kvm/nested/run.sh');
const LIMIT_S = 300;
/** Exit status of `flock` that no command of ours has. */
const LOCKED = 99;
/** Where `run.sh` and not the command ended so, its last line says why. */
const OF_THE_MACHINE = [2, 4, 124, 125];

export interface NestedOptions {
  /** Of the machine, as in `512M` or `4G`. */
  readonly memory?: string;
  /** How long the machine may run, and how long it may wait for another to end before that. Default: 300. */
  readonly limitS?: number;
  /** Folders that the command may change; other changes are lost. */
  readonly share?: readonly string[];
  /** Default: `patched` where it is built. */
  readonly kernel?: 'patched' | 'debian';
  /** Default: that of the tests. */
  readonly folder?: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** Ends the machine. */
  readonly signal?: AbortSignal;
}

/** How the command ended. */
export interface NestedResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a command in a machine that has upstream KVM (see docs/nested-kvm.md), one machine at a time.
 *
 * @throws Error if there is no such machine here, or it did not come to the command's end
 */
export function nested(command: readonly string[], options: NestedOptions = {}): Promise<NestedResult> {
  const limit = String(options.limitS ?? LIMIT_S);
  const args = ['--no-fork', '--timeout', limit, '--conflict-exit-code', String(LOCKED), SCRIPT, SCRIPT];
  args.push('--timeout', limit);
  if (options.memory !== undefined) args.push('--memory', options.memory);
  if (options.kernel !== undefined) args.push('--kernel', options.kernel);
  for (const folder of options.share ?? []) args.push('--share', folder);
  const child = spawn('flock', [...args, '--', ...command], {
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd: options.folder,
    env: { ...process.env, ...options.environment },
    signal: options.signal,
  });
  const output = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (text: string) => {
      output[stream] += text;
    });
  }
  return new Promise((resolve, reject) => {
    const fail = (why: string) =>
      reject(
        new Error(`nested machine for "${command.join(' ')}": ${why}\n${output.stderr}${output.stdout}`),
      );
    child.on('error', reject);
    child.on('close', (status, signal) => {
      const said = /^nested: (.*)\n$/m.exec(output.stderr.slice(output.stderr.lastIndexOf('\nnested: ') + 1));
      if (status === null) fail(`ended by ${signal}`);
      else if (status === LOCKED) fail(`another one was not done after ${limit} s`);
      else if (OF_THE_MACHINE.includes(status) && said?.[1] !== undefined) fail(said[1]);
      else resolve({ status, ...output });
    });
  });
}
