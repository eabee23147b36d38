// SPDX-License-Identifier: MIT
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import type { RunResult } from '../../backend/run/result.js';
import { packageFile } from '../../host/package-root.js';
import { readCapture, type Sighting } from './capture.js';
import { type Process, processesOf } from './processes.js';
import { expectSame } from './same-run.js';
import { until } from './wait.js';

/** How long what a command started may take to go when the command itself has ended. */
const GONE_MS = 5_000;
/** No command of these tests takes this long. */
const LIMIT_MS = 110_000;

/** How a command ended. */
export interface Finished {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly wallMs: number;
}

/** A command under way. */
export interface Started {
  readonly child: ChildProcess;
  readonly finished: Promise<Finished>;
  /** What it started, itself not among them. */
  processes(): Process[];
  /** The kernel's process of a guest, when it is there. */
  guest(node: string): Promise<Process>;
}

/** The run of a topology under way. */
export interface StartedRun extends Started {
  readonly out: string;
  /** What a node's console log holds by now. */
  console(node: string): string;
}

/** A folder for a test, and the commands that run in it; it goes with the test. */
export class Workspace {
  readonly path = mkdtempSync(join(tmpdir(), 'e2e-'));
  /** The commands' folder for temporary files: what they leave there is theirs for certain. */
  readonly temporary = join(this.path, 'tmp');
  readonly #mark = `E2E_RUN=${randomUUID()}`;
  readonly #sharedBefore = new Set(readdirSync('/dev/shm'));
  #runs = 0;

  constructor() {
    mkdirSync(this.temporary);
    onTestFinished(() => {
      for (const { pid } of this.processes()) process.kill(pid, 'SIGKILL');
      rmSync(this.path, { recursive: true, force: true });
    });
  }

  /** Writes a file. @returns its path */
  write(name: string, text: string, mode = 0o644): string {
    const path = join(this.path, name);
    writeFileSync(path, text, { mode });
    return path;
  }

  /** The processes of this workspace's commands. */
  processes(): Process[] {
    return processesOf(this.#mark, this.path);
  }

  start(args: readonly string[], environment: Readonly<Record<string, string>> = {}): Started {
    const cli = packageFile('dist/backend/cli/main.js');
    if (!existsSync(cli)) throw new Error(`${cli} is not there: run "make build" before the tests`);
    const begin = performance.now();
    const [name, value] = this.#mark.split('=') as [string, string];
    const child = spawn(cli, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      cwd: this.path,
      env: { ...process.env, TMPDIR: this.temporary, [name]: value, ...environment },
    });
    const output = { stdout: '', stderr: '' };
    for (const stream of ['stdout', 'stderr'] as const) {
      child[stream]?.setEncoding('utf8').on('data', (text: string) => {
        output[stream] += text;
      });
    }
    const limit = setTimeout(() => child.kill('SIGKILL'), LIMIT_MS);
    const finished = new Promise<Finished>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (status, signal) => {
        clearTimeout(limit);
        resolve({ status, signal, ...output, wallMs: performance.now() - begin });
      });
    });
    const processes = () => this.processes().filter(({ pid }) => pid !== child.pid);
    return {
      child,
      finished,
      processes,
      guest: (node) =>
        until(`the process of ${node}`, () =>
          processes().find(({ folder, parent }) => folder.endsWith(`/${node}`) && parent === child.pid),
        ),
    };
  }

  /** Runs a command to its end, and makes sure that it left nothing. */
  async run(args: readonly string[], environment?: Readonly<Record<string, string>>): Promise<Finished> {
    const finished = await this.start(args, environment).finished;
    await this.expectNothingLeft();
    return finished;
  }

  /** Starts the run of a topology; its directory is `out`. */
  startTopology(yaml: string, args: readonly string[] = []): StartedRun {
    return this.startFile(this.write(`topology-${this.#runs}.yaml`, yaml), args);
  }

  /** Starts the run of a topology or script that is there. */
  startFile(file: string, args: readonly string[] = []): StartedRun {
    const number = this.#runs++;
    const out = join(this.path, `run-${number}`);
    const started = this.start(['run', file, '--out', out, '--json', ...args]);
    const console = (node: string) => {
      const path = join(out, 'console', `${node}.log`);
      return existsSync(path) ? readFileSync(path, 'utf8') : '';
    };
    return { ...started, out, console };
  }

  /** Waits for the end of a run, and makes sure that it left nothing but its result. */
  async outcome(started: StartedRun): Promise<RunOutcome> {
    const outcome = new RunOutcome(await started.finished, started.out);
    await this.expectNothingLeft();
    return outcome;
  }

  /** Runs a topology to its end, and makes sure that it left nothing but its result. */
  async runOnce(yaml: string, args: readonly string[] = []): Promise<RunOutcome> {
    return this.outcome(this.startTopology(yaml, args));
  }

  /**
   * As {@link runOnce}; and where nobody failed, runs it once more with one guest at a time and once more with as
   * many as there are, and makes sure that all three runs are the same.
   */
  async runTopology(yaml: string, args: readonly string[] = []): Promise<RunOutcome> {
    const run = await this.runOnce(yaml, args);
    if (run.status !== 0 && run.status !== 1) return run;
    if (args.includes('--serial') || args.includes('--jobs')) return run;
    for (const mode of [['--serial'], ['--jobs', '16']]) {
      await expectSame(this, run, await this.runOnce(yaml, [...args, ...mode]), mode.join(' '));
    }
    return run;
  }

  /** Runs a script to its end, twice where nobody failed, and makes sure that both runs are the same. */
  async runScript(typescript: string, args: readonly string[] = []): Promise<RunOutcome> {
    const file = this.write('script.ts', typescript);
    const run = await this.outcome(this.startFile(file, args));
    if (run.status === 0)
      await expectSame(this, run, await this.outcome(this.startFile(file, args)), 'the script again');
    return run;
  }

  /** No process, no socket or other temporary file, no shared memory with a name. */
  async expectNothingLeft(): Promise<void> {
    const left = () => [
      ...this.processes().map(({ pid, command }) => `process ${pid}: ${command}`),
      ...filesBelow(this.temporary),
      ...readdirSync('/dev/shm')
        .filter((name) => !this.#sharedBefore.has(name))
        .map((name) => `/dev/shm/${name}`),
    ];
    try {
      await until('nothing is left', () => (left().length === 0 ? true : undefined), GONE_MS);
    } catch {
      expect(left(), 'what is left').toEqual([]);
    }
  }
}

