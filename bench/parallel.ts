// SPDX-License-Identifier: MIT
import { type Sample, takeSample } from './sample.js';
import { formatSpread, type Spread, spread } from './spread.js';
import type { TableFormat } from './table.js';

/** Topologies, and how many times faster than `--serial` each is meant to be. */
const CASES = [
  { name: 'busy-pair', target: 1.7 },
  { name: 'ring-8', target: 1.5 },
  { name: 'two-guests', target: 0.95 },
] as const;

/** How one topology went one guest at a time, and as many at once as there are cores. */
export interface ParallelResult {
  readonly name: string;
  readonly target: number;
  readonly reached: boolean;
  readonly serialMs: Spread;
  readonly parallelMs: Spread;
  /** Wall time with `--serial` by that without, each turn by itself. */
  readonly ratio: Spread;
  readonly activations: number;
  readonly traceHash: string;
}

/** Runs every case in both ways, in turn. */
export async function compareParallel(
  repetitions: number,
  progress: (text: string) => void,
): Promise<ParallelResult[]> {
  const measured = CASES.map((of) => ({ of, serial: [] as Sample[], parallel: [] as Sample[] }));
  for (let repetition = 1; repetition <= repetitions; repetition++) {
    for (const { of, serial, parallel } of measured) {
      progress(`parallel, repetition ${repetition} of ${repetitions}: ${of.name}`);
      serial.push(await takeSample(of.name, { words: ['--serial'] }));
      parallel.push(await takeSample(of.name));
    }
  }
  return measured.map(({ of, serial, parallel }) => compareWays(of, serial, parallel));
}

/**
 * @param serial as many as `parallel`, one of each from every turn
 * @throws where the traces are not all the same
 */
export function compareWays(
  { name, target }: { readonly name: string; readonly target: number },
  serial: readonly Sample[],
  parallel: readonly Sample[],
): ParallelResult {
  const [first] = serial as readonly [Sample];
  const hashes = new Set([...serial, ...parallel].map(({ traceHash }) => traceHash));
  if (hashes.size > 1) {
    throw new Error(`${name} differs, serial and parallel: its traces are ${[...hashes].join(', ')}`);
  }
  const ratio = spread(serial.map(({ wallMs }, turn) => wallMs / (parallel[turn] as Sample).wallMs));
  return {
    name,
    target,
    reached: ratio.median >= target,
    serialMs: spread(serial.map(({ wallMs }) => wallMs)),
    parallelMs: spread(parallel.map(({ wallMs }) => wallMs)),
    ratio,
    activations: first.activations,
    traceHash: first.traceHash,
  };
}

export function formatParallel(results: readonly ParallelResult[], table: TableFormat): string {
  const row = (name: string, cell: (result: ParallelResult) => string) => [name, ...results.map(cell)];
  return table([
    row('', ({ name }) => name),
    row('wall ms, serial', ({ serialMs }) => formatSpread(serialMs, 0)),
    row('wall ms, parallel', ({ parallelMs }) => formatSpread(parallelMs, 0)),
    row('serial / parallel', ({ ratio }) => formatSpread(ratio, 2)),
    row('target', ({ target, reached }) => `${target.toFixed(2)}: ${reached ? 'reached' : 'missed'}`),
    row('activations', ({ activations }) => `${activations}`),
    row('trace, the same both ways', ({ traceHash }) => traceHash.replace('sha256:', '').slice(0, 12)),
  ]);
}
