// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest';
import { processesOf } from '../support/processes.js';
import { until } from '../support/wait.js';
import { Network, rejection, TestBoard } from './support.js';

/** A link notices a loss at once, and comes back at once. */
const QUICK = { firstPauseMs: 5, longestPauseMs: 20, heartbeatMs: 20 };

function alive(command: string): boolean {
  return processesOf('', '/').some((process) => process.command === command);
}

describe('a connection that is lost for a while', () => {
  test('nothing is lost, nothing is done twice, and processes go on', async () => {
    const board = await TestBoard.start();
    const network = await Network.open(board.port);
    const test = await board.link({ port: network.port, bounds: QUICK });
    const { run } = await test.link.start('i=0; while [ $i -lt 3000 ]; do echo $i; i=$((i+1)); done; exit 5');
    for (let times = 0; times < 5; times++) {
      const count = test.connections.length;
      network.cut();
      await test.link.configure({ tdf: 1001 + times });
      await until('it is back', () =>
        test.connections.length > count && test.connections.at(-1) === undefined ? true : undefined,
      );
    }
    expect(await test.event('exited')).toMatchObject({ run, code: 5 });
    expect(test.console(run)).toBe(Array.from({ length: 3000 }, (_, index) => `${index}\n`).join(''));
    expect(board.device.writes.filter((write) => write.startsWith('tdf'))).toEqual(
      [1001, 1002, 1003, 1004, 1005].map((tdf) => `tdf ${tdf}`),
    );
    expect(board.reports.join('\n')).not.toContain('is released');
    expect(test.failures).toEqual([]);
  });

  test('a request that is asked meanwhile is carried out afterwards', async () => {
    const board = await TestBoard.start();
    const network = await Network.open(board.port);
    const test = await board.link({ port: network.port, bounds: QUICK });
    network.cut(true);
    await board.reported(/is lost/);
    const configured = test.link.configure({ tdf: 1500 });
    expect((await rejection(test.link.sampleClock())).message).toContain('no connection');
    expect(board.device.writes).toEqual([]);
    network.restore();
    await configured;
    expect(board.device.writes).toEqual(['tdf 1500']);
  });

  test('a request whose time is over meanwhile is not carried out, and those after it are', async () => {
    const board = await TestBoard.start();
    const network = await Network.open(board.port);
    const test = await board.link({ port: network.port, bounds: { ...QUICK, requestMs: 200 } });
    await test.link.configure({ tdf: 1001 });
    network.cut(true);
    await until('it is noticed', () => test.connections[1]);
    const late = await rejection(test.link.configure({ tdf: 1002 }));
    expect(late.message).toBe('bp1: expected an answer to configure within 200 ms, found none');
    network.restore();
    await until('it is back', () => (test.connections.length === 3 ? true : undefined));
    await test.link.configure({ tdf: 1003 });
    expect(board.device.writes).toEqual(['tdf 1001', 'tdf 1003']);
    expect(test.failures).toEqual([]);
  });

  test('a freeze stays as it is', async () => {
    const board = await TestBoard.start();
    const network = await Network.open(board.port);
    const test = await board.link({ port: network.port, bounds: QUICK });
    board.device.edge(true);
    await test.event('paused');
    network.cut();
    await until('it is back', () => (test.connections.length === 3 ? true : undefined));
    expect((await test.link.status()).frozen).toBe(true);
    board.device.edge(false);
    await test.event('resumed');
  });

  test('a network that lets nothing through is noticed at both ends', async () => {
    const board = await TestBoard.start({ silentMs: 200 });
    const network = await Network.open(board.port);
    const test = await board.link({ port: network.port, bounds: { ...QUICK, silentMs: 100 } });
    network.stall();
    expect(await until('it is noticed', () => test.connections[1])).toBe('it has said nothing for 100 ms');
    await until('it is back', () => (test.connections.length === 3 ? true : undefined));
    expect((await test.link.status()).loaded).toBe(true);
    expect(board.reports.join('\n')).not.toContain('is released');
  });

  test('output beyond the bound is dropped, counted, and the process does not wait', async () => {
    const board = await TestBoard.start({ keptBytes: 10_000 });
    const network = await Network.open(board.port);
    const test = await board.link({ port: network.port, bounds: QUICK });
    const started = await test.link.start(
      'trap "go=1" USR1; echo ready; while [ -z "$go" ]; do sleep 0.01; done; head -c 1000000 /dev/zero | tr "\\0" x',
    );
    await test.event('console', (event) => event.run === started.run);
    network.cut(true);
    await board.reported(/is lost/);
    process.kill(started.pid, 'SIGUSR1');
    await until('its process has gone', () =>
      processesOf('', '/').every((process) => process.pid !== started.pid) ? true : undefined,
    );
    network.restore();
    await test.event('exited', (event) => event.run === started.run);
    const consoles = test.events.filter((event) => event.type === 'console' && event.run === started.run);
    const kept = consoles.reduce((sum, event) => sum + (event.type === 'console' ? event.data.length : 0), 0);
    const dropped = consoles.reduce(
      (sum, event) => sum + (event.type === 'console' ? event.dropped : 0n),
      0n,
    );
    expect(BigInt(kept) + dropped).toBe(1_000_006n);
    expect(dropped).toBeGreaterThan(800_000n);
    expect(test.events.at(-1)).toMatchObject({ type: 'exited', code: 0 });
  });
});

