// SPDX-License-Identifier: MIT
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { SweepResult } from '../backend/sweep/index.js';
import { packageFile } from '../host/package-root.js';
import { type Finished, Workspace } from './support/cli.js';
import { until } from './support/wait.js';

/** Puts out its parameters and what it draws; fails or hangs where it is told to. */
const MODEL = `import { scenario } from 'oneclock';
  export default scenario(
    { params: { k: 2, mode: 'x', on: false, least: 0 } },
    async ({ sim, params, expect }) => {
      await sim.sleep(BigInt(params.k * 1e9));
      expect(params.k, 'k').toBeAtLeast(params.least);
      if (params.mode === 'endless') for (;;) await sim.sleep('1ns');
      if (params.mode === 'deaf') for (;;);
      return { k: params.k, drawn: { here: sim.random('a').next() }, on: params.on, mode: params.mode };
    },
  );`;

function swept(run: Finished): SweepResult {
  try {
    return JSON.parse(run.stdout) as SweepResult;
  } catch (cause) {
    throw new Error(`no result: ${run.stdout}; ${run.stderr}`, { cause });
  }
}

/** A sweep of MODEL. */
async function sweepModel(space: Workspace, ...args: string[]): Promise<Finished> {
  return space.run(['run', space.write('model.ts', MODEL), ...args]);
}

describe('a sweep', () => {
  test('runs every combination in the order given, repeated with the same seeds', async () => {
    const space = new Workspace();
    const out = join(space.path, 'out');
    const args = ['--param', 'k=3,1', '--param', 'mode=a\\,b,c', '--param', 'on=true', '--repeat', '2'];
    const run = await sweepModel(space, ...args, '--seed', '7', '--out', out, '--json');
    expect(run.stderr).toBe('');
    expect(run.status).toBe(0);
    const result = swept(run);
    expect(result).toMatchObject({
      status: 'ok',
      exitCode: 0,
      reason: null,
      name: 'model',
      seed: 7,
      repeat: 2,
    });
    const seeds = [7, result.runs[1]?.seed];
    expect(result.runs.map(({ params, repetition, seed }) => ({ ...params, repetition, seed }))).toEqual(
      [3, 1].flatMap((k) =>
        ['a,b', 'c'].flatMap((mode) =>
          [1, 2].map((repetition) => ({ k, mode, on: true, repetition, seed: seeds[repetition - 1] })),
        ),
      ),
    );
    expect(result.metrics).toEqual(['k', 'drawn.here', 'on', 'run.virtualS', 'run.wallMs', 'run.events']);
    expect(result.combinations.map(({ metrics }) => metrics['run.virtualS']?.mean)).toEqual([3, 3, 1, 1]);
    // The same randomness in every combination, and another in every repetition.
    const drawn = result.runs.map(({ metrics }) => metrics['drawn.here']);
    expect(new Set(drawn)).toEqual(new Set(drawn.slice(0, 2)));
    expect(drawn[0]).not.toBe(drawn[1]);

    expect(readdirSync(out).sort()).toEqual(['runs', 'sweep.csv', 'sweep.html', 'sweep.json']);
    expect(JSON.parse(readFileSync(join(out, 'sweep.json'), 'utf8'))).toEqual(result);
    expect(readFileSync(join(out, 'sweep.csv'), 'utf8').trim().split('\r\n')).toHaveLength(9);
    for (const { directory, seed, params } of result.runs) {
      const file = join(out, directory as string, 'result.json');
      const { seed: own, script } = JSON.parse(readFileSync(file, 'utf8'));
      expect({ seed: own, k: script.output.k, mode: script.output.mode }).toEqual({
        seed,
        k: params.k,
        mode: params.mode,
      });
    }
    // The first repetition is the run that is made without a sweep.
    const alone = await sweepModel(space, '--seed', '7', '--param', 'k=3', '--param', 'mode=a\\,b', '--json');
    expect(JSON.parse(alone.stdout).script.output).toMatchObject({ mode: 'a,b', drawn: { here: drawn[0] } });
  });

  test('prints a table, and how it goes', async () => {
    const space = new Workspace();
    const run = await sweepModel(space, '--param', 'k=1,2', '--repeat', '3', '--parallel-runs', '2');
    expect(run.status).toBe(0);
    expect(run.stdout).toMatch(/^model: 6 runs, 3 of each of 2 combinations, base seed 1: 6 ok\n/);
    expect(run.stdout).toMatch(/\n {2}metric +k +n +mean +± 95 % +deviation +min +max\n/);
    expect(run.stdout).toMatch(/\n {2}run\.virtualS +1 +3 +1 +0 +0 +1 +1\n +2 +3 +2 +0 +0 +2 +2\n/);
    expect(readdirSync(space.path)).not.toContain('runs');
  });

  test('writes a report for CI, with a suite for each run', async () => {
    const space = new Workspace();
    const report = join(space.path, 'report.xml');
    expect((await sweepModel(space, '--param', 'k=1,2', '--repeat', '2', '--junit', report)).status).toBe(0);
    const suites = [
      ...readFileSync(report, 'utf8').matchAll(/<testsuite id="(\d)" name="([^"]*)"[^>]*errors="0"/g),
    ];
    expect(suites.map(([, id, name]) => `${id} ${name}`)).toEqual([
      '0 model: k=1, repetition 1',
      '1 model: k=1, repetition 2',
      '2 model: k=2, repetition 1',
      '3 model: k=2, repetition 2',
    ]);
  });

  test('of one value, once, is a plain run', async () => {
    const run = await sweepModel(new Workspace(), '--param', 'k=1', '--repeat', '1', '--json');
    expect(JSON.parse(run.stdout)).toMatchObject({ virtualNs: '1000000000', script: { output: { k: 1 } } });
  });

  test('goes over what an earlier one left, and over nothing else', async () => {
    const space = new Workspace();
    const out = join(space.path, 'out');
    expect((await sweepModel(space, '--param', 'k=1,2', '--out', out)).status).toBe(0);
    expect((await sweepModel(space, '--param', 'k=3,4', '--out', out)).status).toBe(0);
    expect(readdirSync(join(out, 'runs')).sort()).toEqual(['k=3', 'k=4']);
    const other = join(space.path, 'other');
    mkdirSync(join(other, 'runs'), { recursive: true });
    const { status, stderr } = await sweepModel(space, '--param', 'k=1,2', '--out', other);
    expect(stderr).toContain('holds runs, which is not of a sweep');
    expect(status).toBe(2);
  });
});

