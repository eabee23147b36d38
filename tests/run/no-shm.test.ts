// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest';
import { Workspace } from '../support/cli.js';

const topology = (a: string, b: string | undefined, cable: string) => `
name: modes
until: 20s
nodes:
  a: { kind: uml, interfaces: { eth0: { address: 10.0.0.1/24 } }, run: ${a} }
  b: { kind: uml, interfaces: { eth0: { address: 10.0.0.2/24 } }${b === undefined ? '' : `, run: ${b}`} }
links:
  - { name: ab, between: [a.eth0, b.eth0], ${cable} }
`;

const TOPOLOGIES = {
  ping: topology('ping -c 30 -i 0.01 10.0.0.2', undefined, 'latency: 1ms, rate: 100mbit'),
  'a TCP stream': topology(
    'stream send 10.0.0.2 5001 200K',
    'stream listen 5001',
    'latency: 2ms, rate: 20mbit',
  ),
  'ping with loss and jitter': topology(
    'ping -c 50 -i 0.01 -W 1 10.0.0.2',
    undefined,
    'latency: 1ms, rate: 10mbit, loss: 5%, jitter: 1ms',
  ),
  'ping over a link without latency': topology('ping -c 10 -i 0.01 10.0.0.2', undefined, 'latency: 0s'),
};

describe('time by messages alone', () => {
  test.each(Object.entries(TOPOLOGIES))(
    '%s: the same frames at the same times as with shared memory',
    async (_name, yaml) => {
      const space = new Workspace();
      const shared = (await space.runTopology(yaml)).expectStatus(0);
      const messages = (await space.runTopology(yaml, ['--no-shm'])).expectStatus(0);
      const frames = (run: typeof shared) =>
        run
          .capture('ab')
          .map(({ at, end, direction, bytes }) => `${at} ${end} ${direction} ${bytes.toString('hex')}`);
      expect(frames(messages)).toEqual(frames(shared));
      for (const file of ['pcap/ab.pcapng', 'console/a.log', 'console/b.log']) {
        expect(
          messages
            .files()
            .get(file)
            ?.equals(shared.files().get(file) as Buffer),
          file,
        ).toBe(true);
      }
      expect(messages.result.virtualNs).toBe(shared.result.virtualNs);
      expect(messages.result.links).toEqual(shared.result.links);
    },
  );

  test('serial and parallel are the same', async () => {
    const space = new Workspace();
    const one = (await space.runTopology(TOPOLOGIES.ping, ['--no-shm'])).expectStatus(0);
    const other = (await space.runTopology(TOPOLOGIES.ping, ['--no-shm', '--serial'])).expectStatus(0);
    expect(other.result.traceHash).toBe(one.result.traceHash);
    expect((await space.run(['diff', one.out, other.out])).status).toBe(0);
  });
});
