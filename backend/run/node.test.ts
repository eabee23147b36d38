// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { encodeFromGuest, encodeToGuest } from '../../protocols/agent/index.js';
import {
  CONTROL_BYTES,
  ConsoleFeature,
  ConsoleQueue,
  ControlEvent,
  featureBit,
  receiveQueueOf,
} from '../../protocols/virtio/index.js';
import { Calendar, NEVER } from '../calendar/index.js';
import { encodeControl } from '../devices/console-control.js';
import { AGENT_PORT, CONSOLE_PORT, MAX_PENDING_INPUT_BYTES, type VirtioDevice } from '../devices/index.js';
import { MmioDriver } from '../devices/testing/mmio-driver.js';
import type { OneclockError } from '../errors.js';
import { loadTopology } from '../topology/index.js';
import type { NodeSpec } from '../topology/model.js';
import { type NodeOwner, RunNode } from './node.js';

const OUT = 0x8_0000;
const IN = 0x9_0000;

/** A node whose guest writes to the ports of its console. */
function world(agent = false) {
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
  const owner: NodeOwner = {
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
  };
  const node = new RunNode(topology?.nodes[0] as NodeSpec, domain, owner, agent);
  const driver = new MmioDriver(node.devices[0] as VirtioDevice);
  driver.start(6, featureBit(ConsoleFeature.MULTIPORT));
  const write = (port: number, bytes: Uint8Array) => {
    const queue = port === CONSOLE_PORT ? 1 : 5;
    driver.memory.set(bytes, OUT);
    driver.queues[queue]?.add([{ address: OUT, length: bytes.length }]);
    driver.kick(queue);
  };
  const control = (id: number, event: number) => {
    driver.memory.set(encodeControl(id, event, 1), OUT);
    driver.queues[ConsoleQueue.CONTROL_TRANSMIT]?.add([{ address: OUT, length: CONTROL_BYTES }]);
    driver.kick(ConsoleQueue.CONTROL_TRANSMIT);
  };
  /** What the guest, which opens `port` for that, reads from it. */
  const read = (port: number): Buffer => {
    control(port, ControlEvent.PORT_OPEN);
    const queue = receiveQueueOf(port);
    driver.queues[queue]?.add([{ address: IN, length: 4096, writable: true }]);
    driver.kick(queue);
    const [used] = driver.queues[queue]?.takeUsed() ?? [];
    return Buffer.from(driver.memory.subarray(IN, IN + (used?.length ?? 0)));
  };
  return { node, log, write, read };
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

  it('gives what is typed to whoever has the console open', () => {
    const { node, read } = world();
    expect(node.type(Buffer.from('ls\n'))).toBe(true);
    expect(node.type(new Uint8Array(MAX_PENDING_INPUT_BYTES))).toBe(false);
    expect(read(CONSOLE_PORT).toString()).toBe('ls\n');
  });

  it('has a session only where the run wants an agent', () => {
    const { node, log, write } = world();
    expect(node.session).toBeUndefined();
    write(AGENT_PORT, encodeFromGuest({ type: 'started', id: 1, pid: 2 }));
    expect(log).toEqual(['a: agent port: expected a report, found started']);
  });

  it('speaks with its agent by the agent port', () => {
    const { node, log, write, read } = world(true);
    const exec = () =>
      node.session?.exec(
        { command: 'true' },
        {
          ended: (end) => log.push(`ended ${JSON.stringify(end)}`),
          failed: ({ message }) => log.push(message),
        },
      );
    exec();
    exec();
    write(AGENT_PORT, encodeFromGuest({ type: 'ready' }));
    const sent = [1, 2].map((id) => encodeToGuest({ type: 'exec', id, command: 'true', credit: 262_144 }));
    expect(Buffer.compare(read(AGENT_PORT), Buffer.concat(sent))).toBe(0);
    const answers = [
      { type: 'started', id: 1, pid: 2 },
      { type: 'ended', id: 1, end: { code: 3 } },
    ] as const;
    write(AGENT_PORT, Buffer.concat(answers.map(encodeFromGuest)));
    node.gone('it is over');
    expect(log).toEqual(['ready', 'ended {"code":3}', 'a has gone: it is over']);
  });

  it('whose agent breaks the protocol has failed', () => {
    const { log, write } = world(true);
    write(AGENT_PORT, encodeFromGuest({ type: 'taken', bytes: 1 }));
    expect(log).toEqual(['a: agent: expected at most 0 bytes to be taken, found 1']);
  });
});
