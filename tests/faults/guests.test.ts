// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest';
import { type RunOutcome, Workspace } from '../support/cli.js';
import { until } from '../support/wait.js';

/** What a fault may hold a run up for, beyond the time that the run was given to notice it. */
const BOUND_MS = 30_000;

const two = (bad: string, rest = '') => `
name: faulty
until: 60s
nodes:
  a: { kind: uml, interfaces: { eth0: { address: 10.0.0.1/24 } }, run: ping -c 50 -i 0.01 10.0.0.2 }
  b: { kind: uml, interfaces: { eth0: { address: 10.0.0.2/24 } } }
  bad: { kind: uml, memory: 32M, interfaces: { eth0: {} }, run: ${JSON.stringify(bad)}${rest} }
switches:
  - { name: lan, ports: [a.eth0, b.eth0, bad.eth0], latency: 1ms }
`;

/** The run failed, and says all that there is to say about `bad`. */
function expectFailure(run: RunOutcome, state: 'crashed' | 'hung', reason: RegExp): void {
  run.expectStatus(3);
  expect(run.wallMs).toBeLessThan(BOUND_MS);
  expect(run.result).toMatchObject({ status: 'error', exitCode: 3 });
  expect(run.node('bad')).toMatchObject({ state, exit: null, reason: expect.stringMatching(reason) });
  expect(run.stderr).toMatch(/^oneclock: bad failed at \d+\.\d{9} s of virtual and \d+\.\d s of wall time: /);
  expect(run.stderr).toContain(run.node('bad').reason);
  for (const name of ['a', 'b']) expect(run.node(name).reason).toBeNull();
}

function expectEviction(run: RunOutcome, reason: RegExp): void {
  run.expectStatus(0);
  expect(run.wallMs).toBeLessThan(BOUND_MS);
  expect(run.result).toMatchObject({ status: 'ok', reason: null });
  expect(run.node('bad')).toMatchObject({ state: 'evicted', reason: expect.stringMatching(reason) });
  expect(run.lines('a').join('\n')).toContain('50 packets transmitted, 50 packets received, 0% packet loss');
}

const FAULTS: readonly (readonly [what: string, command: string, reason: RegExp])[] = [
  [
    'powers off',
    'sleep 0.1; poweroff -f',
    /^its process ended with exit code 0; its last message was [A-Z]+ /,
  ],
  ['reboots', 'sleep 0.1; reboot -f', /^its process ended with exit code 0; its last message was [A-Z]+ /],
  [
    'panics',
    'sleep 0.1; sysctl -q -w vm.panic_on_oom=1; tail /dev/zero',
    /^its process ended by signal SIGABRT; its last message was .*; it said: Kernel panic - not syncing: Out of memory/,
  ],
];

describe('a guest that ends before its time', () => {
  test.each(FAULTS)('it %s: the run fails', async (_what, command, reason) => {
    const run = await new Workspace().runTopology(two(command));
    expectFailure(run, 'crashed', reason);
    // Where it happened, by the guest's own clock.
    expect(Number(run.node('bad').endedNs)).toBeGreaterThan(1e8);
  });

  test.each(FAULTS)('it %s, and is evicted: the others go on', async (_what, command, reason) => {
    const run = await new Workspace().runTopology(two(command, ', on-failure: evict'));
    expectEviction(run, reason);
  });

  test('its command has ended well before, and its end is a failure all the same', async () => {
    const run = await new Workspace().runTopology(two('(sleep 0.2; poweroff -f) & true'));
    run.expectStatus(3);
    expect(run.node('bad')).toMatchObject({ state: 'crashed', exit: 0 });
  });

  test('the same fault gives the same run: virtual time does not depend on when it was noticed', async () => {
    const space = new Workspace();
    const yaml = two('sleep 0.1; poweroff -f', ', on-failure: evict');
    const runs = [await space.runTopology(yaml), await space.runTopology(yaml, ['--serial'])];
    const ends = runs.map((run) => run.expectStatus(0).node('bad').endedNs);
    expect(ends[1]).toBe(ends[0]);
  });
});