describe('guests', () => {
  const GUEST = `import { scenario } from 'oneclock';
    export default scenario(
      {
        params: { naps: 1 },
        topology: ({ naps }) => ({
          name: 'napping', seed: 5,
          nodes: { a: { kind: 'uml', run: \`for n in $(seq \${naps}); do sleep 2; done; cat /proc/uptime\` } },
        }) as const,
        until: '60s',
      },
      async ({ sim, nodes }) => {
        await nodes.a.ended();
        return { seconds: Number(sim.now) / 1e9 };
      },
    );`;

  test('a sweep of them: virtual time grows with the parameter, and runs are those of plain runs', async () => {
    const space = new Workspace();
    const file = space.write('naps.ts', GUEST);
    const out = join(space.path, 'out');
    const run = await space.run([
      'run',
      file,
      '--param',
      'naps=1,3',
      '--repeat',
      '2',
      '--out',
      out,
      '--json',
    ]);
    expect(run.status, run.stderr).toBe(0);
    const { combinations, runs, seed, name } = swept(run);
    expect({ name, seed }).toEqual({ name: 'napping', seed: 5 });
    const [one, three] = combinations.map(({ metrics }) => metrics.seconds?.mean ?? 0) as [number, number];
    expect(three - one).toBeGreaterThan(4);
    expect(three - one).toBeLessThan(4.1);
    const hashes = runs.map(({ directory }) => {
      expect(readFileSync(join(out, directory as string, 'console', 'a.log'), 'utf8')).toContain('init');
      return JSON.parse(readFileSync(join(out, directory as string, 'result.json'), 'utf8')).traceHash;
    });
    expect(new Set(hashes).size).toBe(4);
    const plain = await space.run(['run', file, '--param', 'naps=3', '--json']);
    expect(JSON.parse(plain.stdout).traceHash).toBe(hashes[2]);
  });

  test('a topology is repeated, with other seeds', async () => {
    const space = new Workspace();
    const file = space.write('t.yaml', 'name: twice\nnodes: { a: { kind: uml, run: sleep 3 } }\n');
    const run = await space.run(['run', file, '--repeat', '2', '--json']);
    expect(run.status, run.stderr).toBe(0);
    const { name, runs, metrics } = swept(run);
    expect({ name, metrics }).toEqual({
      name: 'twice',
      metrics: ['run.virtualS', 'run.wallMs', 'run.events'],
    });
    expect(new Set(runs.map(({ seed }) => seed)).size).toBe(2);
  });
});

