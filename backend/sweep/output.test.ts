// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { csv } from './csv.js';
import { runDirectory } from './directory.js';
import { readGiven } from './given.js';
import { page } from './page.js';
import { combinationsOf } from './plan.js';
import { describe as describeState } from './progress.js';
import type { RunRecord, SweepResult } from './result.js';
import { summarize } from './statistics.js';
import { table } from './table.js';

const NASTY = '<b>&"\x1b[2J\n';

/** Of `k` and `mode`, twice each; metric `delay` is 10 k, give or take one; the last run has failed. */
function sweep(): SweepResult {
  const runs: RunRecord[] = [1, 2].flatMap((k) =>
    ['a,b', NASTY].flatMap((mode) =>
      [1, 2].map((repetition): RunRecord => {
        const ok = !(k === 2 && mode === NASTY && repetition === 2);
        return {
          params: { k, mode, on: true },
          repetition,
          seed: repetition,
          status: ok ? 'ok' : 'failed',
          exitCode: ok ? 0 : 1,
          reason: ok ? null : `expected ${NASTY} more\nand a stack`,
          directory: null,
          metrics: ok ? { delay: k * 10 + (repetition === 1 ? 1 : -1), [NASTY]: 0.5 } : {},
        };
      }),
    ),
  );
  return {
    status: 'failed',
    exitCode: 1,
    reason: '1 of 8 runs were not ok',
    name: 'nasty<script>',
    seed: 1,
    repeat: 2,
    params: [
      { name: 'k', values: [1, 2] },
      { name: 'mode', values: ['a,b', NASTY] },
      { name: 'on', values: [true] },
    ],
    metrics: ['delay', NASTY],
    combinations: [0, 2, 4, 6].map((from) => {
      const made = runs.slice(from, from + 2).filter(({ status }) => status === 'ok');
      const of = (name: string) => summarize(made.flatMap(({ metrics }) => metrics[name] ?? [])) as never;
      const { params } = runs[from] as RunRecord;
      return {
        params,
        ok: made.length,
        failed: 2 - made.length,
        errors: 0,
        metrics: { delay: of('delay'), [NASTY]: of(NASTY) },
      };
    }),
    runs,
    planned: 8,
    wallMs: 100,
  };
}

describe('the table', () => {
  it('has a row for each metric and combination, aligned, and names what failed', () => {
    expect(table(sweep()).split('\n')).toEqual([
      'nasty<script>: 8 runs, 2 of each of 4 combinations (on=true), base seed 1: 7 ok, 1 failed',
      '  metric     k  mode       n  mean  ± 95 %  deviation  min  max',
      '  delay      1  a,b        2    10      13          1    9   11',
      '             1  <b>&" [2J  2    10      13          1    9   11',
      '             2  a,b        2    20      13          1   19   21',
      '             2  <b>&" [2J  1    21       -          -   21   21',
      '  <b>&" [2J  1  a,b        2   0.5       0          0  0.5  0.5',
      '             1  <b>&" [2J  2   0.5       0          0  0.5  0.5',
      '             2  a,b        2   0.5       0          0  0.5  0.5',
      '             2  <b>&" [2J  1   0.5       -          -  0.5  0.5',
      '  failed (1): k=2 mode=<b>&" [2J  on=true repetition 2 seed 2: expected <b>&" [2J',
      '',
    ]);
  });

  it('of a sweep in which nothing went well has no rows, and names the first', () => {
    const [run] = sweep().runs.slice(-1) as [RunRecord];
    const result: SweepResult = { ...sweep(), metrics: [], runs: Array(25).fill(run), planned: 30 };
    const lines = table(result).split('\n');
    expect(lines[0]).toContain('25 failed, 5 not begun');
    expect(lines.filter((line) => line.startsWith('  failed'))).toHaveLength(20);
    expect(lines).toContain('  and 5 more, which --json and sweep.json name');
  });
});

it('the CSV has a line for each run, quoted where it must be', () => {
  const lines = csv(sweep()).split('\r\n');
  expect(lines[0]).toBe(
    'param.k,param.mode,param.on,repetition,seed,status,exitCode,delay,"<b>&""\x1b[2J\n"',
  );
  expect(lines[1]).toBe('1,"a,b",true,1,1,ok,0,11,0.5');
  expect(lines.slice(-2)).toEqual([`2,"${NASTY.replace('"', '""')}",true,2,2,failed,1,,`, '']);
});

describe('the page', () => {
  it('escapes all text, and has no script', () => {
    const html = page(sweep());
    expect(html).not.toContain('<script');
    expect(html).not.toContain('<b>');
    expect(html).not.toContain('\x1b');
    expect(html).toContain('nasty&lt;script&gt;');
    expect(html).toContain('mode=&lt;b&gt;&amp;&quot;');
  });

  it('draws a line for each combination of the others, with error bars', () => {
    const [first] = page(sweep()).match(/<figure>.*?<\/figure>/s) as [string];
    expect(first.match(/<circle[^>]* r="3.5"/g)).toHaveLength(4 + 2);
    expect(first.match(/class="line"/g)).toHaveLength(2 + 2);
    expect(first).toContain('<title>mode=a,b, 2: 20 ± 13</title>');
    // A point of a single run has no error bar.
    expect(first.match(/h8m-4 0V/g)).toHaveLength(3);
    expect(first).not.toContain('NaN');
  });

  it('draws bars where no parameter is a number', () => {
    const result = sweep();
    const html = page({ ...result, params: result.params.slice(1) });
    expect(html.match(/<rect /g)).toHaveLength(8);
    expect(html).not.toContain('NaN');
  });
});

it('run directories are different for different values, and stay below runs/', () => {
  const values = [
    'a/b',
    'a:b',
    'a_b',
    '../..',
    '',
    '.',
    'a%2Fb',
    'é',
    'x'.repeat(300),
    'x'.repeat(301),
    '\0',
  ];
  const combinations = combinationsOf(readGiven([`v=${values.join(',')}`]), 1);
  const paths = combinations.map((combination, place) => runDirectory(combination, place, 1));
  expect(new Set(paths).size).toBe(values.length);
  for (const path of paths) expect(path).toMatch(/^runs\/[\w.%=-]{1,200}\/1$/);
  expect(paths[0]).toBe('runs/v=a%2Fb/1');
});

it.each([
  [{ begun: 1, bad: 0, leftMs: undefined }, 'run 1 of 25: k=2, repetition 1'],
  [{ begun: 4, bad: 1, leftMs: 11_200 }, 'run 4 of 25, about 12 s left: k=2, repetition 1; 1 not ok'],
  [{ begun: 25, bad: 0, leftMs: 0 }, 'run 25 of 25, about 0 s left: k=2, repetition 1'],
  [{ begun: 2, bad: 0, leftMs: 7_200_000 }, 'run 2 of 25, about 2.0 h left: k=2, repetition 1'],
])('progress %j', (state, expected) => {
  expect(describeState({ planned: 25, latest: 'k=2, repetition 1', wallMs: 0, ...state })).toBe(expected);
});
