// SPDX-License-Identifier: MIT
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { ExecHandle, ExecOptions } from '../../backend/agent/index.js';
import { type Instant, instant } from '../../backend/calendar/index.js';
import { Run, type RunResult } from '../../backend/run/index.js';
import type { RunNode } from '../../backend/run/node.js';
import { loadTopology } from '../../backend/topology/index.js';
import type { Topology } from '../../backend/topology/model.js';
import type { AgentEnd } from '../../protocols/agent/index.js';

const MS = 1_000_000n;

/** How a program went, with the instants of what it did. */
interface Outcome {
  handle: ExecHandle;
  startedAt: Instant | undefined;
  endedAt: Instant | undefined;
  end: AgentEnd | undefined;
  error: string | undefined;
  out: string;
  err: string;
  bytes: number;
}

/** A run of guests with agents. */
class World {
  readonly run: Run;

  constructor(yaml: string, jobs = 1, sharedMemory = true) {
    const { topology, problems } = loadTopology(yaml, 'agent.yaml');
    if (!topology) throw new Error(JSON.stringify(problems));
    this.run = new Run(topology as Topology, {
      out: undefined,
      jobs,
      sharedMemory,
      maxWallMs: 60_000,
      hangMs: 20_000,
      agents: true,
    });
  }

  node(name: string): RunNode {
    const node = this.run.nodes.find(({ spec }) => spec.name === name);
    if (!node) throw new Error(`no node ${name}`);
    return node;
  }

  session(name: string) {
    const { session } = this.node(name);
    if (!session) throw new Error(`${name} has no agent`);
    return session;
  }

  exec(name: string, options: ExecOptions, then?: (outcome: Outcome) => void): Outcome {
    const { domain } = this.node(name);
    const outcome = { out: '', err: '', bytes: 0 } as Outcome;
    outcome.handle = this.session(name).exec(options, {
      started: () => {
        outcome.startedAt = domain.now;
      },
      output: (stream, bytes) => {
        outcome[stream === 1 ? 'out' : 'err'] += Buffer.from(bytes).toString('latin1');
        outcome.bytes += bytes.length;
      },
      ended: (end) => {
        outcome.end = end;
        outcome.endedAt = domain.now;
        then?.(outcome);
      },
      failed: (error) => {
        outcome.error = error.message;
        outcome.endedAt = domain.now;
      },
    });
    return outcome;
  }

  /** Does something at `ms` milliseconds of virtual time. */
  at(ms: number, name: string, act: () => void): void {
    this.run.at(instant(BigInt(ms) * MS), this.node(name), act);
  }
}

const ONE = 'name: one\nuntil: 60s\nnodes: { a: { kind: uml } }\n';

/** Everything that an agent does, on two guests, the second of which has a `run` beside it. */
async function everything(jobs: number, sharedMemory: boolean) {
  const world = new World(
    `
name: everything
until: 30s
nodes:
  a: { kind: uml, interfaces: { eth0: { address: 10.0.0.1/24 } } }
  b: { kind: uml, interfaces: { eth0: { address: 10.0.0.2/24 } }, run: "sleep 3; echo over; exit 5", expect: { exit: 5 } }
links: [{ name: ab, between: [a.eth0, b.eth0], latency: 1ms }]
`,
    jobs,
    sharedMemory,
  );
  const outcomes: Outcome[] = [];
  const content = Buffer.alloc(100_000, 'content of a file\n');
  world.at(100, 'a', () =>
    outcomes.push(world.exec('a', { command: 'ping -c 3 -i 0.1 10.0.0.2; date +%s.%N' })),
  );
  world.at(1500, 'b', () => {
    const cat = world.exec('b', { command: 'cat; cat /proc/uptime' });
    outcomes.push(cat);
    cat.handle.end(content);
  });
  world.at(2000, 'a', () => {
    const yes = world.exec('a', { command: 'yes' });
    yes.handle.pause();
    outcomes.push(yes);
    world.at(2500, 'a', () => yes.handle.signal(15));
    world.at(2600, 'a', () => yes.handle.resume());
  });
  let got = 0;
  world.at(2200, 'b', () => {
    const failed = (error: Error) => {
      throw error;
    };
    const done = (file: Uint8Array) => {
      got = file.length;
    };
    world.session('b').put('/tmp/file', content, {
      failed,
      done: () => world.session('b').get('/tmp/file', { failed, done }),
    });
  });
  const result = await world.run.execute();
  return { result, outcomes, got };
}

function expectFine(result: RunResult): void {
  expect(result).toMatchObject({ reason: null, status: 'ok' });
}

