// SPDX-License-Identifier: MIT
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Workspace } from '../support/cli.js';
import { hasTool } from '../support/tools.js';

/** A topology of one guest that runs `command`. */
function alone(command: string, rest = ''): string {
  return `
name: alone
until: 10s
nodes:
  a: { kind: uml, run: ${JSON.stringify(command)}${rest === '' ? '' : `, ${rest}`} }
`;
}

describe('how the command of a node ends', () => {
  test('0 is what is expected where nothing is said', async () => {
    const run = (await new Workspace().runTopology(alone('true'))).expectStatus(0);
    expect(run.node('a')).toMatchObject({ state: 'exited', exit: 0, signal: null });
  });

  test.each([7, 255])('an exit status of %i is reported, and fails the run', async (code) => {
    const run = (await new Workspace().runTopology(alone(`exit ${code}`))).expectStatus(1);
    expect(run.result).toMatchObject({ status: 'failed', exitCode: 1 });
    expect(run.result.reason).toBe(`a was to exit with 0, and exited with ${code}`);
    expect(run.stderr).toBe(`oneclock: ${run.result.reason}\n`);
    expect(run.node('a')).toMatchObject({ state: 'exited', exit: code, signal: null });
  });

  test('an exit status that is expected is fine', async () => {
    const run = await new Workspace().runTopology(alone('exit 7', 'expect: { exit: 7 }'));
    run.expectStatus(0);
    expect(run.result).toMatchObject({ status: 'ok', reason: null });
    expect(run.node('a')).toMatchObject({ state: 'exited', exit: 7 });
  });

  test('0 is a failure where something else is expected', async () => {
    const run = await new Workspace().runTopology(alone('true', 'expect: { exit: 7 }'));
    run.expectStatus(1);
    expect(run.result.reason).toBe('a was to exit with 7, and exited with 0');
  });

  test.each([
    ['TERM', 15],
    ['KILL', 9],
  ])('SIG%s is reported as the signal that it is', async (name, number) => {
    const run = (await new Workspace().runTopology(alone(`kill -${name} $$; sleep 1`))).expectStatus(1);
    expect(run.node('a')).toMatchObject({ state: 'killed', exit: null, signal: number });
    expect(run.result.reason).toBe(`a was to exit with 0, and was ended by signal ${number}`);
  });

  test('a command that is not there ends with 127, and says so on the console', async () => {
    const run = (await new Workspace().runTopology(alone('no-such-command'))).expectStatus(1);
    expect(run.node('a')).toMatchObject({ state: 'exited', exit: 127 });
    expect(run.lines('a')).toEqual(['sh: no-such-command: not found']);
  });
});

describe('when a run ends', () => {
  test('at `until`, exactly, and a node that is expected to run then is fine', async () => {
    const run = await new Workspace().runTopology(alone('sleep 1000', 'expect: running'));
    run.expectStatus(0);
    expect(run.result.virtualNs).toBe('10000000000');
    expect(run.node('a')).toMatchObject({ state: 'running', exit: null, endedNs: null });
  });

  test('a node that still runs at `until` fails the run, where nothing is said', async () => {
    const run = (await new Workspace().runTopology(alone('sleep 1000'))).expectStatus(1);
    expect(run.result.reason).toBe('a was to exit with 0, and was still running');
  });

  test('a node that has ended is not running', async () => {
    const run = await new Workspace().runTopology(alone('exit 3', 'expect: running'));
    run.expectStatus(1);
    expect(run.result.reason).toBe('a was to be running at the end, and exited with 3');
  });

  test('--until on the command line counts', async () => {
    const run = await new Workspace().runTopology(alone('sleep 1000', 'expect: running'), [
      '--until',
      '1500ms',
    ]);
    run.expectStatus(0);
    expect(run.result.virtualNs).toBe('1500000000');
  });

  test('without `until`, when the last command has ended, though others go on for ever', async () => {
    const run = await new Workspace().runTopology(`
name: last
nodes:
  a: { kind: uml, run: sleep 3 }
  b: { kind: uml, run: "sleep 5; exit 4", expect: { exit: 4 } }
  c: { kind: uml }
`);
    run.expectStatus(0);
    expect(run.result.virtualNs).toBe(run.node('b').endedNs);
    expect(Number(run.node('b').endedNs)).toBeGreaterThanOrEqual(5e9);
    expect(Number(run.node('b').endedNs)).toBeLessThan(5.01e9);
    expect(run.node('c')).toMatchObject({ state: 'running', exit: null, signal: null });
  });

  test('a run of nodes without a command lasts until `until`', async () => {
    const run = await new Workspace().runTopology(`
name: idle
until: 3h
nodes:
  a: { kind: uml }
`);
    run.expectStatus(0);
    expect(run.result.virtualNs).toBe(`${3 * 3600}000000000`);
    expect(run.node('a').state).toBe('running');
  });
});

