// SPDX-License-Identifier: MIT
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { packageFile } from '../../host/package-root.js';
import { Workspace } from '../support/cli.js';
import { underLoad } from '../support/load.js';
import { expectSame } from '../support/same-run.js';

/** The machine has two cores: this many processes leave each guest a fraction of one. */
const LOAD = 4;

/** Two guests on a cable. The addresses are fixed, so that another seed changes nothing but luck. */
function pair(a: string, b: string | undefined, cable: string): string {
  const node = (number: number, run: string | undefined) =>
    `{ kind: uml, interfaces: { eth0: { address: 10.0.0.${number}/24, mac: "02:00:00:00:00:0${number}" } }` +
    `${run === undefined ? '' : `, run: ${JSON.stringify(run)}`} }`;
  return `
name: pair
seed: 7
until: 30s
nodes:
  a: ${node(1, a)}
  b: ${node(2, b)}
links:
  - { name: ab, between: [a.eth0, b.eth0], ${cable} }
`;
}

const LOSSY = 'latency: 1ms, rate: 10mbit, loss: 5%, jitter: 500us';

const TOPOLOGIES = {
  ping: pair('ping -c 30 -i 0.01 10.0.0.2', undefined, 'latency: 1ms, rate: 100mbit'),
  // Names are asked for in vain, by UDP.
  'ping and UDP, with loss and jitter': pair(
    'ping -c 100 -i 0.01 -W 1 10.0.0.2; nslookup example.org 10.0.0.2; true',
    undefined,
    LOSSY,
  ),
  'a TCP stream': pair(
    'stream send 10.0.0.2 5001 400K',
    'stream listen 5001',
    'latency: 2ms, rate: 20mbit, queue: 20',
  ),
  'a TCP stream, with loss and jitter': pair('stream send 10.0.0.2 5001 100K', 'stream listen 5001', LOSSY),
  // Both nodes in one domain: they run in turn.
  'ping over a link without latency': pair(
    'ping -c 20 -i 0.01 10.0.0.2',
    undefined,
    'latency: 0s, rate: 100mbit',
  ),
  'ten nodes on a switch, each pings every other': readFileSync(
    packageFile('examples/switch-10.yaml'),
    'utf8',
  ).replace('-c 3', '-c 1'),
};

describe('the same topology and seed give the same run', () => {
  test.each(Object.entries(TOPOLOGIES))('%s', async (_name, yaml) => {
    const space = new Workspace();
    const first = (await space.runTopology(yaml)).expectStatus(0);
    const again = async (args: readonly string[], how: string) => {
      const run = (await space.runOnce(yaml, args)).expectStatus(0);
      await expectSame(space, first, run, `${how} ${args.join(' ')}`);
    };
    await again([], 'again');
    await again(['--jobs', '2'], 'again');
    await underLoad(LOAD, async () => {
      for (const args of [[], ['--serial']]) await again(args, 'under load');
    });
  });

  test('a run does not depend on the folder it is in, nor on the environment', async () => {
    const space = new Workspace();
    const first = (await space.runTopology(TOPOLOGIES['a TCP stream'])).expectStatus(0);
    const elsewhere = new Workspace();
    const file = elsewhere.write('another-name-of-the-file.yaml', TOPOLOGIES['a TCP stream']);
    const out = `${elsewhere.path}/a-much-longer-name-of-the-run-directory`;
    const environment = { TZ: 'Asia/Tokyo', LANG: 'de_DE.UTF-8', HOME: '/', FILLER: 'x'.repeat(10_000) };
    const { status } = await elsewhere.run(['run', file, '--out', out], environment);
    expect(status).toBe(0);
    const { status: verdict, stdout } = await space.run(['diff', first.out, out]);
    expect(stdout).toBe('the runs are identical\n');
    expect(verdict).toBe(0);
  });
});

describe('another seed gives another run', () => {
  test('other frames are lost and delayed, and diff names the node, the event and the time', async () => {
    const space = new Workspace();
    const yaml = TOPOLOGIES['ping and UDP, with loss and jitter'];
    const one = (await space.runTopology(yaml)).expectStatus(0);
    const other = (await space.runTopology(yaml, ['--seed', '8'])).expectStatus(0);
    expect(other.result.seed).toBe(8);
    expect(other.result.traceHash).not.toBe(one.result.traceHash);
    expect(other.files().get('pcap/ab.pcapng')).not.toEqual(one.files().get('pcap/ab.pcapng'));
    const { status, stdout } = await space.run(['diff', one.out, other.out]);
    expect(status).toBe(1);
    expect(stdout).toContain('seed: 7 in A, 8 in B');
    expect(stdout).toMatch(/the first difference is event \d+:/);
    // The number of the event, its time, its node, and what it is.
    expect(stdout).toMatch(/\n {2}A #\d+ {2}\d+\.\d{9} {2}a {2}sends a frame of 42 bytes .* by eth0, \S+/);
    expect(stdout).toMatch(/\n {2}B #\d+ {2}\d+\.\d{9} {2}a {2}sends a frame of 42 bytes .* by eth0, \S+/);
  });

  test('diff finds nothing in two runs that are the same, and says so in JSON, too', async () => {
    const space = new Workspace();
    const one = (await space.runTopology(TOPOLOGIES.ping)).expectStatus(0);
    const other = (await space.runTopology(TOPOLOGIES.ping, ['--serial'])).expectStatus(0);
    expect((await space.run(['diff', one.out, other.out])).status).toBe(0);
    const { status, stdout } = await space.run(['diff', '--json', one.out, other.out]);
    expect(status).toBe(0);
    expect(JSON.parse(stdout).verdict).toBe('identical');
  });
});
