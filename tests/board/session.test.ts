// SPDX-License-Identifier: MIT
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { OneclockError } from '../../backend/errors.js';
import { boardErrno } from '../../backend/participants/board-link.js';
import { processesOf } from '../support/processes.js';
import { until } from '../support/wait.js';
import { rejection, TestBoard } from './support.js';

const { SIGTERM } = constants.signals;

describe('runs', () => {
  test('a command is registered with its descendants before it begins, and its end comes after its output', async () => {
    const board = await TestBoard.start();
    const test = await board.link();
    const { run, pid, time } = await test.link.start(
      'echo $PPID $$; echo err >&2; echo more >/dev/stderr; exit 7',
    );
    expect(board.device.writes).toEqual([`pids +${pid}/tree`]);
    expect(time.monotonicNs).toBeLessThanOrEqual(process.hrtime.bigint());
    const end = await test.event('exited');
    expect(end).toMatchObject({ type: 'exited', run, code: 7 });
    expect(test.console(run)).toBe(`${process.pid} ${pid}\nerr\nmore\n`);
    expect(test.events.at(-1)).toBe(end);
    expect(end.time.monotonicNs).toBeGreaterThanOrEqual(time.monotonicNs);
  });

  test('a command that cannot be registered never begins', async () => {
    const board = await TestBoard.start();
    board.device.failing.set('change', 'ENOMEM');
    const test = await board.link();
    const mark = `/tmp/oneclock-never-${process.pid}`;
    const error = await rejection(test.link.start(`echo begun; : ${mark}; sleep 100`));
    expect(boardErrno(error)).toBe('ENOMEM');
    await until('its shell has gone', () =>
      processesOf('', '/').every(({ command }) => !command.includes(mark)) ? true : undefined,
    );
    await test.link.status();
    expect(test.events).toEqual([]);
  });

  test('without the module there is no virtual time to start in', async () => {
    const board = await TestBoard.start();
    board.device.loaded = false;
    const { link } = await board.link();
    expect(boardErrno(await rejection(link.start('true')))).toBe('ENOENT');
  });

  test('a signal reaches the whole process group; which one ended it is told', async () => {
    const board = await TestBoard.start();
    const test = await board.link();
    const { run } = await test.link.start('sleep 1000 & echo up; wait');
    await test.event('console');
    await test.link.signal(run, SIGTERM);
    expect(await test.event('exited')).toMatchObject({ run, signal: SIGTERM });
    expect(boardErrno(await rejection(test.link.signal(run, SIGTERM)))).toBe('ESRCH');
    expect(boardErrno(await rejection(test.link.signal(99, SIGTERM)))).toBe('ESRCH');
  });

  test('several runs at once are told apart', async () => {
    const board = await TestBoard.start();
    const test = await board.link();
    const runs = await Promise.all(
      [1, 2, 3].map((code) => test.link.start(`echo run ${code}; exit ${code}`)),
    );
    expect((await test.link.status()).runs.length).toBeLessThanOrEqual(3);
    for (const [index, { run }] of runs.entries()) {
      const end = await test.event('exited', (event) => event.run === run);
      expect(end).toMatchObject({ code: index + 1 });
      expect(test.console(run)).toBe(`run ${index + 1}\n`);
    }
    expect((await test.link.status()).runs).toEqual([]);
  });

  test('output that descendants write after the end still comes', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'board-test-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const gate = join(folder, 'gate');
    execFileSync('mkfifo', [gate]);
    const board = await TestBoard.start({ drainMs: 1 });
    const test = await board.link();
    const { run } = await test.link.start(`(read -r _ <${gate}; echo late) & echo soon`);
    await test.event('exited');
    expect(test.console(run)).toBe('soon\n');
    writeFileSync(gate, 'go\n');
    await until('the late output', () => (test.console(run) === 'soon\nlate\n' ? true : undefined));
  });

  test('much output comes whole and in order, though less than that is kept at a time', async () => {
    const board = await TestBoard.start({ keptBytes: 20_000 });
    const test = await board.link({ bounds: { acknowledgeBytes: 5_000 } });
    const { run } = await test.link.start('i=0; while [ $i -lt 20000 ]; do echo $i; i=$((i+1)); done');
    await test.event('exited');
    expect(test.console(run)).toBe(Array.from({ length: 20_000 }, (_, index) => `${index}\n`).join(''));
    const consoles = test.events.filter((event) => event.type === 'console');
    expect(consoles.every(({ dropped }) => dropped === 0n)).toBe(true);
  });

  test('what a release kills: the group, and also what has left it', async () => {
    const board = await TestBoard.start();
    const test = await board.link();
    await test.link.start('setsid sleep 1234.5 & sleep 1234.5 & echo up; wait');
    await test.event('console');
    const left = () => processesOf('', '/').filter(({ command }) => command.includes('sleep 1234.5'));
    await until('both are there', () => (left().length >= 2 ? true : undefined));
    await test.link.release();
    await until('none is there', () => (left().length === 0 ? true : undefined));
    expect(board.device.registered.size).toBe(0);
  });
});

