// SPDX-License-Identifier: MIT
import type { Sample } from './sample.js';
import { type Spread, spread } from './spread.js';

/** The topologies that are measured, by the names of their files. */
export const CASES = ['two-guests', 'ten-nodes', 'streams'] as const;
/** A run that ends when it has begun. */
export const START_UP = 'start-up';

/** What the repetitions of one case came to. */
export interface CaseResult {
  readonly name: string;
  readonly virtualNs: string;
  readonly activations: number;
  readonly events: number;
  readonly traceHash: string;
  readonly wallMs: Spread;
  readonly guestCpuMs: Spread;
  /** Of the whole process, its start included. */
  readonly ownCpuMs: Spread;
  /** Of the run's CPU time, how much was spent in our process; 0 to 1. */
  readonly ownShare: Spread;
  /** The same without what a run costs that ends at once. */
  readonly ownShareAfterStart: Spread;
  /** Without what a run costs that ends at once. */
  readonly ownUsPerActivation: Spread;
  /** Virtual seconds in a second of wall time. */
  readonly speed: Spread;
}

/**
 * @param startCpuMs what the start of our process costs
 * @throws where the repetitions do not have one trace
 */
export function summarize(name: string, samples: readonly Sample[], startCpuMs: number): CaseResult {
  const [first] = samples;
  if (first === undefined) throw new Error(`${name} was not measured`);
  const hashes = new Set(samples.map(({ traceHash }) => traceHash));
  if (hashes.size > 1) {
    throw new Error(`the repetitions of ${name} differ: their traces are ${[...hashes].join(', ')}`);
  }
  const over = (figure: (sample: Sample) => number) => spread(samples.map(figure));
  const worked = (sample: Sample) => Math.max(0, sample.ownCpuMs - startCpuMs);
  const { virtualNs, activations, events, traceHash } = first;
  return {
    name,
    virtualNs,
    activations,
    events,
    traceHash,
    wallMs: over(({ wallMs }) => wallMs),
    guestCpuMs: over(({ guestCpuMs }) => guestCpuMs),
    ownCpuMs: over(({ ownCpuMs }) => ownCpuMs),
    ownShare: over(({ ownCpuMs, guestCpuMs }) => ownCpuMs / (ownCpuMs + guestCpuMs)),
    ownShareAfterStart: over((sample) => worked(sample) / (worked(sample) + sample.guestCpuMs)),
    ownUsPerActivation: over((sample) => (worked(sample) * 1000) / activations),
    speed: over(({ wallMs }) => Number(virtualNs) / 1e6 / wallMs),
  };
}
