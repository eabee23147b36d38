// SPDX-License-Identifier: MIT
import { existsSync } from 'node:fs';
import { build } from 'esbuild';
import { describe, expect, test } from 'vitest';
import { type LoggedEvent, LogReader } from '../../backend/trace/log-reader.js';
import { packageFile } from '../../host/package-root.js';
import { type RunOutcome, Workspace } from '../support/cli.js';
import { until } from '../support/wait.js';

const MS = 1_000_000n;
const SECOND = 1_000n * MS;
/** User-Mode Linux counts its clock in steps of so many nanoseconds (TIMER_MULTIPLIER of arch/um/kernel/time.c). */
const CLOCK_STEP = 256n;

/** Nodes a, b, c … with what they run, and wires. */
function topology(runs: readonly string[], rest: string): string {
  const nodes = runs.map((run, place) => `  ${'abcdef'[place]}: { kind: uml, run: ${JSON.stringify(run)} }`);
  return `name: wires\nuntil: 30s\nnodes:\n${nodes.join('\n')}\n${rest}`;
}

function eventsOf(run: RunOutcome): LoggedEvent[] {
  const log = new LogReader(run.out);
  const events = [...log];
  expect(log.damage).toBeUndefined();
  log.close();
  return events;
}

/** When a wire became high, or low, and what the guests did to their lines, in words. */
function story(run: RunOutcome, names: readonly string[]): string[] {
  return eventsOf(run).flatMap(({ at, node, event }) => {
    if (event.kind === 'level') return [`${at} ${names[node]} is ${event.high ? 'high' : 'low'}`];
    if (event.kind === 'drive') return [`${at} ${names[node]} ${event.line} ${event.drive}`];
    return [];
  });
}

/** The changes of the level of wire `node`. */
function levels(run: RunOutcome, node: number): { at: bigint; high: boolean }[] {
  return eventsOf(run).flatMap(({ at, node: of, event }) =>
    event.kind === 'level' && of === node ? [{ at, high: event.high }] : [],
  );
}

/** What a guest did to its lines. */
function drives(run: RunOutcome, node: number): { at: bigint; drive: string }[] {
  return eventsOf(run).flatMap(({ at, node: of, event }) =>
    event.kind === 'drive' && of === node ? [{ at, drive: event.drive }] : [],
  );
}

/** The edges that `gpio watch` printed: the kernel's time of them. */
function watched(run: RunOutcome, node: string): { at: bigint; high: boolean }[] {
  return run.lines(node).flatMap((line) => {
    const [, seconds, fraction, edge] = /^(\d+)\.(\d{9}) (rising|falling) \d+$/.exec(line) ?? [];
    return edge === undefined ? [] : [{ at: BigInt(`${seconds}${fraction}`), high: edge === 'rising' }];
  });
}

const onClock = (at: bigint) => at - (at % CLOCK_STEP);
const asSeen = (edges: readonly { at: bigint; high: boolean }[]) =>
  edges.map(({ at, high }) => ({ at: onClock(at), high }));

