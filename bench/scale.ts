// SPDX-License-Identifier: MIT
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Footprint, observeRun } from './footprint.js';
import { type Sample, takeSample } from './sample.js';
import { scaleTopology } from './scale-topology.js';
import { withFolder } from './scratch.js';
import { type Spread, spread } from './spread.js';

const SIZES = [2, 8, 32, 128] as const;
/**
 * Pings of all guests together that a long run has more than a short one: at least so many, and so many for each guest,
 * since the cost of boots, which the difference has to stand out from, varies with their number.
 */
const PINGS = 12_800;
const PINGS_OF_A_GUEST = 400;
/** Pings of each guest in a short run: addresses are resolved. */
const SHORT = 2;
const LARGE = 200;
const LARGE_PINGS = 20;
/** These runs are long. */
const MOST_REPETITIONS = 3;

/** Cost with one number of guests. That of traffic is the difference of a long and a short run: without boots. */
export interface ScaleSize {
  readonly guests: number;
  /** Those that ping. */
  readonly active: number;
  /** Of the long run. */
  readonly wallMs: Spread;
  /** Of the short run, nearly all of which is boots. */
  readonly bootMs: Spread;
  /** CPU time of guests in the short run, for each of them. */
  readonly bootGuestCpuMs: Spread;
  /** CPU time of our process in the short run. */
  readonly bootOwnCpuMs: Spread;
  /** Of the traffic. */
  readonly activations: number;
  readonly events: number;
  readonly ownUsPerActivation: Spread;
  readonly ownUsPerEvent: Spread;
  /** Of the long run. */
  readonly footprint: Footprint;
}

/** One run of many guests. */
export interface LargeRun {
  readonly guests: number;
  readonly wallMs: number;
  readonly guestCpuMs: number;
  readonly ownCpuMs: number;
  readonly activations: number;
  readonly events: number;
  readonly footprint: Footprint;
}

export interface ScaleResult {
  readonly sizes: readonly ScaleSize[];
  readonly large: LargeRun;
}

export function measureScale(repetitions: number, progress: (text: string) => void): Promise<ScaleResult> {
  return withFolder((folder) => measureIn(folder, Math.min(repetitions, MOST_REPETITIONS), progress));
}

async function measureIn(
  folder: string,
  repetitions: number,
  progress: (text: string) => void,
): Promise<ScaleResult> {
  const prepare = (guests: number, active: number, pings: number) => {
    const name = `${guests} guests, ${active} active, ${pings} pings each`;
    const file = join(folder, `${guests}-${active}-${pings}.yaml`);
    writeFileSync(file, scaleTopology(guests, active, pings));
    return { name, file };
  };
  const run = ({ name, file }: ReturnType<typeof prepare>) => {
    progress(`scale: ${name}`);
    return takeSample(name, { file });
  };
  const observe = ({ name, file }: ReturnType<typeof prepare>) => {
    progress(`scale, looking at processes: ${name}`);
    return observeRun(name, file);
  };
  const cases = SIZES.flatMap((guests) =>
    [...new Set([guests, 2])].map((active) => ({ guests, active })),
  ).map(({ guests, active }) => ({
    guests,
    active,
    short: prepare(guests, active, SHORT),
    long: prepare(guests, active, SHORT + Math.max(PINGS, guests * PINGS_OF_A_GUEST) / active),
    samples: [] as Pair[],
  }));
  for (let repetition = 1; repetition <= repetitions; repetition++) {
    for (const { short, long, samples } of cases) {
      samples.push({ short: await run(short), long: await run(long) });
    }
  }
  const sizes: ScaleSize[] = [];
  for (const { guests, active, long, samples } of cases) {
    sizes.push({ guests, active, ...costOfTraffic(guests, samples), footprint: await observe(long) });
  }
  const large = prepare(LARGE, LARGE, LARGE_PINGS);
  const { wallMs, guestCpuMs, ownCpuMs, activations, events } = await run(large);
  const footprint = await observe(large);
  return {
    sizes,
    large: { guests: LARGE, wallMs, guestCpuMs, ownCpuMs, activations, events, footprint },
  };
}

/** A short and a long run of the same guests. */
interface Pair {
  readonly short: Sample;
  readonly long: Sample;
}

/**
 * @param pairs one or more
 * @throws where repetitions differ
 */
export function costOfTraffic(
  guests: number,
  pairs: readonly Pair[],
): Omit<ScaleSize, 'guests' | 'active' | 'footprint'> {
  const hashes = new Set(pairs.map(({ short, long }) => `${short.traceHash} ${long.traceHash}`));
  if (hashes.size > 1) throw new Error(`the repetitions of ${guests} guests differ`);
  const [{ short, long }] = pairs as readonly [Pair];
  const activations = long.activations - short.activations;
  const events = long.events - short.events;
  const over = (figure: (pair: Pair) => number) => spread(pairs.map(figure));
  const ownUs = (pair: Pair) => (pair.long.ownCpuMs - pair.short.ownCpuMs) * 1000;
  return {
    wallMs: over((pair) => pair.long.wallMs),
    bootMs: over((pair) => pair.short.wallMs),
    bootGuestCpuMs: over((pair) => pair.short.guestCpuMs / guests),
    bootOwnCpuMs: over((pair) => pair.short.ownCpuMs),
    activations,
    events,
    ownUsPerActivation: over((pair) => ownUs(pair) / activations),
    ownUsPerEvent: over((pair) => ownUs(pair) / events),
  };
}
