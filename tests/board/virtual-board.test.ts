// SPDX-License-Identifier: MIT
import { existsSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { BoardLink } from '../../backend/participants/board-link.js';
import { packageFile } from '../../host/package-root.js';
import type { BoardStatus } from '../../protocols/board/index.js';
import { processesOf } from '../support/processes.js';
import { until } from '../support/wait.js';
import { rejection, type TestLink } from './support.js';
import { FIRST_LINE, LINE, TestVirtualBoard } from './virtual-support.js';

const now = process.hrtime.bigint;
/** Counts, and would count by 25 while it is watched. */
const COUNTING = 'i=0; while :; do i=$((i+1)); echo $i; sleep 0.01; done';
const WATCHED_MS = 250;

/** Whether the board is frozen is another's word and comes when it comes. */
async function whenFrozen(link: BoardLink, frozen: boolean): Promise<BoardStatus> {
  for (const end = performance.now() + 20_000; performance.now() < end; ) {
    const status = await link.status();
    if (status.frozen === frozen) return status;
  }
  throw new Error(`not within 20 s: the board is ${frozen ? '' : 'not '}frozen`);
}

/** The last number that a run that counts has written. */
function counted(test: TestLink, run: number): number {
  return Number(test.console(run).trimEnd().split('\n').at(-1));
}

/** Waits until a run that counts has got further than `from`. */
function countsOn(test: TestLink, run: number, from: number): Promise<true> {
  return until('it counts on', () => (counted(test, run) > from ? true : undefined));
}

/** Nothing of the board runs any more. */
function withoutProcesses({ path }: TestVirtualBoard): Promise<true> {
  return until('its processes are gone', () => (processesOf(path, path).length === 0 ? true : undefined));
}

describe('a virtual board', () => {
  test('freezes and goes on with the level of its wire, and its processes with it', async () => {
    const board = new TestVirtualBoard();
    const test = await board.ready();
    await test.link.configure({ watchdogMs: 60_000 });
    const { run } = await test.link.start(COUNTING);
    await countsOn(test, run, 0);
    expect(await test.link.status()).toMatchObject({ loaded: true, frozen: false, pauses: 0n, runs: [run] });

    const raised = now();
    board.sensePause(1);
    const paused = await test.event('paused');
    const heard = now();
    expect(paused.number).toBe(1n);
    // Later than any output from before the pause.
    await pause(WATCHED_MS);
    const standing = counted(test, run);
    await pause(WATCHED_MS);
    expect(counted(test, run)).toBe(standing);
    expect(await test.link.status()).toMatchObject({ frozen: true, pauses: 1n, resumes: 0n, edges: 1n });

    const lowered = now();
    board.sensePause(0);
    const resumed = await test.event('resumed');
    const heardAgain = now();
    expect(resumed.number).toBe(1n);
    expect(resumed.frozenNs).toBeGreaterThanOrEqual(lowered - heard);
    expect(resumed.frozenNs).toBeLessThanOrEqual(heardAgain - raised);
    await countsOn(test, run, standing);
    expect(await test.link.status()).toMatchObject({
      frozen: false,
      pauses: 1n,
      resumes: 1n,
      edges: 2n,
      watchdogReleases: 0n,
      frozenNs: resumed.frozenNs,
    });
    expect(board.failures).toEqual([]);
  });

  test('freezes by its own line, when the wire brings that back', async () => {
    const board = new TestVirtualBoard();
    const { link } = await board.ready();
    const signal = (level: 0 | 1) =>
      until(`its signal line is ${level}`, () => {
        const [, last] = board.drives.findLast(([line]) => line === LINE.SIGNAL) ?? [];
        return last === level ? true : undefined;
      });
    await signal(0);
    await link.setMode(true);
    await signal(1);
    // By itself, nothing has come of it.
    expect(await link.status()).toMatchObject({ frozen: false, edges: 0n });
    board.sensePause(1);
    await whenFrozen(link, true);
    await link.setMode(false);
    await signal(0);
    expect((await link.status()).frozen).toBe(true);
    board.sensePause(0);
    expect(await whenFrozen(link, false)).toMatchObject({ pauses: 1n, resumes: 1n, edges: 2n });
    await link.unloadModule();
    expect(board.drives.at(-1)).toEqual([LINE.SIGNAL, undefined]);
  });

  test('has lines that programs of this machine use, and a network card', async () => {
    const board = new TestVirtualBoard();
    const test = await board.ready();
    const { drives, gpio, net, frames } = board;
    const onoff = packageFile('node_modules/onoff/onoff.js');
    const script = `
      const { Gpio } = require(${JSON.stringify(onoff)});
      const line = new Gpio(${FIRST_LINE + LINE.OTHER}, "in", "both");
      console.log("begins with " + line.readSync());
      line.watch((error, value) => {
        console.log("edge to " + value);
        if (error || value === 0) line.unexport();
      });`;
    const { run } = await test.link.start(`exec ${process.execPath} -e '${script}'`);
    const said = (text: string) =>
      until(`it says ${text}`, () => (test.console(run).includes(text) ? true : undefined));
    await said('begins with 0');
    gpio.sense(LINE.OTHER, 1);
    await said('edge to 1');
    gpio.sense(LINE.OTHER, 0);
    await said('edge to 0');
    expect(await test.event('exited')).toMatchObject({ run, code: 0 });
    expect(drives.every(([line]) => line === LINE.SIGNAL)).toBe(true);

    // By Ethernet it asks first who has that address.
    const send = `require("dgram").createSocket("udp4").send("x", 9, "10.0.0.2", function () { this.close(); })`;
    await test.link.start(`exec ${process.execPath} -e '${send}'`);
    const asks = (frame: Uint8Array) => frame.slice(38, 42).join('.') === '10.0.0.2';
    await until('it asks for the address', () => (frames.some(asks) ? true : undefined));
    const carrier = async () => {
      const cat = await test.link.start('cat /sys/class/net/eth0/carrier');
      await test.event('exited', (event) => event.run === cat.run);
      return test.console(cat.run).trim();
    };
    const becomes = async (level: string) => {
      for (const end = performance.now() + 20_000; performance.now() < end; ) {
        if ((await carrier()) === level) return;
      }
      throw new Error(`not within 20 s: the carrier is ${level}`);
    };
    expect(await carrier()).toBe('1');
    // Each before the one before it is acknowledged.
    for (const up of [false, true, false]) net.setLink(up);
    await becomes('0');
    net.setLink(true);
    await becomes('1');
    expect(board.failures).toEqual([]);
  });

  test('sees of /tmp what it needs, and no more', async () => {
    const board = new TestVirtualBoard({ moved: true });
    const test = await board.ready();
    const folder = board.folder.path;
    const list = await test.link.start(`touch /tmp/ours; cd ${folder}; find . -type f; touch module/theirs`);
    // The module can be read there, and nothing can be written.
    expect(await test.event('exited', ({ run }) => run === list.run)).toMatchObject({ code: 1 });
    expect(test.console(list.run)).toMatch(/^\.\/module\/vtgpio\.ko\ntouch: .*Read-only file system\n$/);
    expect(existsSync(`${tmpdir()}/ours`)).toBe(false);
  });

  test('keeps its session when a connection is cut, and loses no output', async () => {
    const board = new TestVirtualBoard();
    const test = await board.ready();
    const { run } = await test.link.start(COUNTING);
    for (let cut = 1; cut <= 3; cut++) {
      await countsOn(test, run, counted(test, run) + 5);
      board.dialled.at(-1)?.destroy();
      await until('the connection is back', () => (test.connections.length > 2 * cut ? true : undefined));
    }
    await countsOn(test, run, counted(test, run) + 5);
    const numbers = test.console(run).trimEnd().split('\n').map(Number);
    expect(numbers).toEqual(numbers.map((_, index) => index + 1));
    expect(board.dialled).toHaveLength(4);
    expect(test.connections.map((lost) => lost === undefined)).toEqual([
      true,
      false,
      true,
      false,
      true,
      false,
      true,
    ]);
    expect(test.failures).toEqual([]);
  });

  test('lets nobody in who has another key', async () => {
    const board = new TestVirtualBoard();
    const error = await rejection(board.link(Buffer.alloc(32, 1)));
    expect(error.message).toBe('bp1: the agent at its relay has another key: give both the same key file');
    await (await board.link()).link.release();
  });

  test('carries much output, of which none is lost', async () => {
    const board = new TestVirtualBoard();
    const test = await board.ready();
    const { run } = await test.link.start('seq 0 199999');
    await test.event('exited', (event) => event.run === run);
    expect(test.console(run)).toBe(Array.from({ length: 200_000 }, (_, index) => `${index}\n`).join(''));
  });
});

describe('the end of a virtual board', () => {
  test('is told when its kernel is killed, and nothing is left', async () => {
    const board = new TestVirtualBoard();
    const test = await board.link();
    expect(board.board.alive).toBe(true);
    process.kill(board.board.pid as number, 'SIGKILL');
    expect((await board.failed()).message).toBe('its process ended by signal SIGKILL');
    expect(board.board.alive).toBe(false);
    expect(board.board.endedCpuMs).toBeGreaterThan(0);
    await until('the connection is lost', () => test.connections[1]);
    expect(readdirSync(board.path).filter((name) => name.startsWith('device'))).toEqual([]);
    await withoutProcesses(board);
    expect(board.failures).toHaveLength(1);
  });

  test('is told when its agent ends, by which signal', async () => {
    const board = new TestVirtualBoard();
    const test = await board.ready();
    // The agent may be gone before it can answer; but whatever else it answers is what went wrong.
    const refused = new Promise<never>((_, reject) => {
      test.link.start('kill -9 $PPID').catch(reject);
    });
    expect((await Promise.race([board.failed(), refused])).message).toBe('its agent ended by signal 9');
    await withoutProcesses(board);
  });

  test('is told when its kernel does not even begin', async () => {
    const board = new TestVirtualBoard({ kernel: '/bin/false' });
    expect((await board.failed()).message).toBe('its process ended with exit code 1');
  });

  test('by close() leaves no process and no file, and tells nobody', async () => {
    const board = new TestVirtualBoard();
    const test = await board.link();
    expect(existsSync(`${board.path}/device0`)).toBe(true);
    board.board.close();
    board.board.close();
    await withoutProcesses(board);
    expect(readdirSync(board.path).filter((name) => name.startsWith('device'))).toEqual([]);
    await until('the connection is lost', () => test.connections[1]);
    expect(board.failures).toEqual([]);
  });
});
