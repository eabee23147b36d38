// SPDX-License-Identifier: MIT
import { type Duration, formatInstant, instant, NEVER, NO_TIME } from '../calendar/time.js';
import { OneclockError } from '../errors.js';
import { Server } from '../serve/index.js';
import { parseTimeOfDay } from '../topology/index.js';
import { endOnSignals } from './ending.js';
import { hangMs } from './wall-bounds.js';

const DEFAULT_START = '2026-01-01T00:00:00Z';

export interface ServeCommandOptions {
  readonly time: string;
  readonly net: readonly string[];
  readonly clients: number;
  readonly netDelay?: Duration;
  readonly start?: string;
  readonly until?: Duration;
  readonly hang?: Duration;
  readonly seed: bigint;
  /** False with `--no-shm`. */
  readonly shm: boolean;
}

/** `oneclock serve`. @returns the exit status */
export async function serve(options: ServeCommandOptions): Promise<number> {
  const server = new Server({
    time: options.time,
    net: options.net,
    clients: options.clients,
    netDelay: options.netDelay ?? NO_TIME,
    timeOfDay: timeOfDay(options.start ?? DEFAULT_START),
    until: options.until === undefined ? NEVER : instant(options.until),
    hangMs: hangMs(options.hang),
    sharedMemory: options.shm,
    seed: options.seed,
    report: (text) => process.stderr.write(`oneclock: ${text}\n`),
  });
  const signal = endOnSignals(
    (error) => server.abort(error),
    () => server.dispose(),
  );
  const clients = options.clients === 1 ? '1 client' : `${options.clients} clients`;
  process.stderr.write(`oneclock: waiting for ${clients} at ${options.time}\n`);
  try {
    const { at, faults } = await server.serve();
    process.stderr.write(`oneclock: ended at ${formatInstant(at)} s of virtual time\n`);
    return faults > 0 ? 3 : 0;
  } catch (error) {
    if (signal.exitStatus === undefined) throw error;
    return signal.exitStatus;
  }
}

function timeOfDay(text: string): bigint {
  const time = parseTimeOfDay(text);
  if (time === undefined) {
    throw new OneclockError('INPUT', `--start: a time such as ${DEFAULT_START} is expected; found ${text}`);
  }
  return time;
}