describe('what goes wrong', () => {
  test('a run that fails is counted and named, and the others go on', async () => {
    const space = new Workspace();
    const run = await sweepModel(space, '--param', 'least=0,3', '--repeat', '2');
    expect(run.status).toBe(1);
    expect(run.stdout).toMatch(/2 ok, 2 failed\n/);
    expect(run.stdout).toMatch(
      /failed \(1\): least=3 repetition 2 seed \d+: .*expected k, 2, to be at least 3/,
    );
    expect(run.stderr).toContain('oneclock: 2 of 4 runs were not ok');
    const json = swept(await sweepModel(space, '--param', 'least=3,0', '--json'));
    expect(json.runs.map(({ status, exitCode }) => [status, exitCode])).toEqual([
      ['failed', 1],
      ['ok', 0],
    ]);
    // What a failed run measured does not count.
    expect(
      json.combinations.map(({ ok, failed, metrics }) => [ok, failed, Object.keys(metrics).length]),
    ).toEqual([
      [0, 1, 0],
      [1, 0, 6],
    ]);
  });

  test('the exit status is the worst', async () => {
    const args = ['--param', 'mode=x,endless', '--param', 'least=0,3', '--max-wall', '1s'];
    const run = await sweepModel(new Workspace(), ...args, '--json');
    expect(run.status).toBe(3);
    expect(swept(run).runs.map(({ exitCode }) => exitCode)).toEqual([0, 1, 3, 1]);
    expect(swept(run)).toMatchObject({ status: 'error', exitCode: 3 });
  });

  test('--stop-on-failure begins no other', async () => {
    const space = new Workspace();
    const run = await sweepModel(space, '--param', 'k=1,2,3,4', '--param', 'least=2', '--stop-on-failure');
    expect(run.status).toBe(1);
    expect(run.stdout).toContain('1 failed, 3 not begun');
    expect(run.stderr).toContain('stopped after a run that was not ok; 1 of 4 runs were made');
  });

  /** Starts a sweep, and waits until it has begun the last of two runs, with its processes. */
  async function started(space: Workspace, mode: string, ...more: string[]) {
    const file = space.write('model.ts', MODEL);
    const out = join(space.path, 'out');
    const last = join(out, 'runs', `mode=${mode}`, '1', 'trace');
    const sweep = space.start(['run', file, '--param', `mode=x,${mode},y`, '--out', out, '--json', ...more]);
    await until('the second run', () => (existsSync(last) ? true : undefined), 30_000);
    return { sweep, out };
  }

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('%s ends it and its runs, and what was done is kept', async (signal, status) => {
    const space = new Workspace();
    const { sweep, out } = await started(space, 'endless');
    sweep.child.kill(signal);
    const ended = await sweep.finished;
    await space.expectNothingLeft();
    expect(ended.status).toBe(status);
    const result = swept(ended);
    expect(result.reason).toBe(`ended by ${signal} after 2 of 3 runs had begun`);
    expect(result.runs.map(({ status }) => status)).toEqual(['ok', 'error']);
    expect(JSON.parse(readFileSync(join(out, 'sweep.json'), 'utf8'))).toEqual(result);
    expect(existsSync(join(out, 'sweep.html'))).toBe(true);
  });

  test('a run that hears nothing is killed, 10 s after Ctrl-C', async () => {
    const space = new Workspace();
    const { sweep } = await started(space, 'deaf');
    sweep.child.kill('SIGINT');
    const ended = await sweep.finished;
    await space.expectNothingLeft();
    expect(ended.status).toBe(130);
    expect(swept(ended).runs[1]).toMatchObject({ status: 'error', reason: 'the run was ended by SIGKILL' });
  });

  test('a sweep that is killed takes its runs with it', async () => {
    const space = new Workspace();
    const { sweep, out } = await started(space, 'endless');
    sweep.child.kill('SIGKILL');
    await sweep.finished;
    await space.expectNothingLeft();
    expect(JSON.parse(readFileSync(join(out, 'sweep.json'), 'utf8'))).toMatchObject({ status: 'error' });
  });

  test.each([
    [['--param', 'k=1,two'], "--param k: expected a number, as its default 2; found 'two'"],
    [['--param', 'k=1,,3'], "--param k: expected a number, as its default 2; found ''"],
    [['--param', 'on=true,maybe'], "--param on: expected true or false; found 'maybe'"],
    [['--param', 'm=1,2'], '--param m: the scenario has no such parameter'],
    [['--param', 'k=1,2', '--param', 'k=3'], '--param k is given twice'],
    [['--param', 'k=1,1.0'], '--param k: the value 1 is given twice; --repeat repeats runs'],
    [['--param', 'k=1,2,3,4', '--repeat', '4096'], 'the sweep would be 16384 runs (4 x 4096)'],
    [['--repeat', '2', '--junit', '/nowhere/report.xml'], '--junit: /nowhere/report.xml cannot be written'],
    [['--repeat', '0'], 'a whole number from 1 to 4096 is expected'],
  ])('%j is bad input, and nothing is run', async (args, message) => {
    const space = new Workspace();
    const out = join(space.path, 'out');
    const { status, stderr, stdout } = await sweepModel(space, ...args, '--out', out);
    expect(stderr).toContain(message);
    expect(status).toBe(2);
    expect(stdout).toBe('');
    expect(existsSync(out)).toBe(false);
  });

  test('a topology that is wrong for one combination is told before the first run', async () => {
    const space = new Workspace();
    const text = `import { scenario } from 'oneclock';
      export default scenario({ params: { kind: 'uml' }, topology: ({ kind }) => ({ name: 'x', nodes: { a: { kind } } }) as any, until: '1s' }, () => 1);`;
    const { status, stderr } = await space.run([
      'run',
      space.write('kinds.ts', text),
      '--param',
      'kind=uml,vax',
    ]);
    expect(stderr).toContain('with kind=vax: ');
    expect(stderr).toContain("expected uml, kvm, board, partition or script; found 'vax'");
    expect(status).toBe(2);
  });

  test('a topology has no parameters', async () => {
    const space = new Workspace();
    const file = space.write('t.yaml', 'name: t\nnodes: { a: { kind: uml } }\n');
    const { status, stderr } = await space.run(['run', file, '--param', 'k=1,2']);
    expect(stderr).toContain('a topology has no parameters; a script has');
    expect(status).toBe(2);
  });
});

test('the example: waiting in a queue is what theory says', async () => {
  const file = packageFile('examples/scripts/queue-sweep.ts');
  const args = ['--param', 'load=0.3,0.6', '--repeat', '6', '--parallel-runs', '2', '--json'];
  const run = await new Workspace().run(['run', file, ...args]);
  expect(run.status, run.stderr).toBe(0);
  for (const { params, metrics } of swept(run).combinations) {
    const load = Number(params.load);
    const { 'waiting.mean': waiting, utilisation } = metrics;
    // Twice the interval: 1 of 2000 sweeps would be outside by chance, and this one is always the same.
    expect(Math.abs((waiting?.mean ?? 0) - load / (1 - load))).toBeLessThan(2 * (waiting?.confidence95 ?? 0));
    expect(Math.abs((utilisation?.mean ?? 0) - load)).toBeLessThan(2 * (utilisation?.confidence95 ?? 0));
  }
});
