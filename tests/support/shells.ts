// SPDX-License-Identifier: MIT
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { packageFile } from '../../host/package-root.js';
import type { StartedRun } from './cli.js';
import { until } from './wait.js';

const LIMIT_MS = 60_000;
const cli = packageFile('dist/backend/cli/main.js');

/** How `oneclock shell` ended. */
export interface ShellEnd {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ShellUnderWay {
  readonly child: ChildProcess;
  readonly finished: Promise<ShellEnd>;
  /** What it has written by now. */
  readonly stdout: string;
}

/** Starts a command with its input open. */
export function begin(command: string, args: readonly string[]): ShellUnderWay {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('latin1').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  // A program may end without having read all.
  child.stdin.on('error', () => undefined);
  const limit = setTimeout(() => child.kill('SIGKILL'), LIMIT_MS);
  const finished = new Promise<ShellEnd>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status, signal) => {
      clearTimeout(limit);
      resolve({ status, signal, stdout, stderr });
    });
  });
  return {
    child,
    finished,
    get stdout() {
      return stdout;
    },
  };
}

/** `oneclock shell` without a terminal, with its input open. */
export function beginShell(out: string, node: string, ...command: readonly string[]): ShellUnderWay {
  return begin(cli, ['shell', out, node, ...command]);
}

/** `oneclock shell` without a terminal, to its end. */
export function shell(
  out: string,
  node: string,
  command: string,
  input: string | Uint8Array = '',
): Promise<ShellEnd> {
  const under = beginShell(out, node, command);
  under.child.stdin?.end(input);
  return under.finished;
}

/** The same on a terminal of its own, which has `size` rows and columns at first. */
export function beginTerminal(out: string, node: string, size: readonly [number, number]): ShellUnderWay {
  const [rows, columns] = size;
  const line = `stty rows ${rows} cols ${columns}; tty > ${out}.tty; exec ${cli} shell ${out} ${node}`;
  return begin('script', ['-qefc', line, '/dev/null']);
}

/** Waits until the run takes shells. */
export async function takesShells(run: StartedRun): Promise<void> {
  await until('the run takes shells', () => (existsSync(join(run.out, 'control')) ? true : undefined));
}
