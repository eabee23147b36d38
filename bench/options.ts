// SPDX-License-Identifier: MIT
import { accessSync, constants, writeFileSync } from 'node:fs';
import { Argument, Command, InvalidArgumentError } from 'commander';
import type { Peer } from './peer.js';

const SECTIONS = ['runs', 'parallel', 'profile', 'scale', 'kvm', 'engine', 'view'] as const;

const HELP = `
Sections:
  runs      wall time, CPU time and messages of some topologies          1 minute
  parallel  guests at once against one at a time                         3 minutes
  profile   what the CPU time of our process is spent on                 1 minute
  scale     cost against the number of guests, up to 200 of them         5 minutes
  kvm       exits, Linux guests and shared variables of KVM guests       8 minutes
  engine    events a second of a script with no guest, beside SimPy      1 minute
  view      the page of a run with 50 nodes and a million events         1 minute
Without any, all of them. The times are those of the default repetitions on two cores.

With ONECLOCK_PEER=PATH, another controller of the time-travel=ext: protocol, which takes --time SOCKET, --net SOCKET,
--clients N and --net-delay DELAY, the section "runs" also runs the two-guest case with it, with "oneclock serve" and
with "oneclock run" in turn. ONECLOCK_PEER_DELAY is how it is told one millisecond (default: 1; usfstl's control
program takes milliseconds).

A table for people is printed, and behind the line "JSON:" the same figures and more as one JSON object. With --json
that object goes to the file instead; with --markdown there is none.

Exit status: 0 measured, targets reached or not; 1 a run failed, its repetitions differ, serial or parallel, or needless
messages were sent; 2 bad option.`;

export type Section = (typeof SECTIONS)[number];

export interface BenchOptions {
  readonly sections: ReadonlySet<Section>;
  readonly repeat: number;
  /** Where the JSON goes; undefined: to the end of the output. */
  readonly json: string | undefined;
  /** Whether tables are to be those of a page of docs/. */
  readonly markdown: boolean;
  /** Where the plot of the section `scale` goes. */
  readonly plot: string | undefined;
  readonly peer: Peer | undefined;
}

export function readOptions(words: readonly string[], environment: NodeJS.ProcessEnv): BenchOptions {
  const command = new Command('make bench')
    .description('Measures what runs cost on this machine.')
    .addArgument(new Argument('[sections...]', 'what to measure').choices(SECTIONS))
    .option('--repeat <N>', 'repetitions of each case, in turn with those of the others', count, 5)
    .option('--json <FILE>', 'write the figures there as JSON')
    .option('--markdown', 'print tables in Markdown')
    .option('--plot <FILE>', 'write the plot of the section "scale" there, as SVG')
    .addHelpText('after', HELP)
    .exitOverride((stop) => process.exit(stop.exitCode === 0 ? 0 : 2));
  command.parse(words, { from: 'user' });
  const named = command.processedArgs[0] as readonly Section[];
  const sections = new Set(named.length > 0 ? named : SECTIONS);
  const { repeat, json, markdown, plot } = command.opts<{
    repeat: number;
    json?: string;
    markdown?: true;
    plot?: string;
  }>();
  const { ONECLOCK_PEER: path, ONECLOCK_PEER_DELAY: delay = '1' } = environment;
  if (plot !== undefined && !sections.has('scale')) {
    command.error('--plot: only the section "scale" has a plot');
  }
  // Nobody wants to hear of any of these when all has been measured.
  if (path) attempt(command, 'ONECLOCK_PEER', () => accessSync(path, constants.X_OK));
  if (json !== undefined) attempt(command, '--json', () => writeFileSync(json, ''));
  if (plot !== undefined) attempt(command, '--plot', () => writeFileSync(plot, '', { flag: 'a' }));
  return {
    sections,
    repeat,
    json,
    markdown: markdown === true,
    plot,
    peer: path ? { path, delay } : undefined,
  };
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