describe('programs in a guest', () => {
  test('begin at the instant at which they are asked for, and have input, outputs and an end', async () => {
    const world = new World(ONE);
    const outcomes: Outcome[] = [];
    world.at(5000, 'a', () => {
      const outcome = world.exec('a', {
        command: 'read word; echo "out $word"; echo err >&2; sleep 1; exit 7',
      });
      outcome.handle.end(Buffer.from('hello\n'));
      outcomes.push(outcome);
    });
    expectFine(await world.run.execute());
    expect(outcomes[0]).toMatchObject({ out: 'out hello\n', err: 'err\n', end: { code: 7 } });
    // Time passes in a guest as it reads its clock: some microseconds, and not a millisecond.
    const { startedAt = 0n, endedAt = 0n } = outcomes[0] as Outcome;
    expect(startedAt - 5000n * MS).toBeGreaterThanOrEqual(0n);
    expect(startedAt - 5000n * MS).toBeLessThan(MS);
    expect(endedAt - 6000n * MS).toBeGreaterThanOrEqual(0n);
    expect(endedAt - 6000n * MS).toBeLessThan(MS);
  });

  test('wait for the guest to be ready, and go on beside `run` and behind it', async () => {
    const world = new World(
      'name: t\nnodes: { a: { kind: uml, run: "sleep 2; exit 3", expect: { exit: 3 } }, b: { kind: uml, run: sleep 5 } }\n',
    );
    const early = world.exec('a', { command: 'hostname; cat /proc/1/comm' });
    const late: Outcome[] = [];
    world.at(3000, 'a', () => late.push(world.exec('a', { command: ['ps', '-o', 'pid,stat,comm'] })));
    const result = await world.run.execute();
    expectFine(result);
    expect(early).toMatchObject({ out: 'a\ninit\n', end: { code: 0 } });
    expect(early.startedAt).toBeLessThan(1000n * MS);
    expect(result.nodes.a).toMatchObject({ exit: 3, endedNs: expect.stringMatching(/^2\d{9}$/) });
    // Whatever has ended is waited for: there are no zombies.
    expect(late[0]?.out).toContain('ps\n');
    expect(late[0]?.out).not.toMatch(/ Z /);
  });

  test('carry a megabyte both ways', async () => {
    const world = new World(ONE);
    const content = randomBytes(1_048_576);
    const outcome = world.exec('a', { command: ['cat'] });
    outcome.handle.end(content);
    expectFine(await world.run.execute());
    expect(outcome.end).toEqual({ code: 0 });
    expect(Buffer.compare(Buffer.from(outcome.out, 'latin1'), content)).toBe(0);
  });

  test('have a terminal where that is asked for', async () => {
    const world = new World(ONE);
    const terminal = { rows: 24, columns: 80 };
    const outcome = world.exec('a', { command: 'tty; stty size; read line; echo "got $line"', terminal });
    world.at(2000, 'a', () => outcome.handle.write(Buffer.from('hello\n')));
    const shell = world.exec('a', { command: ['sh', '-i'], terminal });
    world.at(3000, 'a', () => shell.handle.write(Buffer.from('sleep 100\n')));
    world.at(4000, 'a', () => shell.handle.write(Uint8Array.of(3)));
    world.at(5000, 'a', () => shell.handle.write(Buffer.from('echo $((6 * 7)); exit 4\n')));
    expectFine(await world.run.execute());
    expect(outcome.out).toMatch(/^\/dev\/pts\/\d+\r\n24 80\r\nhello\r\ngot hello\r\n$/);
    expect((outcome.endedAt ?? 0n) / MS).toBe(2000n);
    expect(shell).toMatchObject({ end: { code: 4 } });
    expect(shell.out).toContain('\r\n42\r\n');
    // Busybox's line editor waits for a moment after each line.
    expect((shell.endedAt ?? 0n) / MS).toBeGreaterThanOrEqual(5000n);
    expect((shell.endedAt ?? 0n) / MS).toBeLessThan(5100n);
  });

  test('stand still while nobody takes what they write, and end by a signal all the same', async () => {
    const world = new World(ONE);
    const outcome = world.exec('a', { command: 'yes', paused: true });
    const others: Outcome[] = [];
    world.at(1000, 'a', () => others.push(world.exec('a', { command: 'cat /proc/loadavg; echo on' })));
    world.at(2000, 'a', () => {
      expect(outcome.bytes).toBe(0);
      outcome.handle.signal(9);
    });
    world.at(3000, 'a', () => {
      expect(outcome.end).toBeUndefined();
      outcome.handle.resume();
    });
    const result = await world.run.execute();
    expectFine(result);
    expect(others[0]?.out).toMatch(/on\n$/);
    expect(outcome).toMatchObject({ end: { signal: 9 } });
    // What a pipe holds.
    expect(outcome.bytes).toBe(65_536);
    expect((outcome.endedAt ?? 0n) / MS).toBe(3000n);
  });

  test('are told to be lost where their guest goes', async () => {
    const world = new World(
      'name: t\nuntil: 10s\nnodes: { a: { kind: uml, on-failure: evict }, b: { kind: uml } }\n',
    );
    const lost = world.exec('a', { command: 'sleep 1000' });
    const other = world.exec('b', { command: 'sleep 1000' });
    world.at(1000, 'a', () => world.exec('a', { command: 'echo c > /proc/sysrq-trigger; poweroff -f' }));
    const result = await world.run.execute();
    expect(result.nodes.a).toMatchObject({ state: 'evicted' });
    expect(lost.error).toMatch(/^a has gone: /);
    expect(other.error).toBe('b has gone: the run has ended');
    expect(() => world.exec('a', { command: 'true' })).toThrow('a has gone');
  });
});

