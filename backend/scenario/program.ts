// SPDX-License-Identifier: MIT
import { constants } from 'node:os';
import type { ExecOptions as AgentOptions, ExecHandle } from '../agent/index.js';
import { OneclockError } from '../errors.js';
import type { RunNode } from '../run/node.js';
import { TextLine } from './console.js';
import { type SimulationEvent, type Span, TimedOut } from './engine/index.js';
import { keep, type Site } from './site.js';

/** What a program may write before its output is too much to be kept, in bytes. */
const MAX_OUTPUT = 64 << 20;

/** A command: a line of the guest's shell, or a program and its arguments. */
export type CommandLine = string | readonly string[];

export interface SpawnOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** The name of a user of the guest; root where nothing is said. */
  readonly user?: string;
  /** Its terminal; none where nothing is said. */
  readonly terminal?: { readonly rows: number; readonly columns: number };
}

export interface ExecOptions extends Omit<SpawnOptions, 'terminal'> {
  /** All of its input; empty where nothing is said. */
  readonly stdin?: string | Uint8Array;
  /** After so much virtual time it is killed, and `exec` throws TimedOut. */
  readonly timeout?: Span;
}

/** How a program ended. */
export interface Ended {
  /** Its exit status; null where a signal ended it. */
  readonly exit: number | null;
  /** `SIGKILL`; null where it exited. */
  readonly signal: string | null;
}

/** How a program ended, and all that it wrote. */
export interface Executed extends Ended {
  readonly stdout: string;
  readonly stderr: string;
}

/** A program that a script has started in a guest. */
export class ScriptProgram {
  /** What it writes, to wait for; with a terminal, all of it is in `stdout`. */
  readonly stdout: TextLine;
  readonly stderr: TextLine;
  readonly #ended: SimulationEvent<Ended>;
  readonly #handle: ExecHandle;

  constructor(
    private readonly site: Site,
    private readonly node: RunNode,
    command: CommandLine,
    options: SpawnOptions,
    output?: (stream: 1 | 2, bytes: Uint8Array) => void,
  ) {
    const { stage, sim } = site;
    const { name } = node.spec;
    const shown = typeof command === 'string' ? command : command.join(' ');
    const line = (what: string) =>
      new TextLine(site, `the ${what} of '${shown}' on ${name}`, (bytes) => this.write(bytes));
    this.stdout = line('output');
    this.stderr = line('errors');
    this.#ended = sim.event<Ended>(`the end of '${shown}' on ${name}`);
    stage.act(`a script runs '${shown}'`, node);
    this.#handle = sessionOf(node).exec(readOptions(command, options), {
      output: (stream, bytes) => {
        // Who takes all of it does not search in it.
        if (output) output(stream, bytes);
        else (stream === 1 ? this.stdout : this.stderr).push(bytes);
      },
      ended: (end) => {
        const how: Ended =
          'code' in end ? { exit: end.code, signal: null } : { exit: null, signal: signalName(end.signal) };
        stage.note(
          `'${shown}' ${how.signal === null ? `exited with ${how.exit}` : `was ended by ${how.signal}`}`,
          node,
        );
        site.later(() => this.#end(() => this.#ended.succeed(how)));
      },
      failed: (error) => site.later(() => this.#end(() => this.#ended.fail(error))),
    });
  }

  #end(tell: () => void): void {
    tell();
    this.stdout.end();
    this.stderr.end();
  }

  /** Gives it input. */
  write(input: string | Uint8Array): void {
    this.site.stage.mustBeTurn();
    this.#handle.write(bytesOf(input));
  }

  /** Its input ends. */
  end(input?: string | Uint8Array): void {
    this.site.stage.mustBeTurn();
    this.#handle.end(input === undefined ? undefined : bytesOf(input));
  }

  /** Sends it, and what it has started, a signal: `SIGTERM` where nothing is said. */
  kill(signal: string | number = 'SIGTERM'): void {
    const number = typeof signal === 'number' ? signal : signalNumber(signal);
    this.site.stage.act(`a script sends ${signal}`, this.node);
    this.#handle.signal(number);
  }

  /** Waits until it has ended, and all its output is there. @throws TimedOut after `timeout` of virtual time */
  ended({ timeout }: { readonly timeout?: Span } = {}): Promise<Ended> {
    const event = this.#ended;
    return keep(timeout === undefined ? event.wait() : this.site.sim.timeout(event, timeout));
  }
}