describe('a connection that does not come back', () => {
  test('the board is released when its time is over, and the link says so within its own', async () => {
    const board = await TestBoard.start({ releaseAfterMs: 100 });
    const network = await Network.open(board.port);
    const test = await board.link({ port: network.port, bounds: { ...QUICK, returnMs: 400 } });
    await test.link.start('exec sleep 4321.25');
    await until('it runs', () => (alive('sleep 4321.25') ? true : undefined));
    await test.link.setMode(true);
    await test.link.register([{ pid: 77, tree: true }]);
    network.cut(true);
    await board.reported(/is released: its controller did not come back/);
    await until('it is killed', () => (alive('sleep 4321.25') ? undefined : true));
    expect(board.device.frozen()).toBe(false);
    expect(board.device.registered.size).toBe(0);
    expect(board.device.writes.slice(-3)).toContain('mode unfreeze');
    const error = await test.failed();
    expect(error.message).toMatch(/^bp1: no connection to 127\.0\.0\.1:\d+ within 400 ms: /);
    expect((await rejection(test.link.status())).message).toBe(error.message);
    expect(test.failures).toHaveLength(1);
  });

  test('who comes back too late is told that the board was released', async () => {
    const board = await TestBoard.start({ releaseAfterMs: 30 });
    const network = await Network.open(board.port);
    const test = await board.link({ port: network.port, bounds: QUICK });
    network.cut(true);
    await board.reported(/is released/);
    network.restore();
    expect((await test.failed()).message).toBe(
      'bp1: its agent refused: the board was released, or the agent was started anew',
    );
  });

  test('an agent that was started anew does not know the session', async () => {
    const board = await TestBoard.start();
    const test = await board.link({ bounds: QUICK });
    const { port } = board;
    board.stop();
    await board.startAgent(port);
    expect((await test.failed()).message).toContain('the agent was started anew');
    expect((await rejection(test.link.status())).message).toContain('the agent was started anew');
  });

  test('everything is tried, whatever fails, and what failed is reported', async () => {
    const board = await TestBoard.start({ releaseAfterMs: 1 });
    const { link } = await board.link();
    await link.register([{ pid: 12, tree: false }]);
    board.device.failing.set('setMode', 'EIO');
    link.close();
    await board.reported(/is released: its controller did not come back/);
    expect(board.device.registered.size).toBe(0);
    expect(
      await board.reported(/could not be released in full: lowering the signal line: EIO/),
    ).toBeDefined();
  });

  test('a board without a signal line holds nothing up', async () => {
    const board = await TestBoard.start({ releaseAfterMs: 1 });
    board.device.hasSignal = false;
    const { link } = await board.link();
    link.close();
    await board.reported(/is released/);
    expect(board.reports.join('\n')).not.toContain('in full');
  });
});