describe('what a guest is', () => {
  test('it has the memory that the topology says, less what its kernel takes', async () => {
    const run = await new Workspace().runTopology(`
name: memory
until: 10s
nodes:
  small: { kind: uml, memory: 32M, run: grep MemTotal /proc/meminfo }
  large: { kind: uml, memory: 256M, run: grep MemTotal /proc/meminfo }
`);
    run.expectStatus(0);
    const total = (node: string) => Number(/MemTotal: *(\d+) kB/.exec(run.console(node))?.[1]);
    for (const [node, megabytes] of [
      ['small', 32],
      ['large', 256],
    ] as const) {
      expect(total(node)).toBeGreaterThan(megabytes * 1024 - 16 * 1024);
      expect(total(node)).toBeLessThan(megabytes * 1024);
    }
  });

  test('its host name is its name, and its time of day that of the topology', async () => {
    const run = await new Workspace().runTopology(`
name: identity
start: 2031-05-06T07:08:09Z
until: 10s
nodes:
  some-node: { kind: uml, run: 'hostname; echo "$HOSTNAME"; date -u +%FT%TZ; sleep 60; date -u +%FT%TZ', expect: running }
  other: { kind: uml, run: 'hostname; sleep 2.5; date -u +%FT%TZ' }
`);
    run.expectStatus(0);
    expect(run.lines('some-node')).toEqual(['some-node', 'some-node', '2031-05-06T07:08:09Z']);
    expect(run.lines('other')).toEqual(['other', '2031-05-06T07:08:11Z']);
  });

  test('its interfaces have the names, MAC addresses, MTUs and addresses of the topology', async () => {
    const show = 'ip -o link; ip -o addr';
    const run = await new Workspace().runTopology(`
name: interfaces
until: 10s
nodes:
  a:
    kind: uml
    interfaces:
      eth0: { address: [10.0.0.1/24, "fd00::1/64"], mac: "02:00:00:00:00:0a", mtu: 1400 }
      uplink: { address: 192.168.5.6/30, mtu: 9000 }
      spare: {}
    run: ${show}
  b: { kind: uml, interfaces: { eth0: { address: 10.0.0.2/24 }, uplink: { address: 192.168.5.5/30, mtu: 9000 } } }
links:
  - { name: one, between: [a.eth0, b.eth0], latency: 1ms }
  - { name: two, between: [a.uplink, b.uplink], latency: 1ms }
`);
    run.expectStatus(0);
    const text = run.lines('a').join('\n');
    const line = (pattern: RegExp) => run.lines('a').find((each) => pattern.test(each)) ?? `none in\n${text}`;
    expect(line(/: eth0: </)).toMatch(/mtu 1400 .*link\/ether 02:00:00:00:00:0a /);
    const uplink = line(/: uplink: </);
    expect(uplink).toMatch(/mtu 9000 /);
    // Derived: unicast, and of those that no manufacturer has.
    expect(uplink).toMatch(/link\/ether [0-9a-f][26ae](:[0-9a-f]{2}){5} /);
    expect(line(/: spare: </)).toMatch(/mtu 1500 /);
    expect(text).toMatch(/eth0 +inet 10\.0\.0\.1\/24 /);
    expect(text).toMatch(/eth0 +inet6 fd00::1\/64 /);
    expect(text).toMatch(/uplink +inet 192\.168\.5\.6\/30 /);
    expect(text).not.toMatch(/spare +inet /);
  });

  test('a derived MAC address comes from the seed and the names alone', async () => {
    const yaml = (seed: number) => `
name: macs
seed: ${seed}
until: 10s
nodes:
  a: { kind: uml, interfaces: { eth0: {}, eth1: {} }, run: cat /sys/class/net/eth0/address /sys/class/net/eth1/address }
  b: { kind: uml, interfaces: { eth0: {} }, run: cat /sys/class/net/eth0/address }
`;
    const macs = async (seed: number) => {
      const run = (await new Workspace().runTopology(yaml(seed))).expectStatus(0);
      return [...run.lines('a'), ...run.lines('b')];
    };
    const first = await macs(1);
    expect(new Set(first).size).toBe(3);
    expect(await macs(1)).toEqual(first);
    expect(await macs(2)).not.toEqual(first);
  });

  test('frames as long as the MTU allows get through, IPv6 too', async () => {
    const run = await new Workspace().runTopology(`
name: six
until: 10s
nodes:
  a:
    kind: uml
    interfaces: { eth0: { address: "fd00::1/64", mtu: 9000 } }
    run: ping -c 3 -i 0.1 -s 8952 fd00::2
  b: { kind: uml, interfaces: { eth0: { address: "fd00::2/64", mtu: 9000 } } }
links:
  - { name: ab, between: [a.eth0, b.eth0], latency: 1ms, rate: 1gbit }
`);
    run.expectStatus(0);
    expect(run.lines('a').join('\n')).toContain('3 packets transmitted, 3 packets received, 0% packet loss');
    const whole = run.capture('ab').filter(({ bytes }) => bytes.length === 14 + 9000);
    expect(whole).toHaveLength(2 * 2 * 3);
  });

  test('a node can be between two others, and pass on what is not for it', async () => {
    const route = (net: string, via: string) => `ip route add 10.0.${net}.0/24 via 10.0.${via}.254`;
    const run = await new Workspace().runTopology(`
name: router
until: 10s
nodes:
  a: { kind: uml, interfaces: { eth0: { address: 10.0.1.1/24 } }, run: "${route('2', '1')}; ping -c 3 -i 0.1 10.0.2.1" }
  r:
    kind: uml
    interfaces: { eth0: { address: 10.0.1.254/24 }, eth1: { address: 10.0.2.254/24 } }
    run: "sysctl -q -w net.ipv4.ip_forward=1; sleep 5"
  b: { kind: uml, interfaces: { eth0: { address: 10.0.2.1/24 } }, run: "${route('1', '2')}; sleep 5" }
links:
  - { name: ar, between: [a.eth0, r.eth0], latency: 2ms }
  - { name: rb, between: [r.eth1, b.eth0], latency: 3ms }
`);
    run.expectStatus(0);
    const times = run.lines('a').flatMap((each) => /ttl=63 time=([\d.]+) ms/.exec(each)?.[1] ?? []);
    expect(times).toHaveLength(3);
    expect(Number(times[2])).toBeGreaterThanOrEqual(10);
    expect(Number(times[2])).toBeLessThan(10.02);
  });
});

