// SPDX-License-Identifier: MIT
import type { SweepResult } from './result.js';

/**
 * A line for each run that was begun, by RFC 4180: `param.NAME` of each parameter, `repetition`, `seed`, `status`, `exitCode`,
 * and every metric by its name; empty where a run has it not.
 */
export function csv({ params, metrics, runs }: SweepResult): string {
  const names = params.map(({ name }) => name);
  const header = [
    ...names.map((name) => `param.${name}`),
    'repetition',
    'seed',
    'status',
    'exitCode',
    ...metrics,
  ];
  const lines = runs.map((run) => [
    ...names.map((name) => run.params[name]),
    run.repetition,
    run.seed,
    run.status,
    run.exitCode,
    ...metrics.map((name) => (Object.hasOwn(run.metrics, name) ? run.metrics[name] : '')),
  ]);
  return [header, ...lines]
    .map((cells) => `${cells.map((cell) => quote(String(cell))).join(',')}\r\n`)
    .join('');
}

function quote(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
