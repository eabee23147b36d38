// SPDX-License-Identifier: MIT
import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { BoardResult } from '../../backend/run/result.js';
import { type LoggedEvent, LogReader } from '../../backend/trace/log-reader.js';
import { packageFile } from '../../host/package-root.js';
import { type RunOutcome, type StartedRun, Workspace } from '../support/cli.js';
import { until } from '../support/wait.js';

/** Virtual boards: guests in real time with the kernel module, the agent and GPIO lines on a wire. */

const MS = 1_000_000n;
/** What the agent may take to read a line of output, and to look at the clock. */
const READING_NS = 60n * MS;
/** Prints the board's time of day ten times, 100 ms apart by its own clock. */
const CLOCK = 'i=0; while [ $i -lt 10 ]; do date +%s.%N; sleep 0.1; i=$((i+1)); done';
/** Takes 10 ms of virtual time each time, and a lot of the processor in none of it. */
const busy = (times: number) =>
  `i=0; while [ $i -lt ${times} ]; do usleep 10000; dd if=/dev/zero of=/dev/null bs=1M count=150 2>/dev/null; i=$((i+1)); done`;

/** User-Mode Linux counts its clock in steps of so many nanoseconds. */
const CLOCK_STEP = 256n;
/** A board's own /tmp and /run are empty. */
const onoff = packageFile('node_modules/onoff/onoff.js');
const missing = /^\/(tmp|run)\//.test(onoff)
  ? ' (the checkout is in /tmp)'
  : existsSync(packageFile('node_modules/epoll/build/Release/epoll.node'))
    ? ''
    : ' (the package epoll is not built)';

interface Node {
  readonly name: string;
  readonly keys: string;
}

const board = (name: string, keys: string): Node => ({ name, keys: `kind: board, ${keys}` });
const guest = (name: string, keys: string): Node => ({ name, keys: `kind: uml, ${keys}` });
const run = (command: string) => `run: ${JSON.stringify(command)}`;
const eth = (host: number) => `interfaces: { eth0: { address: 10.0.0.${host}/24 } }`;

/** Nodes, with the two lines of each board on the wire that freezes them, and what else is on it. */
function topology(nodes: readonly Node[], pins: readonly string[] = [], rest = ''): string {
  const own = nodes
    .filter(({ keys }) => keys.startsWith('kind: board'))
    .flatMap(({ name }) => [`${name}.gpio0`, `${name}.gpio1`]);
  return `name: boards
until: 60s
nodes:
${nodes.map(({ name, keys }) => `  ${name}: { ${keys} }`).join('\n')}
wires:
  - { name: freeze, pins: [${[...own, ...pins].join(', ')}], role: freeze }
${rest}`;
}

const boardOf = (outcome: RunOutcome, name: string) => outcome.result.nodes[name] as BoardResult;

function eventsOf(outcome: RunOutcome): LoggedEvent[] {
  const log = new LogReader(outcome.out);
  const events = [...log];
  expect(log.damage).toBeUndefined();
  log.close();
  return events;
}

/** The freezes: when the line rose and fell, in the boards' time. */
function freezes(outcome: RunOutcome): { rose: bigint; fell: bigint }[] {
  const edges = eventsOf(outcome).flatMap(({ at, event }) =>
    event.kind === 'level' ? [{ at, high: event.high }] : [],
  );
  // The first fall begins the run; its rise was before.
  return edges.flatMap(({ at, high }, place) => {
    const next = edges[place + 1];
    return high && next ? [{ rose: at, fell: next.at }] : [];
  });
}

/** Lines of a board that hold its time of day: that, and the board's virtual time by its module's account; ns. */
function clockLines(outcome: RunOutcome, name: string): { seen: bigint; virtual: bigint }[] {
  return outcome
    .console(name)
    .split('\n')
    .flatMap((line) => {
      const [, at, fraction, seconds, nanoseconds] = /^\[ *(\d+)\.(\d{9})\] (\d+)\.(\d{9})$/.exec(line) ?? [];
      return nanoseconds === undefined
        ? []
        : [{ seen: BigInt(`${seconds}${nanoseconds}`), virtual: BigInt(`${at}${fraction}`) }];
    });
}

