// SPDX-License-Identifier: MIT
import { readdirSync } from 'node:fs';
import { constants } from 'node:os';
import { describe, expect, test } from 'vitest';
import { type StartedRun, Workspace } from '../support/cli.js';
import { until } from '../support/wait.js';

/** How long an ended run may take to take everything down. */
const BOUND_MS = 30_000;

/** A run that would go on for a long time. */
const ENDLESS = `
name: endless
nodes:
  a: { kind: uml, interfaces: { eth0: { address: 10.0.0.1/24 } }, run: ping -i 0.01 10.0.0.2 }
  b: { kind: uml, interfaces: { eth0: { address: 10.0.0.2/24 } }, run: 'while :; do sleep 0.01; done' }
  c: { kind: uml, root: host, memory: 256M, interfaces: { eth0: { address: 10.0.0.3/24 } } }
switches:
  - { name: lan, ports: [a.eth0, b.eth0, c.eth0], latency: 1ms }
`;

/** Moments of a run, each by what can be seen then. */
const MOMENTS: Readonly<Record<string, (space: Workspace, run: StartedRun) => Promise<unknown>>> = {
  'when its folder is there': (space) =>
    until('a folder', () => readdirSync(space.temporary).length > 0 || undefined),
  'when the first guest boots': (_space, run) => run.guest('a'),
  'when a guest is up': (_space, run) =>
    until('a command', () => run.console('a').includes('PING') || undefined),
  'while frames are under way': (_space, run) =>
    until('some traffic', () => run.console('a').includes('seq=20 ') || undefined),
};

describe.each(Object.entries(MOMENTS))('a run that is ended %s leaves nothing', (moment, reached) => {
  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('by %s', async (signal) => {
    const space = new Workspace();
    const started = space.startTopology(ENDLESS);
    await reached(space, started);
    const begin = performance.now();
    started.child.kill(signal);
    const run = await space.outcome(started);
    expect(performance.now() - begin).toBeLessThan(BOUND_MS);
    // As a shell has it, also where it ended before it had anything to take down.
    const status = run.signal === null ? run.status : 128 + constants.signals[run.signal];
    expect(status).toBe(128 + constants.signals[signal]);
    if (moment === 'when its folder is there') return;
    expect(run.signal).toBeNull();
    expect(run.stderr).toBe(`oneclock: ended by ${signal}\n`);
    expect(run.result).toMatchObject({ status: 'error', reason: `ended by ${signal}` });
    for (const { state, reason } of Object.values(run.result.nodes)) {
      expect({ state, reason }).toEqual({ state: 'running', reason: null });
    }
  });

  test('by SIGKILL', async () => {
    const space = new Workspace();
    const started = space.startTopology(ENDLESS);
    await reached(space, started);
    started.child.kill('SIGKILL');
    const { signal } = await started.finished;
    expect(signal).toBe('SIGKILL');
    await space.expectNothingLeft();
  });
});

describe('a run that is told to end twice', () => {
  test('ends once, with the status of the first signal', async () => {
    const space = new Workspace();
    const started = space.startTopology(ENDLESS);
    await MOMENTS['while frames are under way']?.(space, started);
    started.child.kill('SIGINT');
    started.child.kill('SIGTERM');
    started.child.kill('SIGINT');
    const run = await space.outcome(started);
    expect([130, 143]).toContain(run.status);
    expect(run.stderr).toMatch(/^oneclock: ended by SIG(INT|TERM)\n$/);
  });
});

describe('a run is private', () => {
  test('its sockets and folders are for its user only', async () => {
    const { statSync } = await import('node:fs');
    const space = new Workspace();
    const started = space.startTopology(ENDLESS);
    await MOMENTS['while frames are under way']?.(space, started);
    const [folder] = readdirSync(space.temporary);
    const entries = readdirSync(`${space.temporary}/${folder}`, { recursive: true, withFileTypes: true });
    const sockets = entries
      .filter((entry) => entry.isSocket())
      .map((entry) => `${entry.parentPath}/${entry.name}`);
    // For each guest: time, console, and a network interface.
    expect(sockets.length).toBeGreaterThanOrEqual(9);
    for (const path of [`${space.temporary}/${folder}`, ...sockets]) {
      expect(statSync(path).mode & 0o077, path).toBe(0);
    }
    started.child.kill('SIGTERM');
    await space.outcome(started);
  });
});
