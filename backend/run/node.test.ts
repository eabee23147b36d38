// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { encodeFromGuest } from '../../protocols/agent/index.js';
import { ConsoleFeature, featureBit } from '../../protocols/virtio/index.js';
import { Calendar, NEVER } from '../calendar/index.js';
import { AGENT_PORT, CONSOLE_PORT, type VirtioDevice } from '../devices/index.js';
import { MmioDriver } from '../devices/testing/mmio-driver.js';
import type { OneclockError } from '../errors.js';
import { loadTopology } from '../topology/index.js';
import type { NodeSpec } from '../topology/model.js';
import { RunNode } from './node.js';

const OUT = 0x8_0000;

/** A node whose guest writes to the ports of its console. */
function world() {
  const { topology } = loadTopology('name: t\nuntil: 1s\nnodes: { a: { kind: kvm } }\n', 't.yaml');
  const log: string[] = [];
  let alive = true;
  const domain = new Calendar({
    jobs: 1,
    until: NEVER,
    activated: () => undefined,
    barrier: () => undefined,
    ended: () => undefined,
  }).addDomain();
  const node = new RunNode(topology?.nodes[0] as NodeSpec, domain, {
    acts: () => alive,
    transmit: () => undefined,
    console: (_node, bytes) => log.push(`console ${bytes.length}`),
    drive: () => undefined,
    released: () => undefined,
    reported: (_node, { type }) => log.push(type),
    failed: (failed: RunNode, error: OneclockError) => {
      alive = false;
      failed.state = 'evicted';
      log.push(error.message);
    },
  });
  const driver = new MmioDriver(node.devices[0] as VirtioDevice);
  driver.start(6, featureBit(ConsoleFeature.MULTIPORT));
  const write = (port: number, bytes: Uint8Array) => {
    const queue = port === CONSOLE_PORT ? 1 : 5;
    driver.memory.set(bytes, OUT);
    driver.queues[queue]?.add([{ address: OUT, length: bytes.length }]);
    driver.kick(queue);
  };
  return { node, log, write };
}

describe('a node', () => {
  it('is as its guest reports', () => {
    const { node, log, write } = world();
    const reports = [{ type: 'ready' }, { type: 'exited', code: 7 }] as const;
    write(AGENT_PORT, Buffer.concat(reports.map(encodeFromGuest)));
    expect(log).toEqual(['ready', 'exited']);
    expect(node).toMatchObject({ state: 'exited', exit: 7 });
  });

  it('hears nothing more of a guest that has failed by a message, not even what came with it', () => {
    const { node, log, write } = world();
    const reports = [
      { type: 'failed', text: 'no' },
      { type: 'exited', code: 0 },
    ] as const;
    write(AGENT_PORT, Buffer.concat(reports.map(encodeFromGuest)));
    expect(log).toEqual(['its init failed: no']);
    expect(node).toMatchObject({ state: 'evicted', exit: undefined });
  });

  it('says why its kernel died in one line of printable characters', () => {
    const { node, write } = world();
    write(CONSOLE_PORT, Buffer.from('[1.0] Kernel panic - not syncing: why\u001b[2J\r\nmore'));
    expect(node.panic).toBe('Kernel panic - not syncing: why');
  });
});