describe('a guest that is killed from outside', () => {
  /** A run that takes long enough for a person to kill something in it. */
  const long = (rest = '') => `
name: killed
until: 100000s
nodes:
  a: { kind: uml, interfaces: { eth0: { address: 10.0.0.1/24 } }, run: ping -c 3000 -i 0.01 10.0.0.2 }
  b: { kind: uml, interfaces: { eth0: { address: 10.0.0.2/24 } } }
  bad: { kind: uml, interfaces: { eth0: { address: 10.0.0.3/24 } }, run: ping -i 0.01 10.0.0.2${rest} }
switches:
  - { name: lan, ports: [a.eth0, b.eth0, bad.eth0], latency: 1ms }
`;

  async function killed(yaml: string, signal: NodeJS.Signals): Promise<RunOutcome> {
    const space = new Workspace();
    const started = space.startTopology(yaml);
    const guest = await started.guest('bad');
    await until('traffic', () => (started.console('bad').includes('seq=') ? true : undefined));
    process.kill(guest.pid, signal);
    return space.outcome(started);
  }

  test.each(['SIGKILL', 'SIGTERM', 'SIGSEGV'] as const)(
    'by %s: the run fails, and names the signal',
    async (signal) => {
      const run = await killed(long(), signal);
      run.expectStatus(3);
      expect(run.wallMs).toBeLessThan(BOUND_MS);
      expect(run.node('bad').state).toBe('crashed');
      expect(run.node('bad').reason).toMatch(
        /^its process ended (by signal|with exit code) \S+; its last message was /,
      );
      if (signal === 'SIGKILL')
        expect(run.node('bad').reason).toContain('its process ended by signal SIGKILL; ');
      expect(run.stderr).toMatch(
        /^oneclock: bad failed at \d+\.\d{9} s of virtual and \d+\.\d s of wall time: /,
      );
    },
  );

  test('by SIGKILL, and is evicted: the others go on', async () => {
    const run = await killed(long(', on-failure: evict'), 'SIGKILL');
    run.expectStatus(0);
    expect(run.node('bad')).toMatchObject({
      state: 'evicted',
      reason: expect.stringMatching(/^its process ended by signal SIGKILL; its last message was /),
    });
    expect(run.lines('a').join('\n')).toContain(
      '3000 packets transmitted, 3000 packets received, 0% packet loss',
    );
  });

  // Where it is stopped is chance: while it runs, or while an interrupt waits for its answer. Both have to be noticed.
  test.each(['bad', 'b', 'a', 'bad', 'b'])('stopped by SIGSTOP: %s hangs', async (name) => {
    const space = new Workspace();
    const started = space.startTopology(long(), ['--hang', '500ms']);
    const guest = await started.guest(name);
    await until('traffic', () => (started.console('bad').includes('seq=') ? true : undefined));
    process.kill(guest.pid, 'SIGSTOP');
    const run = await space.outcome(started);
    run.expectStatus(3);
    expect(run.wallMs).toBeLessThan(BOUND_MS);
    expect(run.node(name).state).toBe('hung');
    expect(run.node(name).reason).toMatch(
      /^it hangs: no message for 0\.5 s of wall time; its last message was [A-Z]+ /,
    );
  });
});

describe('a guest that never becomes quiet', () => {
  test.each([
    ['computes for ever', 'while :; do :; done'],
    ['reads the clock for ever', 'while :; do read x < /proc/uptime; done'],
  ])('it %s: --hang ends the run', async (_what, command) => {
    const run = await new Workspace().runTopology(two(command), ['--hang', '2s']);
    expectFailure(run, 'hung', /^it hangs: no message for 2 s of wall time; its last message was [A-Z]+ /);
    expect(run.wallMs).toBeGreaterThan(2_000);
  });

  test('and is evicted: the others go on', async () => {
    const run = await new Workspace().runTopology(two('while :; do :; done', ', on-failure: evict'), [
      '--hang',
      '1s',
    ]);
    expectEviction(run, /^it hangs: no message for 1 s of wall time; /);
  });

  test('one that only takes its time does not hang', async () => {
    // Wall time without virtual time, and less of it than --hang says.
    const command = 'i=0; while [ $i -lt 20000 ]; do i=$((i + 1)); done';
    const run = await new Workspace().runTopology(two(command), ['--hang', '20s']);
    run.expectStatus(0);
    expect(run.node('bad')).toMatchObject({ state: 'exited', exit: 0 });
  });

  test('--max-wall ends a run that would go on', async () => {
    const yaml = `
name: endless
nodes:
  a: { kind: uml, interfaces: { eth0: { address: 10.0.0.1/24 } }, run: ping -q -i 0.01 10.0.0.2 }
  b: { kind: uml, interfaces: { eth0: { address: 10.0.0.2/24 } } }
links:
  - { name: ab, between: [a.eth0, b.eth0], latency: 1ms }
`;
    const run = await new Workspace().runTopology(yaml, ['--max-wall', '700ms']);
    run.expectStatus(3);
    expect(run.wallMs).toBeGreaterThan(700);
    expect(run.wallMs).toBeLessThan(BOUND_MS);
    expect(run.result.status).toBe('error');
    expect(run.stderr).toMatch(
      /^oneclock: the run took longer than the 700 ms that it may, at \d+\.\d{9} s of virtual time\n$/,
    );
    expect(run.node('a').state).toBe('running');
    // It had come somewhere by then.
    expect(Number(run.result.virtualNs)).toBeGreaterThan(1e7);
  });
});
