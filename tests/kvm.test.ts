// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest';
import { useBatch } from './support/kvm-batch.js';

/** KVM and User-Mode Linux on a switch, and a wire from one to the other. */
const MIXED = `
name: mixed
seed: 7
until: 60s
nodes:
  k:
    kind: kvm
    interfaces: { eth0: { address: 10.0.0.1/24 } }
    run: ping -c 3 -i 0.1 10.0.0.2 && ping -c 3 -i 0.1 10.0.0.3 && gpio watch -e rising -n 1 -t 20s ready && head -c 16 /dev/urandom | od -An -tx1
  l: { kind: kvm, interfaces: { eth0: { address: 10.0.0.2/24 } } }
  u:
    kind: uml
    interfaces: { eth0: { address: 10.0.0.3/24 } }
    run: ping -c 3 -i 0.1 10.0.0.1 && sleep 5 && gpio set gpio0 1 1s
switches:
  - { name: lan, ports: [k.eth0, l.eth0, u.eth0], latency: 5ms }
wires:
  - { name: ready, pins: [k.ready, u.gpio0], latency: 10us }
`;

/** Guests that go wrong, and others that are not to notice. */
const FAULTS = `
name: faults
until: 2000s
nodes:
  off: { kind: kvm, run: poweroff -f, on-failure: evict }
  reboot: { kind: kvm, run: reboot -f, on-failure: evict }
  panic: { kind: kvm, run: sysctl -q -w vm.panic_on_oom=1; tail /dev/zero, on-failure: evict }
  spin: { kind: kvm, run: while :; do :; done, on-failure: evict }
  seven: { kind: kvm, run: exit 7, expect: { exit: 7 } }
  sleeper: { kind: kvm, run: sleep 1000 }
`;

/** The second and the third guest do not count their jiffies: the first does. */
const JIFFIES = `
name: jiffies
until: 60s
nodes:
  a: { kind: kvm, run: sleep 2 }
  b: { kind: kvm }
shared:
  - { name: jiffies, between: [a, b], method: ordered, latency: 1us }
`;

/** A script with guests of both kinds. */
const SCRIPT = `import { scenario } from 'oneclock';
export default scenario(
  {
    topology: {
      name: 'scripted',
      nodes: {
        k: { kind: 'kvm', interfaces: { eth0: { address: '10.0.0.1/24' } } },
        u: { kind: 'uml', interfaces: { eth0: { address: '10.0.0.2/24' } } },
      },
      links: [{ name: 'ku', between: ['k.eth0', 'u.eth0'], latency: '1ms' }],
    },
    until: '60s',
  },
  async ({ sim, nodes: { k, u } }) => {
    const upOf = async (node: typeof k) => Number((await node.exec('cut -d. -f1 /proc/uptime')).stdout);
    const echoed = await k.exec('cat; exit 3', { stdin: 'to k' });
    await sim.at('3s');
    const ping = await u.exec('ping -c 3 -i 0.1 10.0.0.1');
    await sim.at('4s');
    k.freeze();
    await sim.at('9s');
    k.resume();
    const ups = [await upOf(k), await upOf(u)];
    await sim.at('10s');
    k.restart();
    await k.ready();
    return { echoed, lost: /(\\d+)% packet loss/.exec(ping.stdout)?.[1], ups, again: await upOf(k), now: sim.now < 11_000_000_000n };
  },
);
`;

const RUNS = [
  { name: 'mixed', topology: MIXED },
  { name: 'mixed-serial', topology: MIXED, args: ['--serial'] },
  { name: 'faults', topology: FAULTS, args: ['--serial', '--hang', '10s'] },
  { name: 'jiffies', topology: JIFFIES },
  { name: 'scripted', script: SCRIPT },
];

const batch = useBatch(() => RUNS);

test('a script runs programs on guests of both kinds, freezes one, and starts it again', () => {
  const run = batch.outcome('scripted').expectStatus(0);
  expect(run.result.script).toMatchObject({
    state: 'ended',
    output: {
      echoed: { exit: 3, signal: null, stdout: 'to k', stderr: '' },
      lost: '0',
      // It has stood still for five seconds.
      ups: [4, 9],
      again: 0,
      now: true,
    },
  });
});

describe('KVM guests', () => {
  test('ping each other, and User-Mode Linux, in virtual time', () => {
    const run = batch.outcome('mixed').expectStatus(0);
    expect(run.console('k').match(/3 packets transmitted, 3 packets received/g)).toHaveLength(2);
    // There and back, by a switch: the third of each is not delayed by ARP.
    expect(run.console('k').match(/seq=2 ttl=64 time=10\.0\d\d ms/g)).toHaveLength(2);
    expect(run.console('u')).toContain('3 packets transmitted, 3 packets received');
    expect(run.node('l')).toMatchObject({ kind: 'kvm', state: 'running' });
  });

  test('see the edges of a wire', () => {
    expect(batch.outcome('mixed').console('k')).toMatch(/rising/);
  });

  test('have the same trace, console and captures serial and parallel', () => {
    const [one, other] = [batch.outcome('mixed'), batch.outcome('mixed-serial')];
    expect(other.expectStatus(0).files()).toEqual(one.expectStatus(0).files());
    expect(other.result.traceHash).toBe(one.result.traceHash);
  });

  test('sleep for free', () => {
    const run = batch.outcome('faults').expectStatus(0);
    const { virtualNs, activations } = run.result;
    expect(BigInt(virtualNs)).toBeGreaterThan(1_000_000_000_000n);
    // An idle guest does not tick.
    expect(activations).toBeLessThan(2_000);
  });

  test('report how their command ended', () => {
    expect(batch.outcome('faults').node('seven')).toMatchObject({ state: 'exited', exit: 7 });
    expect(batch.outcome('faults').node('sleeper')).toMatchObject({ state: 'exited', exit: 0 });
  });

  test.each([
    ['off', /^it powered itself off$/],
    ['reboot', /^it rebooted$/],
    ['panic', /^it stopped in a panic; it said: .*Kernel panic - /],
    ['spin', /it hangs: nothing heard of it for 10 s of wall time; .*\brip=0x/],
  ])('that end by themselves are gone, for what is said: %s', (node, reason) => {
    const found = batch.outcome('faults').node(node);
    expect(found.state).toBe('evicted');
    expect(found.reason).toMatch(reason);
  });

  test('share jiffies that one of them counts', () => {
    const run = batch.outcome('jiffies').expectStatus(0);
    const { changes, stores } = run.result.shared.jiffies as { changes: number; stores: number };
    // 100 a second, each stored in both.
    expect(changes).toBeGreaterThan(190);
    expect(changes).toBeLessThan(300);
    expect(stores).toBeGreaterThanOrEqual(2 * changes - 2);
  });

  test('leave nothing', () => {
    expect(batch.left).toEqual([]);
  });
});