describe('a virtual board', () => {
  test('runs its command in real time, and its result says how it was frozen', async () => {
    const outcome = await new Workspace().runOnce(
      topology([
        board(
          'bp1',
          `${eth(1)}, ${run('echo $ONECLOCK_BOARD; cat /sys/vt/VT7/clock; exit 3')}, expect: { exit: 3 }`,
        ),
      ]),
    );
    outcome.expectStatus(0);
    const result = boardOf(outcome, 'bp1');
    expect(result).toMatchObject({ kind: 'board', state: 'exited', exit: 3, clock: 'hidden' });
    expect(result.freezes).toBeGreaterThanOrEqual(0);
    expect(outcome.lines('bp1')).toContain('hidden');
  });

  test('does not see the time for which a guest is slow', async () => {
    const outcome = await new Workspace().runOnce(
      topology(
        [
          guest('a', `${eth(1)}, ${run(busy(100))}`),
          board('bp1', `${eth(2)}, ${run(CLOCK)}`),
          board('bp2', `${eth(3)}, ${run(CLOCK)}`),
        ],
        [],
        'switches:\n  - { name: lan, ports: [a.eth0, bp1.eth0, bp2.eth0], latency: 1ms }\n',
      ),
    );
    outcome.expectStatus(0);
    for (const name of ['bp1', 'bp2']) {
      const result = boardOf(outcome, name);
      const lines = clockLines(outcome, name);
      expect(lines).toHaveLength(10);
      const [first, last] = [lines[0], lines.at(-1)] as [(typeof lines)[0], (typeof lines)[0]];
      const seen = last.seen - first.seen;
      const virtual = last.virtual - first.virtual;
      expect(result.clock).toBe('hidden');
      // The guest has kept them waiting for long, and nothing of that is in what they saw.
      expect(BigInt(result.frozenNs)).toBeGreaterThan(5n * READING_NS);
      expect(seen).toBeGreaterThan(900n * MS);
      expect(seen - virtual).toBeLessThan(READING_NS);
      expect(virtual - seen).toBeLessThan(READING_NS);
      expect(result.freezes).toBeGreaterThan(5);
      expect(result.pauseNs.max).toBeGreaterThan(0);
      expect(result.skewNs.max).toBeGreaterThan(0);
      expect(result.frozenFraction).toBeGreaterThan(0.1);
    }
  });

  test('and a guest reach each other after the latency of the link, by both their clocks', async () => {
    const outcome = await new Workspace().runOnce(
      topology(
        [
          guest('a', `${eth(1)}, ${run('ping -c 5 -i 0.2 10.0.0.2')}`),
          board('bp1', `${eth(2)}, ${run('busybox ping -c 5 -i 0.2 10.0.0.1')}`),
        ],
        [],
        'links:\n  - { name: ab, between: [a.eth0, bp1.eth0], latency: 5ms }\n',
      ),
    );
    outcome.expectStatus(0);
    // The guest's clock is exact. The controller's follows the board's, and may be corrected meanwhile.
    for (const [name, least] of [
      ['a', 10],
      ['bp1', 8],
    ] as const) {
      const times = outcome.lines(name).flatMap((line) => /time=([\d.]+) ms/.exec(line)?.[1] ?? []);
      expect(times).toHaveLength(5);
      for (const time of times) expect(Number(time)).toBeGreaterThanOrEqual(least);
    }
    expect(outcome.result.links.ab).toMatchObject({ dropped: 0 });
  });
});

test.skipIf(missing !== '')(
  `a program with onoff on a board answers edges of a guest${missing}`,
  async () => {
    // The chip's first line is number 512.
    const script = `
    const { Gpio } = require(${JSON.stringify(onoff)});
    const [input, output] = [new Gpio(514, "in", "both"), new Gpio(515, "out")];
    console.log("ready");
    input.watch((error, value) => {
      output.writeSync(value);
      if (error || value === 0) { input.unexport(); output.unexport(); }
    });`;
    const outcome = await new Workspace().runOnce(
      topology(
        [
          guest('a', run('gpio watch -n 2 gpio1 & sleep 3; gpio set gpio0 1 300ms 0 10ms; wait')),
          board('bp1', run(`exec ${process.execPath} -e '${script.replaceAll('\n', ' ')}'`)),
        ],
        [],
        `  - { name: there, pins: [a.gpio0, bp1.gpio2], latency: 1ms }
  - { name: back, pins: [a.gpio1, bp1.gpio3], latency: 1ms }
`,
      ),
    );
    outcome.expectStatus(0);
    expect(outcome.lines('bp1')).toContain('ready');
    const sent = eventsOf(outcome).flatMap(({ at, node, event }) =>
      event.kind === 'drive' && node === 0 ? [at] : [],
    );
    const heard = outcome
      .lines('a')
      .flatMap((line) => /^(\d+)\.(\d{9}) (?:rising|falling)/.exec(line)?.slice(1, 3).join('') ?? []);
    expect(heard).toHaveLength(2);
    heard.forEach((at, place) => {
      expect(BigInt(at) + CLOCK_STEP).toBeGreaterThan((sent[place] ?? 0n) + 2n * MS);
    });
  },
);

