// SPDX-License-Identifier: MIT
import type { RunResult } from '../run/result.js';

/** More are not kept of a run: a script that returns a list of samples has no use for a table of each. */
export const MAX_METRICS = 200;
/** Below this many levels of an output nothing is looked for. */
const MAX_DEPTH = 16;

/** The numbers of a run by their names. */
export type Metrics = ReadonlyMap<string, number>;

/**
 * What a run measured: each number in the `output` of its script, by its path (`queue.mean`, `delays.0`), with 0 and 1 for
 * false and true, an output that is one number itself as `output`; then `run.virtualS` and `run.wallMs`, its virtual time in
 * seconds and wall time in milliseconds, and `run.events`. Where two have one name, the first is kept.
 */
export function metricsOf(result: RunResult): Metrics {
  const metrics = new Map<string, number>();
  collect(metrics, '', result.script?.output, 0);
  const own = {
    'run.virtualS': Number(BigInt(result.virtualNs)) / 1e9,
    'run.wallMs': result.wallMs,
    'run.events': result.events,
  };
  for (const [name, value] of Object.entries(own)) if (!metrics.has(name)) metrics.set(name, value);
  return metrics;
}

function collect(metrics: Map<string, number>, path: string, value: unknown, depth: number): void {
  if (metrics.size >= MAX_METRICS) return;
  if (typeof value === 'number' || typeof value === 'boolean') {
    const name = path === '' ? 'output' : path;
    if (!metrics.has(name)) metrics.set(name, Number(value));
  } else if (typeof value === 'object' && value !== null && depth < MAX_DEPTH) {
    for (const [key, inner] of Object.entries(value))
      collect(metrics, path === '' ? key : `${path}.${key}`, inner, depth + 1);
  }
}
