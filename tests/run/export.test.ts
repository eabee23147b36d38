// SPDX-License-Identifier: MIT
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readCost } from '../../backend/trace/cost-file.js';
import { LogReader } from '../../backend/trace/log-reader.js';
import { readCapture } from '../support/capture.js';
import { Workspace } from '../support/cli.js';
import { until } from '../support/wait.js';

/** Two guests on a link and two on a switch, for as long as `count` says. */
const busy = (count: string) => `
name: busy
nodes:
  a: { kind: uml, interfaces: { eth0: { address: 10.0.0.1/24 } }, run: 'ping ${count} -i 0.01 10.0.0.2' }
  b: { kind: uml, interfaces: { eth0: { address: 10.0.0.2/24 } } }
  c: { kind: uml, interfaces: { eth0: { address: 10.0.1.3/24 } }, run: 'ping ${count} -i 0.01 10.0.1.4' }
  d: { kind: uml, interfaces: { eth0: { address: 10.0.1.4/24 } } }
links:
  - { name: ab, between: [a.eth0, b.eth0], latency: 1ms }
switches:
  - { name: lan, ports: [c.eth0, d.eth0], latency: 1ms }
`;

function readAll(out: string) {
  const reader = new LogReader(out);
  const events = [...reader];
  reader.close();
  return { events, end: reader.end, damage: reader.damage };
}

describe('a run that is killed', () => {
  test('leaves a log, captures and costs that can be read up to shortly before, and exported', async () => {
    const space = new Workspace();
    const started = space.startTopology(busy(''));
    await until('some traffic', () => started.console('a').includes('seq=50 ') || undefined);
    // From here on the log is written as the run goes: by time, however little it is.
    const before = statSync(join(started.out, 'trace')).size;
    await until('more of the log', () => statSync(join(started.out, 'trace')).size > before || undefined);
    started.child.kill('SIGKILL');
    expect((await started.finished).signal).toBe('SIGKILL');
    await space.expectNothingLeft();

    const { events, end, damage } = readAll(started.out);
    expect(end).toBeUndefined();
    expect(damage?.reason).toMatch(/^expected a record.* found .*the end of the file$/);
    const size = statSync(join(started.out, 'trace')).size;
    expect(damage?.offset).toBeLessThanOrEqual(size);
    // Everything was handed on at the end of a record: nothing of it is lost.
    expect(damage?.offset).toBe(size);
    const pings = events.filter(({ event }) => event.kind === 'console-output');
    expect(
      Buffer.concat(pings.flatMap(({ event }) => ('data' in event ? [event.data] : []))).toString(),
    ).toContain('seq=50 ');
    const last = events.at(-1)?.at ?? 0n;
    const cost = readCost(started.out);
    expect(cost.damage).toBeUndefined();
    expect(cost.nodes).toEqual(['a', 'b', 'c', 'd']);
    expect(cost.samples.length).toBeGreaterThan(1);
    expect(cost.samples.at(-1)?.virtualNs).toBeGreaterThan(0n);
    expect(last).toBeGreaterThan(500_000_000n);

    const json = await space.run(['export', started.out, '--format', 'json']);
    expect(json.status).toBe(2);
    expect(json.stderr).toMatch(
      /^oneclock: .*trace is damaged at byte \d+: expected a record, .* was exported\n$/,
    );
    const lines = json.stdout.trimEnd().split('\n');
    expect(lines).toHaveLength(events.length + 2);
    expect(JSON.parse(lines.at(-1) as string)).toMatchObject({ kind: 'damage', offset: size });
    const pcap = join(space.path, 'all.pcapng');
    await space.run(['export', started.out, '--format', 'pcapng', '--output', pcap]);
    expect(readCapture(readFileSync(pcap)).length).toBeGreaterThan(100);
  });
});