/** Runs a program to its end. */
export function execute(
  site: Site,
  node: RunNode,
  command: CommandLine,
  options: ExecOptions,
): Promise<Executed> {
  return keep(run(site, node, command, options));
}

async function run(
  site: Site,
  node: RunNode,
  command: CommandLine,
  { stdin, timeout, ...options }: ExecOptions,
): Promise<Executed> {
  const kept: Uint8Array[][] = [[], []];
  let size = 0;
  const program = new ScriptProgram(site, node, command, options, (stream, bytes) => {
    size += bytes.length;
    if (size <= MAX_OUTPUT) (kept[stream - 1] as Uint8Array[]).push(bytes);
  });
  program.end(stdin);
  let end: Ended;
  try {
    end = await program.ended(timeout === undefined ? {} : { timeout });
  } catch (error) {
    if (error instanceof TimedOut) program.kill('SIGKILL');
    throw error;
  }
  if (size > MAX_OUTPUT)
    throw new OneclockError(
      'PARTICIPANT',
      `${node.spec.name}: the program wrote ${size} bytes, more than ${MAX_OUTPUT} are not kept`,
    );
  const [stdout, stderr] = kept.map((pieces) => Buffer.concat(pieces).toString('utf8')) as [string, string];
  return { ...end, stdout, stderr };
}

/** Puts a file into a guest. */
export function putFile(
  { stage, sim, later }: Site,
  node: RunNode,
  path: string,
  content: string | Uint8Array,
  mode: number | undefined,
): Promise<void> {
  const bytes = bytesOf(content);
  const event = sim.event(`${path} to be put on ${node.spec.name}`);
  stage.act(`a script puts ${path}, ${bytes.length} bytes`, node);
  sessionOf(node).put(
    path,
    bytes,
    { done: () => later(() => event.succeed()), failed: (error) => later(() => event.fail(error)) },
    mode === undefined ? {} : { mode },
  );
  return keep(event.wait());
}

/** Gets a file out of a guest. */
export function getFile({ stage, sim, later }: Site, node: RunNode, path: string): Promise<Uint8Array> {
  const event = sim.event<Uint8Array>(`${path} of ${node.spec.name}`);
  stage.act(`a script gets ${path}`, node);
  sessionOf(node).get(path, {
    done: (content) => later(() => event.succeed(content)),
    failed: (error) => later(() => event.fail(error)),
  });
  return keep(event.wait());
}

function sessionOf(node: RunNode): NonNullable<RunNode['session']> {
  if (node.session) return node.session;
  const { name, kind } = node.spec;
  throw new OneclockError(
    'INPUT',
    `${name} is a ${kind} without an agent: a script cannot run programs on it`,
  );
}

function readOptions(command: CommandLine, { cwd, env, user, terminal }: SpawnOptions): AgentOptions {
  return {
    command,
    ...(cwd !== undefined && { cwd }),
    ...(env && { environment: env }),
    ...(user !== undefined && { user }),
    ...(terminal && { terminal }),
  };
}

function bytesOf(content: string | Uint8Array): Uint8Array {
  return typeof content === 'string' ? new TextEncoder().encode(content) : Uint8Array.from(content);
}

function signalNumber(name: string): number {
  const number = constants.signals[name as NodeJS.Signals];
  if (number !== undefined) return number;
  throw new OneclockError('INPUT', `expected a signal such as SIGTERM; found ${name}`);
}

function signalName(number: number): string {
  const name = Object.entries(constants.signals).find(([, each]) => each === number)?.[0];
  return name ?? `signal ${number}`;
}
