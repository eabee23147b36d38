// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest';
import { Workspace } from '../support/cli.js';
import { peakMemory } from '../support/processes.js';
import { expectSame } from '../support/same-run.js';

const GUESTS = 200;
const MEGABYTE = 1 << 20;

/** Guests of the least memory on one switch; each pings the next. */
function crowd(): string {
  const address = (place: number) => `10.0.0.${(place % GUESTS) + 1}`;
  const nodes = Array.from({ length: GUESTS }, (_, place) => {
    const run = `ping -c 3 -i 0.1 ${address(place + 1)}`;
    return `  n${place}: { kind: uml, memory: 24M, interfaces: { eth0: { address: ${address(place)}/24 } }, run: ${run} }`;
  });
  const ports = Array.from({ length: GUESTS }, (_, place) => `n${place}.eth0`).join(', ');
  return `
name: crowd
nodes:
${nodes.join('\n')}
switches:
  - { name: lan, ports: [${ports}], latency: 100us, rate: 1gbit, queue: 1000 }
`;
}

describe('200 guests on one switch', () => {
  test('boot, resolve addresses and exchange traffic, and our process stays below 200 MB', async () => {
    const space = new Workspace();
    const started = space.startTopology(crowd());
    const peak = peakMemory(started.child.pid as number);
    const run = (await space.outcome(started)).expectStatus(0);
    for (let place = 0; place < GUESTS; place++) {
      expect(run.lines(`n${place}`).find((line) => line.includes('packets'))).toBe(
        '3 packets transmitted, 3 packets received, 0% packet loss',
      );
    }
    expect(run.link('lan').dropped).toBe(0);
    expect(await peak).toBeLessThan(200 * MEGABYTE);
    const serial = (await space.runOnce(crowd(), ['--serial'])).expectStatus(0);
    await expectSame(space, run, serial, 'one at a time');
  });
});
