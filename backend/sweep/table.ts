// SPDX-License-Identifier: MIT
import { figuresOf } from './figures.js';
import { printable } from './printable.js';
import type { SweepResult } from './result.js';

/** More runs that went wrong are in `sweep.json` only. */
const MAX_NAMED = 20;

/** The rows of the summary: a heading, then for each metric one row for each combination that has it. */
export interface Rows {
  readonly heading: readonly string[];
  /** Of each column: text goes to the left, figures to the right. */
  readonly isText: readonly boolean[];
  readonly groups: readonly { readonly metric: string; readonly rows: readonly (readonly string[])[] }[];
}

/** Parameters that have one value only are left out. */
export function rowsOf({ params, metrics, combinations }: SweepResult): Rows {
  const swept = params.filter(({ values }) => values.length > 1);
  const heading = [...swept.map(({ name }) => name), 'n', 'mean', '± 95 %', 'deviation', 'min', 'max'];
  const isText = [...swept.map(({ values }) => typeof values[0] !== 'number'), ...Array(6).fill(false)];
  const groups = metrics.flatMap((metric) => {
    const rows = combinations.flatMap(({ params: values, metrics: summaries }) => {
      const summary = Object.hasOwn(summaries, metric) ? summaries[metric] : undefined;
      if (summary === undefined) return [];
      const { n, mean, confidence95, deviation, min, max } = figuresOf(summary);
      const chosen = swept.map(({ name }) => String(values[name]));
      return [[...chosen, n, mean, confidence95, deviation, min, max]];
    });
    return rows.length === 0 ? [] : [{ metric, rows }];
  });
  return { heading, isText, groups };
}

/** `queue: 15 runs, 5 of each of 3 combinations (servers=1), base seed 1: 14 ok, 1 failed` */
export function headline({ name, params, combinations, repeat, seed, planned, runs }: SweepResult): string {
  const count = (status: string) => runs.filter((run) => run.status === status).length;
  const fixed = params.filter(({ values }) => values.length === 1);
  const same = fixed.map(({ name: param, values }) => `${param}=${values[0]}`).join(' ');
  const of =
    combinations.length === 1 ? 'of 1 combination' : `of each of ${combinations.length} combinations`;
  const words: [number, string][] = [
    [count('ok'), 'ok'],
    [count('failed'), 'failed'],
    [count('error'), 'with errors'],
    [planned - runs.length, 'not begun'],
  ];
  const outcome = words.flatMap(([number, word]) => (number === 0 ? [] : [`${number} ${word}`])).join(', ');
  return printable(
    `${name}: ${planned} runs, ${repeat} ${of}${same && ` (${same})`}, base seed ${seed}: ${outcome}`,
  );
}

/** A line for each run that was not ok, up to a number. */
export function faults({ runs }: SweepResult): string[] {
  const bad = runs.filter(({ status }) => status !== 'ok');
  const lines = bad.slice(0, MAX_NAMED).map(({ params, repetition, seed, status, exitCode, reason }) => {
    const values = Object.entries(params).map(([name, value]) => `${name}=${value}`);
    const which = [...values, `repetition ${repetition}`, `seed ${seed}`].join(' ');
    return printable(`${status} (${exitCode}): ${which}: ${reason?.split('\n')[0] ?? 'no reason is known'}`);
  });
  const more = bad.length - lines.length;
  return more === 0 ? lines : [...lines, `and ${more} more, which --json and sweep.json name`];
}

/** What a person sees at the end of a sweep. */
export function table(result: SweepResult): string {
  const { heading, isText, groups } = rowsOf(result);
  const head = ['metric', ...heading];
  const rows = groups.flatMap(({ metric, rows }) =>
    rows.map((row, place) => [place === 0 ? printable(metric) : '', ...row.map(printable)]),
  );
  const widths = head.map((title, column) =>
    rows.reduce((most, row) => Math.max(most, (row[column] as string).length), title.length),
  );
  const line = (cells: readonly string[]) =>
    `  ${cells
      .map((cell, column) => {
        const width = widths[column] as number;
        return column === 0 || isText[column - 1] ? cell.padEnd(width) : cell.padStart(width);
      })
      .join('  ')}`.trimEnd();
  return [
    headline(result),
    ...(rows.length === 0 ? [] : [line(head), ...rows.map(line)]),
    ...faults(result).map((fault) => `  ${fault}`),
    '',
  ].join('\n');
}