describe('an edge', () => {
  test.each([
    ['1us', 1_000n],
    ['5ms', 5n * MS],
    ['0s', 0n],
  ])('is at the other pin %s later, and handled at that instant', async (latency, ns) => {
    const run = await new Workspace().runTopology(
      topology(
        ['gpio watch -n 4 gpio0', 'sleep 1; gpio set gpio3 1 10ms 0 333us 1 10ms'],
        `wires: [{ name: w, pins: [a.gpio0, b.gpio3], latency: ${latency} }]\n`,
      ),
    );
    run.expectStatus(0);
    const [did, became] = [drives(run, 1), levels(run, 3)];
    // The last one is that of the program's end.
    expect(did.map(({ drive }) => drive)).toEqual(['high', 'low', 'high', 'released']);
    expect(became).toEqual(did.map(({ at, drive }) => ({ at: at + ns, high: drive === 'high' })));
    expect(watched(run, 'a')).toEqual(asSeen(became));
    const wakes = eventsOf(run).filter(({ node, event }) => node === 0 && event.kind === 'activation');
    for (const { at } of became) expect(wakes.some((wake) => wake.at === at)).toBe(true);
    expect(run.result.wires).toEqual({ w: { edges: 4, conflicts: 0 } });
  });

  test('goes both ways, on two lines and on one', async () => {
    const answer =
      'gpio watch -n 1 -e rising gpio0; gpio set gpio1 1 1ms; gpio set both 1 1ms; gpio watch -n 2 both';
    const run = await new Workspace().runTopology(
      topology(
        [
          answer,
          'sleep 1; gpio set gpio7 1 1ms & gpio watch -n 1 -e rising gpio8; gpio watch -n 2 one; sleep 1; gpio set one 1 1ms',
        ],
        `wires:
  - { name: there, pins: [a.gpio0, b.gpio7], latency: 10us }
  - { name: back, pins: [a.gpio1, b.gpio8], latency: 20us }
  - { name: one, pins: [a.both, b.one], latency: 30us }
`,
      ),
    );
    run.expectStatus(0);
    const [there, back, one] = [3, 4, 5].map((wire) => levels(run, wire));
    expect([there?.length, back?.length, one?.length]).toEqual([2, 2, 4]);
    // An answer takes both ways, and no time at the other end but that of a program's start.
    const round = (back?.[0]?.at ?? 0n) - (there?.[0]?.at ?? 0n);
    expect(round).toBeGreaterThanOrEqual(20_000n);
    expect(round).toBeLessThan(50_000n);
    expect(watched(run, 'a')).toEqual(asSeen([...(there ?? []).slice(0, 1), ...(one ?? []).slice(2)]));
    expect(watched(run, 'b')).toEqual(asSeen([...(back ?? []).slice(0, 1), ...(one ?? []).slice(0, 2)]));
  });

  test('is not lost among a thousand, where the guest has the time to handle each', async () => {
    const run = await new Workspace().runTopology(
      topology(
        ['gpio watch -n 1000 gpio0', 'sleep 1; gpio set -n 500 gpio0 1 20us 0 20us; sleep 1'],
        'wires: [{ name: w, pins: [a.gpio0, b.gpio0] }]\n',
      ),
    );
    run.expectStatus(0);
    const became = levels(run, 3);
    expect(became).toHaveLength(1000);
    expect(watched(run, 'a')).toEqual(asSeen(became));
    expect(run.result.wires.w?.edges).toBe(1000);
  });
});

describe('several who drive a wire', () => {
  test('by open drain: it is high when all have let go', async () => {
    const hold = (from: string, span: string) => `sleep ${from}; gpio set -o w 0 ${span} 1 5s`;
    const run = await new Workspace().runTopology(
      topology(
        [hold('1', '300ms'), hold('1.1', '100ms'), hold('1.2', '400ms'), 'gpio get w; gpio watch -n 2 w'],
        'wires: [{ name: w, pins: [a.w, b.w, c.w, d.w], latency: 2us, pull: up }]\n',
      ),
    );
    run.expectStatus(0);
    const became = levels(run, 5);
    expect(became.map(({ high }) => high)).toEqual([false, true]);
    expect(became[0]?.at).toBe((drives(run, 0)[0]?.at ?? 0n) + 2_000n);
    // The third was the last to let go.
    const third = drives(run, 2);
    expect(third.map(({ drive }) => drive)).toEqual(['low', 'released']);
    expect(became[1]?.at).toBe((third[1]?.at ?? 0n) + 2_000n);
    expect(run.lines('d')[0]).toBe('1');
    expect(watched(run, 'd')).toEqual(asSeen(became));
    expect(run.result.wires.w).toEqual({ edges: 2, conflicts: 0 });
  });

  test('against each other: it is low, which is reported, and the run goes on', async () => {
    const run = await new Workspace().runTopology(
      topology(
        ['sleep 1; gpio set gpio0 1 1s', 'sleep 1.5; gpio set gpio0 0 100ms', 'gpio watch -n 4 gpio0'],
        'wires: [{ name: w, pins: [a.gpio0, b.gpio0, c.gpio0] }]\n',
      ),
    );
    run.expectStatus(0);
    expect(run.result.wires.w).toEqual({ edges: 4, conflicts: 1 });
    const became = levels(run, 4);
    expect(became.map(({ high }) => high)).toEqual([true, false, true, false]);
    expect(watched(run, 'c')).toEqual(asSeen(became));
    const faults = eventsOf(run).filter(({ event }) => event.kind === 'fault');
    expect(faults).toMatchObject([
      { at: became[1]?.at, node: 4, event: { text: 'a.gpio0 high against b.gpio0 low; it is low' } },
    ]);
  });
});

describe('a wire that changes', () => {
  test('down and up, and with another latency', async () => {
    const run = await new Workspace().runTopology(
      topology(
        ['sleep 1; gpio set gpio0 1 5s', 'gpio watch -n 4 gpio0'],
        `wires: [{ name: w, pins: [a.gpio0, b.gpio0] }]
changes:
  - { at: 2s, wire: w, state: down }
  - { at: 4s, wire: w, state: up, latency: 3ms }
`,
      ),
    );
    run.expectStatus(0);
    const did = drives(run, 0);
    const became = levels(run, 3);
    expect(became).toEqual([
      { at: (did[0]?.at ?? 0n) + 1_000n, high: true },
      { at: 2n * SECOND, high: false },
      { at: 4n * SECOND, high: true },
      { at: (did[1]?.at ?? 0n) + 3n * MS, high: false },
    ]);
    expect(watched(run, 'b')).toEqual(asSeen(became));
    expect(eventsOf(run).filter(({ event }) => event.kind === 'change')).toMatchObject([
      { at: 2n * SECOND, node: 3, event: { cable: 0, down: true, latency: 1_000n } },
      { at: 4n * SECOND, node: 3, event: { cable: 0, down: false, latency: 3n * MS } },
    ]);
  });
});

