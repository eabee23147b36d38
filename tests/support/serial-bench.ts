// SPDX-License-Identifier: MIT
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { EventKind, type Instant, instant } from '../../backend/calendar/index.js';
import { Run, type RunResult } from '../../backend/run/index.js';
import type { SerialLine } from '../../backend/serial/index.js';
import { readTopology } from '../../backend/topology/index.js';
import { LogReader } from '../../backend/trace/log-reader.js';
import { packageFile } from '../../host/package-root.js';

/** User-Mode Linux counts its clock in steps of so many nanoseconds (TIMER_MULTIPLIER of arch/um/kernel/time.c). */
export const CLOCK_STEP = 256n;

const COUNT = 100;
const LIMIT_MS = 100_000;
const HANG_MS = 20_000;
/** Guests are up by then. */
const BEGIN = 2_000_000_000n;
const MS = 1_000_000n;
const TICK = 10n * MS;

/** A guest with a line. */
export interface SerialGuest {
  readonly name: string;
  readonly line: string;
  /** When it is sent something. */
  readonly times: readonly bigint[];
  /** What it is sent at its `place`-th time; where nothing is said, a byte: 0, 1, 2 … */
  readonly data?: (place: number) => Uint8Array;
  /** What it runs; where nothing is said, serial-program.c, which echoes. */
  readonly run?: string;
}

/**
 * Odd times, other ones for each guest; one in each tick, and not close to its ends: a clock that is read when the guest
 * ticks is read twice.
 */
export function sendTimes(guest: number): bigint[] {
  return Array.from({ length: COUNT }, (_, place) => {
    const within = (BigInt(place * place) * 79_193n + BigInt(guest) * 123_457n) % (8n * MS);
    return BEGIN + BigInt(place) * TICK + MS + within;
  });
}

export interface SerialOptions {
  readonly sharedMemory?: boolean;
  readonly jobs?: number;
  /** The value of `serial` for a line. */
  readonly settings?: string;
  /** Another kernel than the one that was built. */
  readonly kernel?: string;
}

/** What was seen of a run. */
export class SerialRun {
  constructor(
    readonly result: RunResult,
    readonly out: string,
    private readonly guests: readonly SerialGuest[],
    private readonly lines: readonly SerialLine[],
  ) {}

  /** Bytes that the line of a guest has lost. */
  lost(node: string): number | undefined {
    return this.lines[this.#place(node)]?.lost;
  }

  inputs(node: string) {
    return this.#traffic(node, true);
  }

  outputs(node: string) {
    return this.#traffic(node, false);
  }

  /** What the guest says of each byte. */
  stamps(node: string): { byte: number; at: bigint }[] {
    return this.console(node).flatMap((line) => {
      const [, byte, at] = /^(\d+) (\d+)$/.exec(line) ?? [];
      return at === undefined ? [] : [{ byte: Number(byte), at: BigInt(at) }];
    });
  }

  /** The lines of a console's log, without their times. */
  console(node: string): string[] {
    const text = readFileSync(join(this.out, 'console', `${node}.log`), 'utf8');
    return text.split('\n').map((line) => line.replace(/^\[[^\]]*\] /, ''));
  }

  #place(node: string): number {
    return this.guests.findIndex(({ name }) => name === node);
  }

  #traffic(node: string, input: boolean): { at: bigint; data: number[] }[] {
    const index = this.#place(node);
    const log = new LogReader(this.out);
    const found = [...log].flatMap(({ at, node: of, event }) =>
      event.kind === 'serial-data' && of === index && event.input === input
        ? [{ at: at as bigint, data: [...event.data] }]
        : [],
    );
    log.close();
    return found;
  }
}

/** A folder for a test with guests that are sent bytes; it goes with the test. Guests see it, unlike those in /tmp. */
export class SerialBench {
  readonly path = mkdtempSync('/var/tmp/serial-');
  #runs = 0;

  constructor() {
    onTestFinished(() => rmSync(this.path, { recursive: true, force: true }));
    const source = packageFile('tests/support/serial-program.c');
    execFileSync('cc', ['-static', '-O1', '-Wall', '-Wextra', '-Werror', '-o', this.program, source]);
  }

  /** serial-program.c. */
  get program(): string {
    return join(this.path, 'serial-program');
  }

  async run(guests: readonly SerialGuest[], options: SerialOptions = {}): Promise<SerialRun> {
    const number = this.#runs++;
    const file = join(this.path, `topology-${number}.yaml`);
    const { settings = '{}', kernel } = options;
    const nodes = guests.map(({ name, line, times, run }) =>
      [
        `  ${name}:`,
        `    { kind: uml, root: host, memory: 256M, serial: { ${line}: ${settings} },`,
        ...(kernel === undefined ? [] : [`      kernel: ${kernel},`]),
        `      run: ${JSON.stringify(run ?? `${this.program} echo /dev/${line} ${times.length}`)} }`,
      ].join('\n'),
    );
    writeFileSync(file, `name: serial\nuntil: 10s\nnodes:\n${nodes.join('\n')}\n`);
    const out = join(this.path, `run-${number}`);
    const { sharedMemory = true, jobs = 1 } = options;
    const run = new Run(readTopology(file), {
      out,
      jobs,
      sharedMemory,
      maxWallMs: LIMIT_MS,
      hangMs: HANG_MS,
    });
    const lines = guests.map((guest) => this.#schedule(run, guest));
    return new SerialRun(await run.execute(), out, guests, lines);
  }

  #schedule(run: Run, { name, line, times, data = oneByte }: SerialGuest): SerialLine {
    const node = run.nodes.find(({ spec }) => spec.name === name);
    const serial = node?.serial.get(line);
    if (!node || !serial) throw new Error(`there is no ${line} of ${name}`);
    times.forEach((at, place) => {
      node.domain.post(node.domain, {
        at: instant(at) as Instant,
        kind: EventKind.SCRIPT,
        source: node.spec.index,
        sequence: place,
        apply: () => serial.send(data(place)),
      });
    });
    return serial;
  }
}

function oneByte(place: number): Uint8Array {
  return Uint8Array.of(place & 0xff);
}
