// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest';
import type { BoardResult } from '../../backend/run/result.js';
import { useBatch } from '../support/kvm-batch.js';

/** A guest in virtual time that needs much wall time for it, and two in real time that are frozen meanwhile. */
const LIVE = `
name: live
until: 300s
nodes:
  slow:
    kind: uml
    interfaces: { eth0: { address: 10.0.0.2/24 } }
    run: for i in $(seq 20); do sleep 0.1; n=0; while [ $n -lt 5000 ]; do n=$((n+1)); done; done
  live:
    kind: kvm
    clock: real
    interfaces: { eth0: { address: 10.0.0.1/24 } }
    run: ping -c 5 -i 0.2 10.0.0.2; for i in $(seq 10); do read up rest </proc/uptime; echo "up $up"; sleep 0.1; done; gpio watch -e rising -n 1 -t 100s back & gpio set ready 1 1s; wait $!
  other:
    kind: kvm
    clock: real
    run: sleep 1; poweroff -f
    on-failure: evict
  answers: { kind: uml, run: 'gpio watch -e rising -n 1 -t 280s ready && sleep 5 && gpio set back 1 5s' }
links:
  - { name: way, between: [live.eth0, slow.eth0], latency: 10ms }
wires:
  - { name: freeze, pins: [live.freeze, other.freeze], role: freeze }
  - { name: ready, pins: [live.ready, answers.ready], latency: 1ms }
  - { name: back, pins: [live.back, answers.back], latency: 1ms }
`;

/** A run that hangs says how far it came. */
const RUNS = [{ name: 'live', topology: LIVE, args: ['--max-wall', '240s'] }];

const batch = useBatch(() => RUNS);

describe('KVM guests in real time', () => {
  test('are frozen where others are behind, and their clock leaves that out', () => {
    const run = batch.outcome('live').expectStatus(0);
    const { state, exit, freezes, frozenNs, clock } = run.node('live') as BoardResult;
    expect({ state, exit, clock }).toEqual({ state: 'exited', exit: 0, clock: 'hidden' });
    expect(freezes).toBeGreaterThan(0);
    expect(BigInt(frozenNs)).toBeGreaterThan(0n);
    const uptimes = [...run.console('live').matchAll(/\bup (\d+\.\d+)/g)].map(([, up]) => Number(up));
    expect(uptimes).toHaveLength(10);
    expect(uptimes).toEqual(uptimes.toSorted((a, b) => a - b));
    // It has no more than the wall time for which it ran.
    const ranS = run.result.wallMs / 1000 - Number(frozenNs) / 1e9;
    expect(uptimes.at(-1)).toBeLessThanOrEqual(ranS);
  });

  test('are reached with the latency of a link', () => {
    const trips = [
      ...batch
        .outcome('live')
        .console('live')
        .matchAll(/ time=([\d.]+) ms/g),
    ];
    const sorted = trips.map(([, ms]) => Number(ms)).toSorted((a, b) => a - b);
    expect(sorted).toHaveLength(5);
    // There and back; it may be late for an edge of the line, but hardly each time.
    expect(sorted[2]).toBeGreaterThanOrEqual(10);
  });

  test('see the edges of a wire, and make such', () => {
    expect(batch.outcome('live').console('answers')).toMatch(/rising/);
    expect(batch.outcome('live').console('live')).toMatch(/rising/);
  });

  test('that switch themselves off are gone, and the others go on', () => {
    expect(batch.outcome('live').node('other')).toMatchObject({
      state: 'evicted',
      reason: 'it powered itself off',
    });
    expect(batch.outcome('live').node('slow')).toMatchObject({ state: 'exited', exit: 0 });
  });
});