describe('the module', () => {
  test('is loaded once, and unloaded', async () => {
    const board = await TestBoard.start();
    board.device.loaded = false;
    const { link } = await board.link();
    expect((await link.status()).loaded).toBe(false);
    expect(await link.loadModule({ pause: 'PH7', signal: 'PI3' })).toBe(false);
    expect(board.module.parameters).toEqual({ pause: 'PH7', resume: '', signal: 'PI3', periodMs: 0 });
    expect(await link.loadModule({ pause: 'PH7', signal: 'PI3' })).toBe(true);
    const error = await rejection(link.loadModule({ pause: 'PH8', signal: 'PI3' }));
    expect(boardErrno(error)).toBe('EBUSY');
    expect(error.message).toContain('unload it first');
    await link.unloadModule();
    await link.unloadModule();
    expect(board.module.parameters).toBeUndefined();
  });

  test('what the kernel says to loading is the answer', async () => {
    const board = await TestBoard.start();
    board.module.failing = 'ENODEV';
    const { link } = await board.link();
    const error = await rejection(link.loadModule({ pause: 'no-such-line' }));
    expect(error).toBeInstanceOf(OneclockError);
    expect((error as OneclockError).code).toBe('PARTICIPANT');
    expect(error.message).toMatch(/^bp1: ENODEV: /);
    expect(boardErrno(error)).toBe('ENODEV');
  });

  test('pauses are told from when it is loaded', async () => {
    const board = await TestBoard.start();
    board.device.loaded = false;
    const test = await board.link();
    await test.link.loadModule({ pause: 'PH7' });
    board.device.edge(true);
    expect(await test.event('paused')).toMatchObject({ number: 1n, latencyNs: 40_000n, spreadNs: 2_000n });
  });
});

describe('settings and processes', () => {
  test('are written as the module wants them', async () => {
    const board = await TestBoard.start();
    const { link } = await board.link();
    await link.configure({ tdf: 2000, watchdogMs: 500, method: 'stop' });
    await link.configure({});
    await link.register([
      { pid: 12, tree: true },
      { pid: 13, tree: false },
    ]);
    await link.unregister([13]);
    expect(board.device.writes).toEqual([
      'method stop',
      'watchdog_ms 500',
      'tdf 2000',
      'pids +12/tree',
      'pids +13',
      'pids -13',
    ]);
    await link.release();
    expect(board.device.writes.slice(6)).toEqual(['mode unfreeze', 'pids -12']);
  });

  test.each([
    ['a factor of 0', { tdf: 0 }, 'EINVAL'],
    ['a watchdog of more than a day', { watchdogMs: 86_400_001 }, 'ERANGE'],
    ['no such method', { method: 'wish' }, 'EINVAL'],
  ])('%s is refused by the kernel, and its errno comes', async (_, settings, errno) => {
    const board = await TestBoard.start();
    const { link } = await board.link();
    const error = await rejection(link.configure(settings));
    expect(boardErrno(error)).toBe(errno);
    expect(error.message).toMatch(new RegExp(`^bp1: ${errno}`));
  });

  test('a process that is not there: none is registered', async () => {
    const board = await TestBoard.start();
    board.device.existing = new Set([12]);
    const { link } = await board.link();
    const error = await rejection(
      link.register([
        { pid: 12, tree: false },
        { pid: 13, tree: false },
      ]),
    );
    expect(boardErrno(error)).toBe('ESRCH');
    expect(board.device.registered.size).toBe(0);
    expect(boardErrno(await rejection(link.unregister([12])))).toBe('ESRCH');
  });

  test('what the protocol does not allow is never sent', async () => {
    const board = await TestBoard.start();
    const test = await board.link();
    for (const request of [
      test.link.register([]),
      test.link.start('x'.repeat(32_769)),
      test.link.signal(1, 65),
    ]) {
      const error = await rejection(request);
      expect((error as OneclockError).code).toBe('INPUT');
      expect(error.message).toMatch(/^bp1: expected a /);
    }
    await test.link.status();
    expect(test.connections).toEqual([undefined]);
  });

  test.each(['measurements', 'settings', 'frozen'] as const)(
    'a status with %s that fails says why',
    async (method) => {
      const board = await TestBoard.start();
      board.device.failing.set(method, 'EIO');
      const { link } = await board.link();
      expect(boardErrno(await rejection(link.status()))).toBe('EIO');
    },
  );
});