test('a controller that breaks the protocol ends the guest, which says why', async () => {
  const world = new World(ONE);
  const send = Reflect.get(world.session('a'), 'send') as (bytes: Uint8Array) => void;
  const lost = world.exec('a', { command: 'sleep 1000' });
  world.at(1000, 'a', () => send(Uint8Array.of(0)));
  const result = await world.run.execute();
  expect(result).toMatchObject({ status: 'error', nodes: { a: { state: 'crashed' } } });
  expect(result.reason).toContain('its init failed: agent: it asks for nothing that is known');
  expect(lost.error).toMatch(/^a has gone: its init failed/);
});

test('with the files of the host as its root, a guest has the same', async () => {
  const world = new World('name: host\nuntil: 60s\nnodes: { a: { kind: uml, root: host } }\n');
  const outcome = world.exec('a', {
    command: 'tty; id -un',
    terminal: { rows: 1, columns: 2 },
    user: 'nobody',
  });
  const log: string[] = [];
  const failed = (error: Error) => log.push(error.message);
  const done = () => log.push('done');
  // The root is the host's, and what is written is the guest's own.
  world.session('a').put('/etc/oneclock-agent-test', new Uint8Array(5), { failed, done });
  expectFine(await world.run.execute());
  expect(outcome.out).toMatch(/^\/dev\/pts\/\d+\r\nnobody\r\n$/);
  expect(log).toEqual(['done']);
  expect(existsSync('/etc/oneclock-agent-test')).toBe(false);
});

test('files go in and come out as they are', async () => {
  const world = new World(ONE);
  const content = randomBytes(1_048_576);
  const log: string[] = [];
  const failed = (error: Error) => log.push(error.message);
  const session = world.session('a');
  const done = (file: Uint8Array, mode: number) =>
    log.push(`${Buffer.compare(file, content)} ${mode.toString(8)}`);
  const put = () => {
    session.get('/tmp/file', { failed, done });
    session.get('/tmp', { failed, done });
    session.get('/dev/hvc0', { failed, done });
    session.get('/none', { failed, done });
  };
  session.put('/tmp/file', content, { failed, done: put }, { mode: 0o750 });
  expectFine(await world.run.execute());
  expect(log.sort()).toEqual([
    '0 750',
    'a: cannot get /dev/hvc0: it is a device',
    'a: cannot get /none: No such file or directory',
    'a: cannot get /tmp: it is a directory',
  ]);
});

test('what is typed on a console is there at that instant', async () => {
  const world = new World(
    `
name: t
until: 20s
nodes: { a: { kind: uml, run: 'while read line; do echo "$line $(cut -d " " -f 1 /proc/uptime)" >> /tmp/log; done; exit 6', expect: { exit: 6 } } }
`,
  );
  const instants = [1230, 4560, 4570, 7890];
  for (const ms of instants) {
    world.at(ms, 'a', () => expect(world.node('a').type(Buffer.from(`line${ms}\n`))).toBe(true));
  }
  let log = '';
  world.at(8000, 'a', () => {
    const outcome = world.exec('a', { command: ['cat', '/tmp/log'] }, () => {
      log = outcome.out;
    });
  });
  world.at(9000, 'a', () => expect(world.node('a').type(Uint8Array.of(4))).toBe(true));
  const result = await world.run.execute();
  expectFine(result);
  expect(log.trim().split('\n')).toEqual(instants.map((ms) => `line${ms} ${(ms / 1000).toFixed(2)}`));
  expect(result.nodes.a?.endedNs).toMatch(/^9000\d{6}$/);
});

describe('the same every time', () => {
  test('serial, parallel and by messages alone', async () => {
    const first = await everything(1, true);
    expectFine(first.result);
    expect(first.got).toBe(100_000);
    expect(first.outcomes).toHaveLength(3);
    expect(first.outcomes[0]?.out).toContain('3 packets transmitted, 3 packets received');
    const simple = ({ outcomes }: typeof first) =>
      outcomes.map(({ out, startedAt, endedAt, end }) => ({ out, startedAt, endedAt, end }));
    for (const [jobs, shared] of [
      [1, true],
      [2, true],
    ] as const) {
      const again = await everything(jobs, shared);
      expect(simple(again)).toEqual(simple(first));
      expect(again.result.traceHash).toBe(first.result.traceHash);
    }
    const messages = await everything(2, false);
    expect(simple(messages)).toEqual(simple(first));
  });
});

test('an agent that has nothing to do lets its guest sleep', async () => {
  const world = new World('name: t\nuntil: 3h\nnodes: { a: { kind: uml } }\n');
  world.exec('a', { command: 'true' });
  const result = await world.run.execute();
  expectFine(result);
  const { activations: with_ } = result;
  const without = await new Run(world.run.topology, {
    out: undefined,
    jobs: 1,
    sharedMemory: true,
    maxWallMs: 60_000,
    hangMs: 20_000,
  }).execute();
  expect(with_ - without.activations).toBeLessThan(20);
});
