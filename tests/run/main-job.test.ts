// SPDX-License-Identifier: MIT
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { packageFile } from '../../host/package-root.js';
import { frames } from '../support/capture.js';
import { Workspace } from '../support/cli.js';
import { hasTool } from '../support/tools.js';

const TWO_NODES = readFileSync(packageFile('examples/two-nodes.yaml'), 'utf8');
/** 1 ms of latency, and 98 bytes at 100 Mbit/s. */
const ONE_WAY_NS = 1_000_000n + (98n * 8n * 1_000n) / 100n;
/** What a guest may take to answer, by its own clock: some reads of it at 256 ns each. */
const GUEST_NS = 10_000n;

describe('two guests ping each other over a link of 1 ms and 100 Mbit/s', () => {
  test('the result has every field, and standard output nothing else', async () => {
    const run = (await new Workspace().runTopology(TWO_NODES)).expectStatus(0);
    expect(run.stderr).toBe('');
    expect(run.stdout).toBe(`${JSON.stringify(run.result, null, 2)}\n`);
    expect(readFileSync(join(run.out, 'result.json'), 'utf8')).toBe(run.stdout);
    expect(run.result).toEqual({
      status: 'ok',
      exitCode: 0,
      reason: null,
      name: 'two-nodes',
      virtualNs: expect.stringMatching(/^\d+$/),
      wallMs: expect.any(Number),
      cpuMs: expect.any(Number),
      seed: 1,
      events: expect.any(Number),
      activations: expect.any(Number),
      traceHash: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
      nodes: {
        a: {
          kind: 'uml',
          state: 'exited',
          exit: 0,
          signal: null,
          endedNs: run.result.virtualNs,
          cpuMs: expect.any(Number),
          reason: null,
          expected: 'exits with 0',
          unmet: null,
        },
        b: {
          kind: 'uml',
          state: 'running',
          exit: null,
          signal: null,
          endedNs: null,
          cpuMs: expect.any(Number),
          reason: null,
          expected: null,
          unmet: null,
        },
      },
      // A hundred requests and replies, and one exchange of addresses.
      wires: {},
      shared: {},
      links: { ab: { frames: 202, bytes: 200 * 98 + 2 * 42, dropped: 0 } },
    });
    // 99 pauses of 10 ms, and the last round trip.
    const virtual = Number(run.result.virtualNs);
    expect(virtual).toBeGreaterThan(99 * 10e6);
    expect(virtual).toBeLessThan(99 * 10e6 + 10e6);
  });

  test('ping tells the round trip that the arithmetic says', async () => {
    const run = (await new Workspace().runTopology(TWO_NODES)).expectStatus(0);
    const times = run.lines('a').flatMap((line) => /seq=(\d+) ttl=64 time=([\d.]+) ms/.exec(line) ?? []);
    const roundTrips = Array.from({ length: times.length / 3 }, (_, place) => Number(times[3 * place + 2]));
    expect(roundTrips).toHaveLength(100);
    const expected = Number(2n * ONE_WAY_NS) / 1e6;
    // The first one waits for the address. ping itself cuts its result to microseconds.
    for (const roundTrip of roundTrips.slice(1)) {
      expect(roundTrip).toBeGreaterThanOrEqual(Math.floor(expected * 1000) / 1000);
      expect(roundTrip).toBeLessThan(expected + Number(GUEST_NS) / 1e6);
    }
  });

  test('each frame arrives exactly when the arithmetic says', async () => {
    const run = (await new Workspace().runTopology(TWO_NODES)).expectStatus(0);
    const capture = run.capture('ab');
    for (const [from, to] of [
      [0, 1],
      [1, 0],
    ] as const) {
      const sent = frames(capture, from, 'out').filter(({ bytes }) => bytes.length === 98);
      const received = frames(capture, to, 'in').filter(({ bytes }) => bytes.length === 98);
      expect(sent).toHaveLength(100);
      expect(received.map(({ bytes }) => bytes)).toEqual(sent.map(({ bytes }) => bytes));
      expect(received.map(({ at }) => at)).toEqual(sent.map(({ at }) => at + ONE_WAY_NS));
    }
  });

  test('every console line has the virtual time at which it was written', async () => {
    const run = (await new Workspace().runTopology(TWO_NODES)).expectStatus(0);
    const lines = run.console('a').trimEnd().split('\n');
    const stamps = lines.map((line) => /^\[ *(\d+)\.(\d{9})\]/.exec(line));
    expect(stamps.every((stamp) => stamp !== null)).toBe(true);
    const instants = stamps.map(
      (stamp) => BigInt(stamp?.[1] ?? 0) * 1_000_000_000n + BigInt(stamp?.[2] ?? 0),
    );
    expect(instants).toEqual([...instants].sort((a, b) => Number(a - b)));
    const capture = run.capture('ab');
    const start = BigInt(Date.parse('2026-01-01T00:00:00Z')) * 1_000_000n;
    // A reply is reported when it has arrived, and some reads of the clock later at most.
    const arrivals = frames(capture, 0, 'in').filter(({ bytes }) => bytes.length === 98);
    lines.forEach((line, place) => {
      const sequence = /seq=(\d+) /.exec(line)?.[1];
      if (sequence === undefined) return;
      const arrived = (arrivals[Number(sequence)]?.at ?? 0n) - start;
      const late = (instants[place] ?? 0n) - arrived;
      expect(late, line).toBeGreaterThanOrEqual(0n);
      expect(late, line).toBeLessThanOrEqual(GUEST_NS + 50_000n);
    });
  });

  test.skipIf(!hasTool('tshark'))('Wireshark reads the capture (needs tshark)', async () => {
    const run = (await new Workspace().runTopology(TWO_NODES)).expectStatus(0);
    const fields = ['frame.time_epoch', 'frame.interface_name', 'frame.packet_flags_direction', 'icmp.type'];
    const { stdout, status } = spawnSync(
      'tshark',
      ['-r', join(run.out, 'pcap', 'ab.pcapng'), '-T', 'fields', ...fields.flatMap((field) => ['-e', field])],
      { encoding: 'utf8' },
    );
    expect(status).toBe(0);
    const rows = stdout.trimEnd().split('\n');
    const capture = run.capture('ab');
    expect(rows).toHaveLength(capture.length);
    rows.forEach((row, place) => {
      const { at, end, direction } = capture[place] as (typeof capture)[number];
      const [time, name, way] = row.split('\t');
      expect(time).toBe(`${at / 1_000_000_000n}.${(at % 1_000_000_000n).toString().padStart(9, '0')}`);
      expect(name).toBe(['a.eth0', 'b.eth0'][end]);
      expect(Number(way)).toBe(direction === 'in' ? 1 : 2);
    });
    expect(rows.filter((row) => row.endsWith('\t8'))).toHaveLength(200);
  });

  test('without --json the summary is for people', async () => {
    const space = new Workspace();
    const file = space.write('topology.yaml', TWO_NODES);
    const { status, stdout } = await space.run(['run', file]);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^two-nodes: ok\n/);
    expect(stdout).toMatch(/a {2}exited 0/);
    expect(stdout).toMatch(/ab {2}202 frames/);
  });
});
