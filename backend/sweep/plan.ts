// SPDX-License-Identifier: MIT
import { OneclockError } from '../errors.js';
import { Random } from '../network/random.js';
import { type Given, writeValue } from './given.js';

/** No sweep has more runs: each is a process, and takes a third of a second with one guest. */
export const MAX_RUNS = 10_000;

/** The value of a parameter, as the script has it. */
export type Value = string | number | boolean;

/** One choice of a value for each parameter that the command line names. */
export interface Combination {
  /** For messages and tables, such as `k=1 mode=a`; empty where the command line names no parameter. */
  readonly label: string;
  /** Of the command line, one value each. */
  readonly given: Given;
}

/** A run that is to be made. */
export interface PlannedRun {
  /** Place in the list of combinations. */
  readonly combination: number;
  /** From 1. */
  readonly repetition: number;
  readonly seed: bigint;
}

/**
 * Every choice of values, in the order given: the last parameter changes first.
 *
 * @throws OneclockError `INPUT` where this comes to more runs than are made
 */
export function combinationsOf(given: Given, repeat: number): Combination[] {
  refuseTooMany(given, repeat);
  let choices: (readonly (readonly [string, string])[])[] = [[]];
  for (const [name, values] of given) {
    choices = choices.flatMap((choice) => values.map((value) => [...choice, [name, value] as const]));
  }
  return choices.map((choice) => ({
    label: choice.map(([name, value]) => `${name}=${value}`).join(' '),
    given: new Map(choice.map(([name, value]) => [name, [value]])),
  }));
}

/**
 * The seeds of the repetitions. The first is the base seed, so that this run is the one that a plain `run` makes. The
 * others are drawn from it, and have 48 bits, which JSON and spreadsheets keep exactly. Seeds such as base, base + 1 …
 * would make two sweeps with neighbouring base seeds share most of their runs.
 */
export function seedsOf(base: bigint, repeat: number): bigint[] {
  return Array.from({ length: repeat }, (_, place) =>
    place === 0 ? base : Random.for(base, 'sweep', String(place + 1)).word() >> 16n,
  );
}

/**
 * The runs in the order in which they begin. All combinations have the same seed in the same repetition: they are compared
 * under the same randomness, and what differs between them comes from the parameters.
 */
export function planRuns(combinations: number, seeds: readonly bigint[]): PlannedRun[] {
  return Array.from({ length: combinations }, (_, combination) =>
    seeds.map((seed, place) => ({ combination, repetition: place + 1, seed })),
  ).flat();
}

/** The `--param` of a combination, for a command. */
export function paramArguments({ given }: Combination): string[] {
  return [...given].flatMap(([name, values]) => ['--param', `${name}=${values.map(writeValue).join(',')}`]);
}

function refuseTooMany(given: Given, repeat: number): void {
  const factors = [...[...given.values()].map((values) => values.length), repeat];
  const runs = factors.reduce((product, factor) => product * factor, 1);
  if (runs <= MAX_RUNS) return;
  throw new OneclockError(
    'INPUT',
    `the sweep would be ${runs} runs (${factors.join(' x ')}); expected ${MAX_RUNS} at most: ` +
      'give fewer values or repetitions',
  );
}
