// SPDX-License-Identifier: MIT
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { packageFile } from '../package-root.js';
import { SysfsVtDevice } from './sysfs-vt-device.js';

/** A module that has paused twice and is paused a third time. */
const FILES: Readonly<Record<string, string>> = {
  mode: 'freeze',
  tdf: '1000',
  pids: '12/tree\n4194304',
  processes: '5',
  threads: '9',
  syncpause: '3',
  method: 'park',
  clock: 'hidden',
  tracking: 'events',
  watchdog_ms: '10000',
  watchdog_releases: '1',
  pauses: '3',
  resumes: '2',
  edges: '7',
  frozen_ns: '18446744073709551615',
  paused_at_ns: '3000',
  resumed_at_ns: '2500',
  pause_latency_ns: '40',
  pause_latency_worst_ns: '50',
  resume_latency_ns: '30',
  resume_latency_worst_ns: '35',
  pause_spread_ns: '2',
  pause_spread_worst_ns: '3',
  barrier_misses: '0',
};

class Tree {
  readonly root = mkdtempSync(join(tmpdir(), 'vt-'));
  readonly folder = join(this.root, 'VT7');
  readonly device = new SysfsVtDevice(7, this.root);

  constructor() {
    mkdirSync(this.folder);
    for (const [name, text] of Object.entries(FILES)) this.write(name, text);
    onTestFinished(() => rmSync(this.root, { recursive: true, force: true }));
  }

  write(name: string, text: string): void {
    writeFileSync(join(this.folder, name), `${text}\n`);
  }

  read(name: string): string {
    return readFileSync(join(this.folder, name), 'latin1');
  }
}

/** What `action` throws. */
function thrown(action: () => unknown): NodeJS.ErrnoException {
  try {
    action();
  } catch (error) {
    return error as NodeJS.ErrnoException;
  }
  throw new Error('nothing was thrown');
}

test('every file that is used is one that the module has', () => {
  const abi = readFileSync(packageFile('kmod/ABI/sysfs-vtgpio'), 'latin1');
  const described = [...abi.matchAll(/\/sys\/vt\/VT<N>\/(\w+)/g)].map(([, name]) => name);
  for (const name of Object.keys(FILES)) expect(described).toContain(name);
});

test('everything is read as the module writes it', () => {
  const { device, folder } = new Tree();
  expect(device.folder).toBe(folder);
  expect(device.present()).toBe(true);
  expect(device.frozen()).toBe(true);
  expect(device.listed()).toEqual([12, 4194304]);
  expect(device.settings()).toEqual({
    tdf: 1000,
    watchdogMs: 10000,
    method: 'park',
    clock: 'hidden',
    tracking: 'events',
  });
  expect(device.frozenNs()).toBe(18446744073709551615n);
  expect(device.lastPause()).toEqual({
    pauses: 3n,
    resumes: 2n,
    pausedAtNs: 3000n,
    resumedAtNs: 2500n,
    pauseLatencyNs: 40n,
    pauseSpreadNs: 2n,
    resumeLatencyNs: 30n,
    frozenNs: 18446744073709551615n,
    watchdogReleases: 1n,
  });
  expect(device.measurements()).toEqual({
    pauses: 3n,
    resumes: 2n,
    edges: 7n,
    watchdogReleases: 1n,
    barrierMisses: 0n,
    frozenNs: 18446744073709551615n,
    pauseLatency: { lastNs: 40n, worstNs: 50n },
    resumeLatency: { lastNs: 30n, worstNs: 35n },
    pauseSpread: { lastNs: 2n, worstNs: 3n },
    processes: 5,
    threads: 9,
  });
});

test('an empty list of processes is one', () => {
  const tree = new Tree();
  writeFileSync(join(tree.folder, 'pids'), '');
  expect(tree.device.listed()).toEqual([]);
});

test.each<[string, (device: SysfsVtDevice) => void, string, string]>([
  ['freeze', (device) => device.setMode(true), 'mode', 'freeze\n'],
  ['unfreeze', (device) => device.setMode(false), 'mode', 'unfreeze\n'],
  ['a factor', (device) => device.setTdf(2000), 'tdf', '2000\n'],
  ['a watchdog', (device) => device.setWatchdogMs(86_400_000), 'watchdog_ms', '86400000\n'],
  ['a method', (device) => device.setMethod('stop'), 'method', 'stop\n'],
  [
    'processes',
    (device) =>
      device.change([
        { type: 'add', pid: 123, tree: false },
        { type: 'remove', pid: 45 },
        { type: 'add', pid: 456, tree: true },
      ]),
    'pids',
    '+123 -45 +456/tree\n',
  ],
])('%s is written as the module reads it', (_, write, file, text) => {
  const tree = new Tree();
  writeFileSync(join(tree.folder, file), '');
  write(tree.device);
  expect(tree.read(file)).toBe(text);
});

test('as many processes as a message may have fit into one write', () => {
  const tree = new Tree();
  writeFileSync(join(tree.folder, 'pids'), '');
  tree.device.change(Array.from({ length: 256 }, () => ({ type: 'add', pid: 4_194_304, tree: true })));
  // A page: what is longer reaches the module in parts.
  expect(tree.read('pids').length).toBeLessThan(4096);
});

test('a module that is not loaded is not present, and no file is made', () => {
  const { root } = new Tree();
  const device = new SysfsVtDevice(8, root);
  expect(device.present()).toBe(false);
  for (const action of [
    () => device.frozen(),
    () => device.setMode(true),
    () => device.lastPause(),
    () => device.watch(() => undefined),
  ]) {
    expect(thrown(action).code).toBe('ENOENT');
  }
  expect(device.present()).toBe(false);
});

test.each([
  ['frozen_ns', 'many'],
  ['frozen_ns', '-1'],
  ['frozen_ns', '1 2'],
  ['frozen_ns', '9'.repeat(1000)],
  ['frozen_ns', ''],
])('%s with %j is named with what was expected', (file, text) => {
  const tree = new Tree();
  tree.write(file, text);
  const { message } = thrown(() => tree.device.frozenNs());
  expect(message).toContain(`${join(tree.folder, file)}: expected a number, found `);
  expect(message.length).toBeLessThan(300);
});

test('a word that is none of the words is named', () => {
  const tree = new Tree();
  tree.write('mode', 'frozen');
  expect(thrown(() => tree.device.frozen()).message).toContain('expected freeze or unfreeze, found "frozen"');
});

test('a change of mode is told, until the watch is closed', async () => {
  const tree = new Tree();
  let changed: () => void = () => undefined;
  const told = new Promise<void>((resolve) => {
    changed = resolve;
  });
  const watch = tree.device.watch(() => changed());
  appendFileSync(join(tree.folder, 'mode'), 'unfreeze\n');
  await told;
  changed = () => expect.unreachable();
  watch.close();
  appendFileSync(join(tree.folder, 'mode'), 'freeze\n');
});
