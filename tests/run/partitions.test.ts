// SPDX-License-Identifier: MIT
import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, test } from 'vitest';
import { LogReader } from '../../backend/trace/log-reader.js';
import { buildProgram, programFolder } from '../../guest/partition/testing/build.js';
import { whyNoKvm } from '../../host/kvm/index.js';
import { packageFile } from '../../host/package-root.js';
import { type RunOutcome, Workspace } from '../support/cli.js';
import { underLoad } from '../support/load.js';
import { expectSame } from '../support/same-run.js';

const missing = whyNoKvm() ?? '';
const folder = programFolder();
const EXAMPLE = packageFile('examples/partitions/partitions.yaml');
const example = () => readFileSync(EXAMPLE, 'utf8').replaceAll('../../build', packageFile('build'));
/** A program that ends after some warps. */
const probe = (PERIOD: number) =>
  buildProgram(folder, 'probe.c', {
    PERIOD,
    WORK: 100_000,
    LOCKED: 0,
    HANDLING: 0,
    LINE_PERIOD: 1_500_000,
    WARPS: 20,
  });

/** Two processors, each with two partitions and a timer that these share. */
function twoProcessors(): string {
  const nodes = [1_000_000, 777_777, 333_333, 2_500_000].map(
    (period, place) => `  p${place}: { kind: partition, program: ${probe(period)}, expect: { exit: 0 } }`,
  );
  const processor = (name: string, first: string, second: string) =>
    `  - { name: ${name}, frame: 10ms, slots: [{ partition: ${first}, at: 1ms, for: 3ms }, ` +
    `{ partition: ${second}, at: 4ms, for: 5ms }], lines: [{ number: 3, period: 1500us }] }`;
  return `name: two\nuntil: 1s\nnodes:\n${nodes.join('\n')}\nprocessors:\n${processor('cpu0', 'p0', 'p1')}\n${processor('cpu1', 'p2', 'p3')}\n`;
}

function eventsOf(run: RunOutcome) {
  const log = new LogReader(run.out);
  const events = [...log];
  expect(log.damage).toBeUndefined();
  log.close();
  return events;
}

test('the example is valid', async () => {
  const { status, stdout } = await new Workspace().run(['check', EXAMPLE]);
  expect([status, stdout]).toEqual([0, expect.stringContaining(': ok\n')]);
});

describe.skipIf(missing !== '')(`partitions${missing && ` (${missing})`}`, () => {
  beforeEach(({ task }) => {
    task.meta.kvm = 'on /dev/kvm';
  });

  test('two that share a timer hear of each of its interrupts, and of all that they missed', async () => {
    const run = (await new Workspace().runTopology(example())).expectStatus(0);
    expect(run.lines('control')).toEqual([
      '200 ticks, 130 of them in 10 warps; 100 samples, 50 of them late',
    ]);
    const reports = run.lines('telemetry');
    expect(reports).toHaveLength(10);
    expect(reports[9]).toBe(
      'away from 98000 to 105000 us: 4 ticks and 8 samples missed; in all 50 ticks, 100 samples',
    );
    const events = eventsOf(run);
    // Samples at 4, 5, 6 and 7 ms of each frame have passed at the entry; that at 8 ms is late all the same.
    const late = events.flatMap(({ at, node, event }) =>
      event.kind === 'deadline-missed' && node === 0 ? [{ at, late: event.late }] : [],
    );
    expect(late).toHaveLength(50);
    expect(late.slice(0, 5)).toEqual([
      { at: 10_000_000n, late: 4_000_000n },
      { at: 10_000_000n, late: 3_000_000n },
      { at: 10_000_000n, late: 2_000_000n },
      { at: 10_000_000n, late: 1_000_000n },
      { at: 10_300_000n, late: 300_000n },
    ]);
    const entries = events.filter(({ node, event }) => node === 1 && event.kind === 'slot-entry');
    expect(entries[1]).toMatchObject({
      at: 15_000_000n,
      event: {
        span: 3_000_000n,
        warp: { sequence: 1n, absent: 7_000_000n, ticks: 4n, pending: [{ line: 0, count: 8 }] },
      },
    });
  });

  test('the same run again, serial, and on a busy machine, is the same', async () => {
    const space = new Workspace();
    const topology = twoProcessors();
    const run = (await space.runTopology(topology)).expectStatus(0);
    await expectSame(space, run, (await space.runTopology(topology)).expectStatus(0), 'again');
    await expectSame(space, run, (await space.runTopology(topology, ['--serial'])).expectStatus(0), 'serial');
    const busy = await underLoad(4, () => space.runTopology(topology));
    await expectSame(space, run, busy.expectStatus(0), 'under load');
  });

  test('one that does what it may not fails the run, with its name', async () => {
    const faults = buildProgram(folder, 'faults.c', { FAULT: 5 });
    const topology = (more: string) =>
      `name: t\nuntil: 50ms\nnodes:\n  a: { kind: partition, program: ${faults}${more} }\n  b: { kind: partition, program: ${probe(1_000_000)} }\n` +
      'processors:\n  - { name: cpu0, frame: 10ms, slots: [{ partition: a, at: 0ms, for: 4ms }, { partition: b, at: 5ms, for: 4ms }] }\n';
    const failed = (await new Workspace().runTopology(topology(''))).expectStatus(3);
    expect(failed.result.reason).toContain('a failed at 0.010000000 s of virtual');
    expect(failed.result.reason).toMatch(/operation.*rip/);
    const evicted = (await new Workspace().runTopology(topology(', on-failure: evict'))).expectStatus(0);
    expect(evicted.result.nodes).toMatchObject({ a: { state: 'evicted' }, b: { state: 'running' } });
  });

  test('a program that is none is refused before anything runs', async () => {
    const run = await new Workspace().runTopology(example().replace('control.elf', 'nothing.elf'));
    expect(run.status).toBe(2);
    expect(run.stderr).toContain('partition control: ');
  });
});