describe('the line that freezes boards', () => {
  test('is raised by a guest at an instant of virtual time, at which the boards stay until it falls', async () => {
    const outcome = await new Workspace().runOnce(
      topology(
        [
          guest(
            'a',
            run(
              'sleep 0.3; gpio set gpio0 1 & sleep 0; dd if=/dev/zero of=/dev/null bs=1M count=4000; kill $!; wait',
            ),
          ),
          board('bp1', run(CLOCK)),
        ],
        ['a.gpio0'],
      ),
    );
    outcome.expectStatus(0);
    const drives = eventsOf(outcome).flatMap(({ at, node, event }) =>
      event.kind === 'drive' && node === 0 ? [{ at, drive: event.drive }] : [],
    );
    expect(drives.map(({ drive }) => drive)).toEqual(['high', 'released']);
    const held = freezes(outcome).filter(({ rose }) => rose >= (drives[0]?.at ?? 0n));
    expect(held[0]?.fell).toBe(held[0]?.rose);
    expect(boardOf(outcome, 'bp1').freezes).toBeGreaterThan(0);
    expect(BigInt(boardOf(outcome, 'bp1').frozenNs)).toBeGreaterThan(100n * MS);
  });

  test('held by a guest that waits for virtual time is an error, since there is none', async () => {
    const outcome = await new Workspace().runOnce(
      topology([guest('a', run('sleep 0.3; gpio set gpio0 1 1s')), board('bp1', run(CLOCK))], ['a.gpio0']),
    );
    outcome.expectStatus(3);
    expect(outcome.result.reason).toContain('a.gpio0 freezes the boards, and no guest may go further');
  });

  test('is raised by a board, and nobody goes on until it lowers it', async () => {
    // The kernel starts the reader of a core: no process of the run, and so none that is frozen.
    const freezing = [
      "printf '#!/bin/sh\\ncd /sys/vt/VT7; echo freeze > mode; sleep 0.5; echo unfreeze > mode\\n' > /tmp/freezer",
      'chmod 755 /tmp/freezer',
      "echo '|/tmp/freezer' > /proc/sys/kernel/core_pattern",
      'sleep 0.3',
      "sh -c 'kill -SEGV $$'",
      'echo done',
    ].join('; ');
    const outcome = await new Workspace().runOnce(
      topology([
        guest('a', run('sleep 1.5; echo up')),
        board('bp1', run(freezing)),
        board('bp2', run(CLOCK)),
      ]),
    );
    outcome.expectStatus(0);
    const long = freezes(outcome);
    for (const { rose, fell } of long) expect(fell).toBe(rose);
    for (const name of ['bp1', 'bp2']) {
      expect(BigInt(boardOf(outcome, name).frozenNs)).toBeGreaterThan(450n * MS);
    }
    const lines = clockLines(outcome, 'bp2');
    const steps = lines.slice(1).map(({ seen }, place) => seen - (lines[place]?.seen ?? 0n));
    // Half a second passed between two of them that nobody has seen.
    for (const step of steps) expect(step).toBeLessThan(450n * MS);
  });

  test('held by a board for longer than its watchdog: that of the others lets them go, and the run says so', async () => {
    const outcome = await new Workspace().runOnce(
      topology([
        board('bp1', `watchdog: 1s, ${run('echo freeze > /sys/vt/VT7/mode')}`),
        board('bp2', `watchdog: 1s, ${run(CLOCK)}`),
      ]),
    );
    outcome.expectStatus(3);
    expect(outcome.result.reason).toMatch(/bp[12] was let go by its watchdog while bp1\.gpio1 froze it/);
  });
});

/** A guest that from 0.3 s on computes and takes no virtual time: the boards are frozen until it ends. */
const HOLDER = guest('a', run('sleep 0.3; while :; do :; done'));

/** Waits until the clock that a board prints stands still: five times as long as between two of its lines. */
async function untilFrozen({ console }: StartedRun, name: string): Promise<void> {
  let before = '';
  let since = performance.now();
  await until('the clock of the board stands still', () => {
    const now = console(name);
    if (now !== before) since = performance.now();
    before = now;
    return now !== '' && performance.now() - since > 500 ? true : undefined;
  });
}

describe('a board that is lost', () => {
  const nodes = (a: Node, onFailure: string) =>
    topology([a, board('bp1', `on-failure: ${onFailure}, ${run(CLOCK)}`), board('bp2', run(CLOCK))]);

  test('while it is frozen fails the run, with its name and how', async () => {
    const workspace = new Workspace();
    const started = workspace.startTopology(nodes(HOLDER, 'fail'));
    const { pid } = await started.guest('bp1');
    await untilFrozen(started, 'bp1');
    process.kill(pid, 'SIGKILL');
    const outcome = await workspace.outcome(started);
    outcome.expectStatus(3);
    expect(outcome.result.reason).toMatch(/^bp1 failed at 0\.3.* its process ended by signal SIGKILL/);
    expect(outcome.result.nodes.bp1?.state).toBe('crashed');
  });

  test('is evicted where the topology says so, and the others go on', async () => {
    const workspace = new Workspace();
    const started = workspace.startTopology(nodes(guest('a', run('sleep 2; echo up')), 'evict'));
    const { pid } = await started.guest('bp1');
    await until('the board has begun', () => started.console('bp1') !== '' || undefined);
    process.kill(pid, 'SIGKILL');
    const outcome = await workspace.outcome(started);
    outcome.expectStatus(0);
    expect(outcome.result.nodes.bp1?.state).toBe('evicted');
    expect(outcome.result.nodes.a).toMatchObject({ state: 'exited', exit: 0 });
    expect(clockLines(outcome, 'bp2')).toHaveLength(10);
  });
});

test('a controller that is killed while boards are frozen leaves nothing behind', async () => {
  const workspace = new Workspace();
  const started = workspace.startTopology(topology([HOLDER, board('bp1', run(CLOCK))]));
  await untilFrozen(started, 'bp1');
  started.child.kill('SIGKILL');
  await started.finished;
  await workspace.expectNothingLeft();
});