test('a guest that is gone lets go of its lines', async () => {
  const yaml = topology(
    ['sleep 1; gpio set gpio0 1 5s & sleep 2; poweroff -f', 'gpio watch -n 2 gpio0'],
    'wires: [{ name: w, pins: [a.gpio0, b.gpio0] }]\n',
  ).replace('a: { kind: uml,', 'a: { kind: uml, on-failure: evict,');
  const run = (await new Workspace().runTopology(yaml)).expectStatus(0);
  expect(run.node('a').state).toBe('evicted');
  expect(watched(run, 'b').map(({ high }) => high)).toEqual([true, false]);
  expect(drives(run, 0).map(({ drive }) => drive)).toEqual(['high', 'released']);
});

test('a guest that is killed while it is quiet lets go of its lines, too', async () => {
  const space = new Workspace();
  const yaml = topology(
    [
      'sleep 0.1; gpio set gpio0 1 9000s',
      'gpio watch -n 2 gpio0',
      'i=0; while [ $i -lt 1000 ]; do sleep 0.1; i=$((i+1)); done',
    ],
    'wires: [{ name: w, pins: [a.gpio0, b.gpio0] }]\n',
  )
    .replace('until: 30s', 'until: 9h')
    .replace('a: { kind: uml,', 'a: { kind: uml, on-failure: evict,');
  const started = space.startTopology(yaml);
  await until('b sees the line', () => started.console('b').includes('rising') || undefined);
  process.kill((await started.guest('a')).pid, 'SIGKILL');
  const run = (await space.outcome(started)).expectStatus(0);
  expect(run.node('a').state).toBe('evicted');
  const became = levels(run, 4);
  expect(became.map(({ high }) => high)).toEqual([true, false]);
  expect(watched(run, 'b')).toEqual(asSeen(became));
});

test('lines have the names of their pins, and those between are free', async () => {
  const run = await new Workspace().runTopology(
    topology(
      [
        'gpio list; gpio get gpiochip0:3; cat /sys/class/gpio/gpiochip512/ngpio',
        'gpio list; gpio get nothing',
      ],
      'wires: [{ name: w, pins: [a.gpio3, a.led, b.gpio0], pull: up }]\n',
    ),
  );
  expect(run.lines('a')).toEqual([
    'gpiochip0:0 led input',
    'gpiochip0:1 gpio1 input',
    'gpiochip0:2 gpio2 input',
    'gpiochip0:3 gpio3 input',
    '1',
    '4',
  ]);
  // A kernel that knew the name would not call it by its number in sysfs.
  expect(run.lines('b')).toEqual(['gpiochip0:0 - input', 'gpio: line nothing: No such file or directory']);
  run.expectStatus(1);
});

test('diff tells what a guest did otherwise', async () => {
  const space = new Workspace();
  const yaml = (span: string) =>
    topology(
      ['gpio watch -n 2 in', `sleep 1; gpio set out 1 ${span}`],
      'wires: [{ name: w, pins: [a.in, b.out] }]\n',
    );
  const [one, other] = [await space.runOnce(yaml('10ms')), await space.runOnce(yaml('20ms'))];
  const { status, stdout } = await space.run(['diff', one.out, other.out]);
  expect(status).toBe(1);
  expect(stdout).toMatch(/ w {2}is high\n/);
  const words = story(one, ['a', 'b', 'run', 'w']);
  expect(words.map((each) => each.replace(/^\d+ /, ''))).toEqual([
    'b 0 high',
    'w is high',
    'b 0 released',
    'w is low',
  ]);
});

test('check counts wires, and shows what they make of the lookahead', async () => {
  const space = new Workspace();
  const yaml = topology(
    ['true', 'true'],
    'wires: [{ name: w, pins: [a.gpio0, b.gpio0] }]\nchanges: [{ at: 1s, wire: w, latency: 1ms }]\n',
  );
  const { status, stdout } = await space.run(['check', space.write('t.yaml', yaml)]);
  expect(status).toBe(0);
  expect(stdout.split('\n').slice(1)).toEqual([
    '  2 nodes, 0 links, 0 switches, 1 wire',
    '  2 domains of nodes, which can run at once:',
    '    a',
    '    b',
    '  lookahead: 1us, least through w',
    '    from 1s on: 1ms, least through w',
    '  note: w, 1us, makes windows of 1us: expect no gain from running guests at once',
    '',
  ]);
});