describe('freezing', () => {
  test('pauses and their ends are told with their numbers, and status adds them up', async () => {
    const board = await TestBoard.start();
    const test = await board.link();
    const { device } = board;
    device.edge(true);
    expect(await test.event('paused')).toEqual({
      type: 'paused',
      number: 1n,
      pausedAtNs: 1_000_000_000n,
      latencyNs: 40_000n,
      spreadNs: 2_000n,
    });
    expect((await test.link.status()).frozen).toBe(true);
    device.nowNs += 5_000_000n;
    device.edge(false);
    expect(await test.event('resumed')).toEqual({
      type: 'resumed',
      number: 1n,
      pausedAtNs: 1_000_000_000n,
      resumedAtNs: 1_005_000_000n,
      latencyNs: 30_000n,
      frozenNs: 5_000_000n,
      watchdogReleases: 0n,
    });
    expect(await test.link.status()).toMatchObject({
      loaded: true,
      frozen: false,
      pauses: 1n,
      resumes: 1n,
      edges: 2n,
      frozenNs: 5_000_000n,
      pauseLatency: { lastNs: 40_000n, worstNs: 50_000n },
      clock: 'hidden',
      tracking: 'events',
      tdf: 1000,
    });
  });

  test('a release by the watchdog is seen', async () => {
    const board = await TestBoard.start();
    const test = await board.link();
    board.device.edge(true);
    await test.event('paused');
    board.device.watchdog();
    expect(await test.event('resumed')).toMatchObject({ number: 1n, watchdogReleases: 1n });
  });

  test('the controller may raise the line of the board', async () => {
    const board = await TestBoard.start();
    const test = await board.link();
    await test.link.setMode(true);
    await test.event('paused');
    await test.link.setMode(false);
    await test.event('resumed');
    board.device.hasSignal = false;
    expect(boardErrno(await rejection(test.link.setMode(true)))).toBe('ENODEV');
  });

  test('a module that cannot be read is a problem that is told once', async () => {
    const board = await TestBoard.start({ frozenPollMs: 1 });
    const test = await board.link();
    board.device.failing.set('lastPause', 'EIO');
    board.device.edge(true);
    expect(await test.event('problem')).toMatchObject({ errno: 'EIO' });
    await test.link.status();
    expect(test.events.filter(({ type }) => type === 'problem')).toHaveLength(1);
  });

  test('a kernel without inotify is a problem that is told', async () => {
    const board = await TestBoard.start();
    board.device.failing.set('watch', 'ENOSYS');
    const test = await board.link();
    expect(await test.event('problem')).toMatchObject({ errno: 'ENOSYS' });
    expect((await test.link.status()).pauses).toBe(0n);
  });
});

describe('the clock', () => {
  test('is compared by four time stamps; here both are the same one', async () => {
    const board = await TestBoard.start();
    const { link } = await board.link();
    expect(link.clockOffset()).toBeUndefined();
    const sample = await link.sampleClock();
    expect(sample.time.frozenNs).toBe(0n);
    for (let more = 0; more < 5; more++) await link.sampleClock();
    const offset = link.clockOffset();
    if (offset === undefined) throw new Error('no offset');
    const { offsetNs, uncertaintyNs } = offset;
    expect(offsetNs < 0n ? -offsetNs : offsetNs).toBeLessThanOrEqual(uncertaintyNs);
  });

  test('heartbeats sample it by themselves', async () => {
    const board = await TestBoard.start();
    const { link } = await board.link({ bounds: { heartbeatMs: 5 } });
    await until('there is an offset', () => link.clockOffset());
  });

  test('virtual time stands still while the board is frozen', async () => {
    const board = await TestBoard.start();
    const { link } = await board.link();
    board.device.edge(true);
    board.device.nowNs += 7_000_000n;
    expect((await link.sampleClock()).time.frozenNs).toBe(7_000_000n);
  });
});

describe('the end of a link', () => {
  test('every request fails after it, and nothing else is said', async () => {
    const board = await TestBoard.start();
    const test = await board.link();
    const pending = rejection(test.link.start('sleep 100'));
    test.link.close();
    expect((await pending).message).toBe('bp1: the link was closed');
    for (const error of [await rejection(test.link.status()), await rejection(test.link.sampleClock())]) {
      expect(error.message).toBe('bp1: the link was closed');
    }
    expect(test.failures).toEqual([]);
  });

  test('an answer that does not come is waited for no longer than the bound', async () => {
    const board = await TestBoard.start();
    const { link } = await board.link({ bounds: { moduleMs: 50 } });
    board.module.load = () => new Promise(() => undefined);
    board.device.loaded = false;
    const error = await rejection(link.loadModule({ pause: 'PH7' }));
    expect(error.message).toBe('bp1: expected an answer to loadModule within 50 ms, found none');
  });

  test('what the release could not do is the answer', async () => {
    const board = await TestBoard.start();
    const { link } = await board.link();
    await link.register([{ pid: 12, tree: false }]);
    board.device.failing.set('setMode', 'EIO');
    const error = await rejection(link.release());
    expect(error.message).toContain('lowering the signal line: EIO');
    expect(board.device.registered.size).toBe(0);
  });
});