describe('a node with the files of this machine', () => {
  const host = (command: string) => alone(command, 'root: host, memory: 512M');

  test('runs this machine’s programs', async () => {
    const script = 'console.log(process.version, [1, 2, 3].map((each) => each * each).join())';
    const run = await new Workspace().runTopology(host(`${process.execPath} -e '${script}'`));
    run.expectStatus(0);
    expect(run.lines('a')).toEqual([`${process.version} 1,4,9`]);
  });

  test.skipIf(!existsSync('/usr/bin/python3') || !hasTool('/usr/bin/python3'))(
    'Python among them (needs /usr/bin/python3)',
    async () => {
      const run = await new Workspace().runTopology(host(`/usr/bin/python3 -c 'print(6 * 7)'`));
      run.expectStatus(0);
      expect(run.lines('a')).toEqual(['42']);
    },
  );

  test('sees the files, and what it writes reaches none of them', async () => {
    const space = new Workspace();
    const mine = space.write('mine', 'as it was\n');
    const before = readFileSync('/etc/passwd', 'utf8');
    const strange = `/etc/e2e-${process.pid}`;
    const run = await space.runTopology(
      host(
        [
          'head -n 1 /etc/passwd',
          'echo mallory::0:0::/:/bin/sh >> /etc/passwd',
          `echo new > ${strange}`,
          'rm /etc/hostname',
          'tail -n 1 /etc/passwd',
          `cat ${strange}`,
          'ls /etc/hostname 2>&1',
          'true',
        ].join('; '),
      ),
    );
    run.expectStatus(0);
    expect(run.lines('a').slice(0, 3)).toEqual([before.split('\n')[0], 'mallory::0:0::/:/bin/sh', 'new']);
    expect(run.console('a')).toContain('No such file or directory');
    expect(readFileSync('/etc/passwd', 'utf8')).toBe(before);
    expect(existsSync(strange)).toBe(false);
    expect(existsSync('/etc/hostname')).toBe(true);
    expect(readFileSync(mine, 'utf8')).toBe('as it was\n');
  });
});