describe('a run', () => {
  test('is exported in each format, and its costs add up', async () => {
    const space = new Workspace();
    const run = await space.runOnce(busy('-c 30'));
    const { out } = run;
    const { events, damage } = readAll(out);
    expect(damage).toBeUndefined();
    for (const format of ['perfetto', 'json', 'csv', 'pcapng']) {
      const output = join(space.path, `run.${format}`);
      const exported = await space.run(['export', out, '--format', format, '--output', output]);
      expect(exported).toMatchObject({ status: 0, stdout: '', stderr: '' });
    }
    const text = (name: string) => readFileSync(join(space.path, name), 'utf8');
    expect(text('run.csv').split('\r\n')).toHaveLength(events.length + 2);
    expect(text('run.json').trimEnd().split('\n')).toHaveLength(events.length + 2);
    const frames = readCapture(readFileSync(join(space.path, 'run.pcapng')));
    const each = ['ab', 'lan'].flatMap((name) =>
      readCapture(readFileSync(join(out, 'pcap', `${name}.pcapng`))),
    );
    expect(frames.map(({ at }) => at)).toEqual(each.map(({ at }) => at).sort((a, b) => Number(a - b)));

    const { samples } = readCost(out);
    const last = samples.at(-1);
    expect(last?.virtualNs.toString()).toBe(run.result.virtualNs);
    const activations = samples
      .flatMap(({ nodes }) => nodes)
      .reduce((sum, each) => sum + each.activations, 0);
    expect(activations).toBe(run.result.activations);
    // Each node runs at most all of the time.
    for (const node of [0, 1, 2, 3]) {
      const ran = samples.flatMap(({ nodes }) => nodes.filter((one) => one.node === node));
      const sum = ran.reduce((total, { ranUs }) => total + ranUs, 0);
      expect(sum).toBeGreaterThan(1_000);
      expect(sum).toBeLessThanOrEqual((last?.wallUs ?? 0) + 1_000);
    }
  });

  test('whose log is cut short is exported up to there: 2', async () => {
    const space = new Workspace();
    const { out } = await space.runOnce(busy('-c 3'));
    truncateSync(join(out, 'trace'), 2_000);
    const { status, stdout, stderr } = await space.run(['export', out, '--format', 'csv']);
    expect(status).toBe(2);
    expect(stderr).toMatch(/trace is damaged at byte \d+: expected a record/);
    expect(stdout.split('\r\n').length).toBeGreaterThan(10);
    expect((await space.run(['diff', out, out])).status).toBe(0);
  });

  test('is not written over, and a reader may have enough', async () => {
    const space = new Workspace();
    const { out } = await space.runOnce(busy('-c 3'));
    const trace = join(out, 'trace');
    const { size } = statSync(trace);
    const refused = await space.run(['export', out, '--format', 'json', '--output', trace]);
    expect(refused).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('is a file of the run itself'),
    });
    expect(statSync(trace).size).toBe(size);
    const nowhere = await space.run(['export', out, '--format', 'csv', '--output', '/nowhere/x']);
    expect(nowhere).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('cannot be written (ENOENT'),
    });
    const cli = join(process.cwd(), 'dist/backend/cli/main.js');
    const piped = spawnSync('sh', ['-c', `"${cli}" export "${out}" --format json | head -n 1`], {
      encoding: 'utf8',
      timeout: 30_000,
    });
    expect(piped.stderr).toBe('');
    expect(JSON.parse(piped.stdout)).toMatchObject({ kind: 'header', topology: 'busy' });
  });

  test.each([
    [['--format', 'xml'], /Allowed choices are perfetto, json, csv, pcapng/],
    [[], /required option '--format <FORMAT>' not specified/],
    [['--format', 'json', '--from', '5'], /a duration with a unit is expected/],
    [['--format', 'json'], /the run log .*nowhere cannot be read \(ENOENT/],
    [['--format', 'json', '--from', '2s', '--to', '2s'], /--to: a time after that of --from is expected/],
  ])('is refused with %s', async (options, message) => {
    const { status, stderr } = await new Workspace().run(['export', 'nowhere', ...options]);
    expect(status).toBe(2);
    expect(stderr).toMatch(message);
  });
});

describe('run --junit', () => {
  const FAILING = `
name: two
nodes:
  a: { kind: uml, run: 'exit 3' }
  b: { kind: uml, run: 'exit 0' }
  c: { kind: uml, expect: running }
`;
  const PARSER = `
import json, sys, xml.etree.ElementTree as tree
suite = tree.parse(sys.argv[1]).getroot()[0]
print(json.dumps([suite.attrib, [[c.get('name'), [f.tag for f in c], [f.get('message') for f in c]] for c in suite.iter('testcase')]]))
`;

  test('writes what a parser of XML reads as a case for each expectation', async () => {
    const space = new Workspace();
    const report = join(space.path, 'junit.xml');
    const { status } = await space.run(['run', space.write('two.yaml', FAILING), '--junit', report]);
    expect(status).toBe(1);
    const { stdout, stderr } = spawnSync('python3', ['-c', PARSER, report], {
      encoding: 'utf8',
      timeout: 15_000,
    });
    expect(stderr).toBe('');
    const [suite, cases] = JSON.parse(stdout);
    expect(suite).toMatchObject({ name: 'two', tests: '4', failures: '1', errors: '0' });
    expect(cases).toEqual([
      ['comes to its end', [], []],
      [
        'a exits with 0',
        ['failure'],
        [
          expect.stringMatching(
            /^a was to exit with 0, and exited with 3 \(at \d+\.\d{9} s of virtual time, of a\)$/,
          ),
        ],
      ],
      ['b exits with 0', [], []],
      ['c is running at the end', [], []],
    ]);
  });

  test('where it cannot write: 2, and nothing is started', async () => {
    const space = new Workspace();
    const out = join(space.path, 'out');
    const file = space.write('two.yaml', FAILING);
    const { status, stderr } = await space.run([
      'run',
      file,
      '--out',
      out,
      '--junit',
      join(space.path, 'no', 'x'),
    ]);
    expect(status).toBe(2);
    expect(stderr).toMatch(/^oneclock: --junit: .* cannot be written \(ENOENT/);
    expect(existsSync(out)).toBe(false);
  });
});
