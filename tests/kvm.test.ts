// SPDX-License-Identifier: MIT
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { KvmBatch, linuxRunsHere } from './support/kvm-batch.js';

const PING = `
name: pair
seed: 7
until: 60s
nodes:
  a:
    kind: kvm
    interfaces: { eth0: { address: 10.0.0.1/24 } }
    run: ping -c 5 -i 1 10.0.0.2 && cat /proc/uptime && head -c 16 /dev/urandom | od -An -tx1
  b: { kind: kvm, interfaces: { eth0: { address: 10.0.0.2/24 } } }
links:
  - { name: ab, between: [a.eth0, b.eth0], latency: 5ms }
`;

/** KVM and User-Mode Linux on a switch, and a wire from one to the other. */
const MIXED = `
name: mixed
until: 60s
nodes:
  k:
    kind: kvm
    interfaces: { eth0: { address: 10.0.0.1/24 } }
    run: ping -c 3 -i 0.1 10.0.0.2 && gpio wait gpio0 high && date +%s.%N
  u:
    kind: uml
    interfaces: { eth0: { address: 10.0.0.2/24 } }
    run: ping -c 3 -i 0.1 10.0.0.1 && sleep 5 && gpio set gpio0 high && sleep 1
switches:
  - { name: lan, ports: [k.eth0, u.eth0], latency: 1ms }
wires:
  - { name: ready, pins: [k.gpio0, u.gpio0], latency: 10us }
`;

const alone = (run: string, rest = '') => `
name: alone
until: 2000s
nodes:
  a: { kind: kvm, run: ${JSON.stringify(run)}${rest} }
`;

const SURVIVOR = (run: string) => `
name: survivor
until: 30s
nodes:
  a: { kind: kvm, run: ${JSON.stringify(run)}, on-failure: evict }
  b: { kind: kvm, run: sleep 20 }
`;

const RUNS = [
  { name: 'pair', topology: PING },
  { name: 'pair-serial', topology: PING, args: ['--serial'] },
  { name: 'mixed', topology: MIXED },
  { name: 'mixed-serial', topology: MIXED, args: ['--serial'] },
  { name: 'sleep', topology: alone('sleep 1000') },
  { name: 'exit', topology: alone('exit 7', ', expect: { exit: 7 }') },
  { name: 'poweroff', topology: SURVIVOR('poweroff -f') },
  { name: 'reboot', topology: alone('reboot -f') },
  { name: 'panic', topology: SURVIVOR('echo c >/proc/sysrq-trigger') },
  { name: 'spin', topology: SURVIVOR('while :; do :; done'), args: ['--hang', '5s'] },
];

let batch: KvmBatch;

beforeAll(async () => {
  batch = new KvmBatch(linuxRunsHere() ? 'here' : 'nested in QEMU', RUNS);
  await batch.execute();
}, 420_000);

afterAll(() => batch?.close());

beforeEach(({ task }) => {
  task.meta.kvm = batch.way;
});

describe('KVM guests', () => {
  test('ping each other in virtual time', () => {
    const run = batch.outcome('pair').expectStatus(0);
    expect(run.console('a')).toContain('5 packets transmitted, 5 packets received, 0% packet loss');
    // Twice the latency, and what the guests' own clocks cost.
    expect(run.console('a')).toMatch(/seq=4 ttl=64 time=10\.0\d\d ms/);
    expect(run.node('b')).toMatchObject({ kind: 'kvm', state: 'running' });
  });

  test.each(['pair', 'mixed'])('%s: the same trace serial and parallel', (name) => {
    const [one, other] = [batch.outcome(name), batch.outcome(`${name}-serial`)];
    expect(other.expectStatus(0).files()).toEqual(one.expectStatus(0).files());
    expect(other.result.traceHash).toBe(one.result.traceHash);
  });

  test('share links and wires with User-Mode Linux', () => {
    const run = batch.outcome('mixed').expectStatus(0);
    expect(run.console('k')).toContain('3 packets received');
    expect(run.console('u')).toContain('3 packets received');
  });

  test('sleep for free', () => {
    const run = batch.outcome('sleep').expectStatus(0);
    const { virtualNs, activations } = run.result;
    expect(BigInt(virtualNs)).toBeGreaterThan(1_000_000_000_000n);
    // An idle guest does not tick.
    expect(activations).toBeLessThan(2_000);
  });

  test('report how their command ended', () => {
    expect(batch.outcome('exit').expectStatus(0).node('a')).toMatchObject({ state: 'exited', exit: 7 });
  });

  test('that power themselves off are gone, and the others go on', () => {
    const run = batch.outcome('poweroff').expectStatus(0);
    expect(run.node('a')).toMatchObject({ state: 'evicted', reason: 'it powered itself off' });
    expect(run.node('b')).toMatchObject({ state: 'exited', exit: 0 });
  });

  test('that reboot fail the run', () => {
    const run = batch.outcome('reboot').expectStatus(3);
    expect(run.result.reason).toMatch(/^a failed at .*: it rebooted/);
  });

  test('that panic say so', () => {
    const run = batch.outcome('panic').expectStatus(0);
    expect(run.node('a').reason).toMatch(/it stopped in a panic; it said: .*Kernel panic - /);
    expect(run.node('b')).toMatchObject({ state: 'exited', exit: 0 });
  });

  test('that spin without reading a clock hang, with their registers', () => {
    const run = batch.outcome('spin').expectStatus(0);
    expect(run.node('a').reason).toMatch(/it hangs: .* rip=0x/i);
    expect(run.node('b')).toMatchObject({ state: 'exited', exit: 0 });
  });

  test('leave nothing', () => {
    expect(batch.left).toEqual([]);
  });
});
