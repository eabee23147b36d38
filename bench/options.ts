// SPDX-License-Identifier: MIT
import { accessSync, constants, writeFileSync } from 'node:fs';
import { Command, InvalidArgumentError } from 'commander';
import type { Peer } from './peer.js';

const ENVIRONMENT = `
With ONECLOCK_PEER=PATH, another controller of the time-travel=ext: protocol, which takes --time SOCKET, --net SOCKET,
--clients N and --net-delay DELAY, the two-guest case is run with it, with "oneclock serve" and with "oneclock run"
in turn. ONECLOCK_PEER_DELAY is how it is told one millisecond (default: 1; usfstl's control program takes
milliseconds).

A table for people is printed, and behind the line "JSON:" the same figures and more as one JSON object. With --json
that object goes to the file instead.

Exit status: 0 measured; 1 a run failed, its repetitions differ, or needless messages were sent; 2 bad option.`;

export interface BenchOptions {
  readonly repeat: number;
  /** Where the JSON goes; undefined: to the end of the output. */
  readonly json: string | undefined;
  readonly peer: Peer | undefined;
}

export function readOptions(words: readonly string[], environment: NodeJS.ProcessEnv): BenchOptions {
  const command = new Command('make bench')
    .description('Measures what runs cost on this machine.')
    .option('--repeat <N>', 'repetitions of each case, in turn with those of the others', count, 5)
    .option('--json <FILE>', 'write the figures there as JSON')
    .addHelpText('after', ENVIRONMENT)
    .exitOverride((stop) => process.exit(stop.exitCode === 0 ? 0 : 2));
  command.parse(words, { from: 'user' });
  const { repeat, json } = command.opts<{ repeat: number; json?: string }>();
  const { ONECLOCK_PEER: path, ONECLOCK_PEER_DELAY: delay = '1' } = environment;
  // Nobody wants to hear of either when all has been measured.
  if (path) attempt(command, 'ONECLOCK_PEER', () => accessSync(path, constants.X_OK));
  if (json !== undefined) attempt(command, '--json', () => writeFileSync(json, ''));
  return { repeat, json, peer: path ? { path, delay } : undefined };
}

function attempt(command: Command, what: string, action: () => void): void {
  try {
    action();
  } catch (error) {
    command.error(`${what}: ${(error as Error).message}`);
  }
}

function count(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 1000) {
    throw new InvalidArgumentError('a whole number from 1 to 1000 is expected');
  }
  return value;
}
