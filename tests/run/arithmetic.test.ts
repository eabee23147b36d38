// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest';
import { type CableModel, expectPassage } from '../support/cable-model.js';
import { frames, type Sighting } from '../support/capture.js';
import { type RunOutcome, Workspace } from '../support/cli.js';

const TEN_MBIT = 10_000_000n;

/** Two guests on a cable of 10 Mbit/s and 1 ms. */
function topology(queue: number, a: string, b: string | undefined): string {
  const run = (command: string | undefined) =>
    command === undefined ? '' : `, run: ${JSON.stringify(command)}`;
  return `
name: arithmetic
until: 20s
nodes:
  a: { kind: uml, interfaces: { eth0: { address: 10.0.0.1/24 } }${run(a)} }
  b: { kind: uml, interfaces: { eth0: { address: 10.0.0.2/24 } }${run(b)} }
links:
  - { name: ab, between: [a.eth0, b.eth0], latency: 1ms, rate: 10mbit, queue: ${queue} }
`;
}

function expectArithmetic(run: RunOutcome, queue: number): { sent: Sighting[]; received: Sighting[] } {
  const cable: CableModel = { latencyNs: 1_000_000n, bitsPerSecond: TEN_MBIT, queue };
  const capture = run.capture('ab');
  const [sent, received] = [frames(capture, 0, 'out'), frames(capture, 1, 'in')];
  expectPassage(sent, received, cable);
  expectPassage(frames(capture, 1, 'out'), frames(capture, 0, 'in'), cable);
  const { frames: count, bytes, dropped } = run.link('ab');
  const all = capture.filter(({ direction }) => direction === 'out');
  expect(count).toBe(all.length);
  expect(bytes).toBe(all.reduce((sum, frame) => sum + frame.bytes.length, 0));
  expect(dropped).toBe(all.filter((frame) => frame.dropped !== undefined).length);
  return { sent, received };
}

describe('a link of 10 Mbit/s', () => {
  test('carries 8 Mbit/s in full', async () => {
    const run = await new Workspace().runTopology(
      topology(100, 'stream send 10.0.0.2 5001 2s 8mbit', 'stream listen 5001'),
    );
    run.expectStatus(0);
    expectArithmetic(run, 100);
    expect(run.link('ab').dropped).toBe(0);
    const [, sent] = /sent (\d+) bytes/.exec(run.console('a')) ?? [];
    const [, received, seconds] = /received (\d+) bytes in ([\d.]+) s/.exec(run.console('b')) ?? [];
    expect(received).toBe(sent);
    // A hundredth of a second's worth at a time, until two seconds are over.
    expect(Number(sent)).toBeGreaterThanOrEqual(2_000_000);
    expect(Number(sent)).toBeLessThanOrEqual(2_000_000 + 10_001);
    const oneFrame = (1514 * 8) / Number(TEN_MBIT);
    expect(Math.abs(Number(seconds) - (Number(sent) * 8) / 8_000_000)).toBeLessThan(oneFrame);
  });

  test('carries 10 Mbit/s of the 20 Mbit/s that it is offered, and drops what its queue has no room for', async () => {
    const queue = 20;
    const run = await new Workspace().runTopology(
      // The first exchange finds the address. Then 1250 bytes every half of a millisecond.
      topology(queue, 'ping -c 1 10.0.0.2; ping -q -s 1208 -c 400 -i 0.0005 -W 1 10.0.0.2', undefined),
    );
    run.expectStatus(0);
    const { sent, received } = expectArithmetic(run, queue);
    const big = ({ bytes }: Sighting) => bytes.length === 1250;
    const offered = sent.filter(big).slice(1);
    const arrived = received.filter(big).slice(1);
    expect(offered).toHaveLength(399);
    const span = (list: readonly Sighting[]) => (list.at(-1)?.at ?? 0n) - (list[0]?.at ?? 0n);
    // What is offered, by the guest's own clock: 20 Mbit/s, less what its clock costs.
    const offeredRate = (398 * 1250 * 8) / (Number(span(offered)) / 1e9);
    expect(offeredRate).toBeGreaterThan(19e6);
    expect(offeredRate).toBeLessThanOrEqual(20e6);
    // What comes out: frames one after the other, each of exactly a millisecond.
    const bits = BigInt((arrived.length - 1) * 1250 * 8);
    const oneFrame = 1250n * 8n;
    const capacity = (span(arrived) * TEN_MBIT) / 1_000_000_000n;
    expect(bits).toBeGreaterThanOrEqual(capacity - oneFrame);
    expect(bits).toBeLessThanOrEqual(capacity);
    const dropped = offered.filter((frame) => frame.dropped === 'queue-full').length;
    expect(dropped).toBe(offered.length - arrived.length);
    expect(run.link('ab').dropped).toBe(dropped);
    // While 399 come, half of them go; the queue takes its 20, and one is on the cable.
    expect(Math.abs(arrived.length - (Number(span(offered)) / 1e6 + queue + 1))).toBeLessThan(2);
  });
});

describe('a switch', () => {
  test('takes its latency once and the serialisation twice', async () => {
    const run = await new Workspace().runTopology(`
name: switched
until: 20s
nodes:
  a: { kind: uml, interfaces: { eth0: { address: 10.0.0.1/24 } }, run: ping -c 5 -i 0.1 10.0.0.2 }
  b: { kind: uml, interfaces: { eth0: { address: 10.0.0.2/24 } } }
  c: { kind: uml, interfaces: { eth0: { address: 10.0.0.3/24 } } }
switches:
  - { name: lan, ports: [a.eth0, b.eth0, c.eth0], latency: 3ms, rate: 10mbit }
`);
    run.expectStatus(0);
    const capture = run.capture('lan');
    const echoes = (end: number, way: 'in' | 'out') =>
      frames(capture, end, way).filter(({ bytes }) => bytes.length === 98);
    const oneWay = 3_000_000n + 2n * 98n * 800n;
    expect(echoes(0, 'out')).toHaveLength(5);
    expect(echoes(1, 'in').map(({ at }) => at)).toEqual(echoes(0, 'out').map(({ at }) => at + oneWay));
    expect(echoes(0, 'in').map(({ at }) => at)).toEqual(echoes(1, 'out').map(({ at }) => at + oneWay));
    // The switch knows by then where both are: c saw the question for an address, and nothing else.
    expect(frames(capture, 2, 'in').map(({ bytes }) => bytes.length)).toEqual([42]);
  });
});