/** How a run ended, and what is in its directory. */
export class RunOutcome implements Finished {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly wallMs: number;

  constructor(
    finished: Finished,
    readonly out: string,
  ) {
    this.status = finished.status;
    this.signal = finished.signal;
    this.stdout = finished.stdout;
    this.stderr = finished.stderr;
    this.wallMs = finished.wallMs;
  }

  /** What `--json` printed: the result object, and nothing else. */
  get result(): RunResult {
    try {
      return JSON.parse(this.stdout) as RunResult;
    } catch (cause) {
      throw new Error(`no result: ${JSON.stringify(this.stdout)}; ${this.stderr}`, { cause });
    }
  }

  /** A node of the result. */
  node(name: string): RunResult['nodes'][string] {
    const node = this.result.nodes[name];
    if (node === undefined) throw new Error(`the result has no node ${name}: ${this.stdout}`);
    return node;
  }

  /** A link or switch of the result. */
  link(name: string): RunResult['links'][string] {
    const link = this.result.links[name];
    if (link === undefined) throw new Error(`the result has no link ${name}: ${this.stdout}`);
    return link;
  }

  console(node: string): string {
    return readFileSync(join(this.out, 'console', `${node}.log`), 'utf8');
  }

  /** The lines of a console, without their times, from the first that the node's own command wrote. */
  lines(node: string): string[] {
    const lines = this.console(node).split('\n');
    const init = lines.findIndex((line) => line.includes('Run /init as init process'));
    return lines
      .slice(init + 1)
      .map((line) => line.replace(/^\[ *\d+\.\d{9}\] ?/, ''))
      .filter((line) => line !== '');
  }

  capture(link: string): Sighting[] {
    return readCapture(readFileSync(join(this.out, 'pcap', `${link}.pcapng`)));
  }

  /** Every file of the run directory that the same run makes again, byte for byte. */
  files(): Map<string, Buffer> {
    return new Map(
      readdirSync(this.out, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && !['result.json', 'cost'].includes(entry.name))
        .map((entry) => join(entry.parentPath, entry.name))
        .sort()
        .map((path) => [path.slice(this.out.length + 1), readFileSync(path)]),
    );
  }

  /** Throws with all that is known unless the run ended with `status`. */
  expectStatus(status: number): this {
    const known = `${this.stderr}\n${this.stdout}`;
    expect({ status: this.status, signal: this.signal }, known).toEqual({ status, signal: null });
    return this;
  }
}

/** What is below `folder`; a folder that goes away while it is read counts as there. */
function filesBelow(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true }).map((name) => `${folder}/${name}`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return [`${folder}: ${(error as Error).message}`];
  }
}