/** A guest's own /tmp and /run are empty. */
const onoff = packageFile('node_modules/onoff/onoff.js');
const hidden = /^\/(tmp|run)\//.test(onoff);
const built = existsSync(packageFile('node_modules/epoll/build/Release/epoll.node'));
const missing = hidden ? 'the checkout is in /tmp' : built ? '' : 'the package epoll is not built';

const IN_A_GUEST = 'a: { kind: uml, root: host, memory: 512M,';

describe.skipIf(missing !== '')(`programs of this machine in a guest${missing && ` (${missing})`}`, () => {
  test('onoff sees edges by sysfs, with values and times, and drives its own line', async () => {
    // The chip's first line is number 512. poll(2) tells of the state at the beginning, too, which onoff leaves out.
    const script = `
      const { Gpio } = require(${JSON.stringify(onoff)});
      const [input, output] = [new Gpio(512, 'in', 'both'), new Gpio(513, 'out')];
      console.log('begins with ' + input.readSync());
      let edges = 0;
      input.watch((error, value) => {
        console.log('edge ' + process.hrtime.bigint() + ' ' + value);
        output.writeSync(value);
        if (error || ++edges === 4) { input.unexport(); output.unexport(); }
      });
    `;
    const quoted = script.replaceAll("'", '"').replaceAll('\n', ' ');
    const run = await new Workspace().runTopology(
      topology(
        [
          `${process.execPath} -e '${quoted}'`,
          'gpio watch -n 4 gpio1 & sleep 5; gpio set gpio0 1 10ms 0 10ms 1 10ms; wait',
        ],
        `wires:
  - { name: there, pins: [a.gpio0, b.gpio0] }
  - { name: back, pins: [a.gpio1, b.gpio1] }
`,
      ).replace('a: { kind: uml,', IN_A_GUEST),
    );
    run.expectStatus(0);
    const became = levels(run, 3);
    expect(became.map(({ high }) => high)).toEqual([true, false, true, false]);
    const seen = run.lines('a').flatMap((line) => {
      const [, at, value] = /^edge (\d+) ([01])$/.exec(line) ?? [];
      return at === undefined ? [] : [{ at: BigInt(at), high: value === '1' }];
    });
    expect(run.lines('a')).toContain('begins with 0');
    expect(seen.map(({ high }) => high)).toEqual(became.map(({ high }) => high));
    for (const [place, { at }] of seen.entries()) {
      const late = at - (became[place]?.at ?? 0n);
      // The kernel tells at the instant of the edge; the time is that of the program's own look at its clock.
      expect(late >= -CLOCK_STEP && late < 100_000n, `${late}`).toBe(true);
    }
    expect(watched(run, 'b')).toEqual(asSeen(levels(run, 4)));
  });

  test('the lines of host/gpio are real ones, by the character device and by sysfs', async () => {
    const program = packageFile('build/e2e/lines-program.mjs');
    await build({
      entryPoints: [packageFile('tests/support/lines-program.ts')],
      outfile: program,
      bundle: true,
      platform: 'node',
      format: 'esm',
      logLevel: 'error',
    });
    const run = await new Workspace().runTopology(
      topology(
        [
          `${process.execPath} ${program} 4`,
          'gpio watch -n 4 gpio1 & sleep 5; gpio set gpio0 1 10ms 0 10ms 1 10ms; wait',
        ],
        `wires:
  - { name: there, pins: [a.gpio0, a.gpio2, b.gpio0] }
  - { name: back, pins: [a.gpio1, b.gpio1] }
`,
      ).replace('a: { kind: uml,', IN_A_GUEST),
    );
    run.expectStatus(0);
    const became = levels(run, 3);
    const heard = (kind: string) =>
      run.lines('a').flatMap((line) => {
        const [, at, level] = new RegExp(`^${kind} (\\d+) ([01])$`).exec(line) ?? [];
        return at === undefined ? [] : [{ at: BigInt(at), high: level === '1' }];
      });
    expect(heard('device')).toEqual(asSeen(became));
    expect(heard('sysfs').map(({ high }) => high)).toEqual(became.map(({ high }) => high));
    expect(watched(run, 'b')).toEqual(asSeen(levels(run, 4)));
    expect(run.lines('a')).toEqual(
      expect.arrayContaining([
        'device gpiochip0:0 begins with 0',
        'sysfs gpio514 begins with 0',
        'the line gpiochip0:0 cannot be taken: GPIO_V2_GET_LINE: Device or resource busy',
        'mirror out 0',
      ]),
    );
  });
});
