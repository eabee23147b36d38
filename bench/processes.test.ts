// SPDX-License-Identifier: MIT
import { expect, it } from 'vitest';
import { allProcesses, countDescriptors, descendants, megabytes, readProcess } from './processes.js';

it('finds children and their children', () => {
  const all = [
    { pid: 1, parent: 0, name: 'init' },
    { pid: 5, parent: 3, name: 'stub' },
    { pid: 3, parent: 2, name: 'linux' },
    { pid: 2, parent: 1, name: 'node' },
    { pid: 9, parent: 1, name: 'other' },
  ];
  expect(descendants(2, all).map(({ pid }) => pid)).toEqual([3, 5]);
});

it('finds this process', () => {
  expect(allProcesses()).toContainEqual(expect.objectContaining({ pid: process.pid, parent: process.ppid }));
  expect(countDescriptors(process.pid)).toBeGreaterThan(2);
  expect(megabytes(readProcess(process.pid, 'status'), 'VmHWM')).toBeGreaterThan(1);
});

it('has nothing of a process that has ended', () => {
  expect(readProcess(0x7fff_ffff, 'status')).toBe('');
  expect(countDescriptors(0x7fff_ffff)).toBe(0);
});

it('reads kilobytes of 1024 bytes as megabytes of a million', () => {
  expect(megabytes('VmPeak:\t 2000 kB\nVmHWM:\t  1000 kB\n', 'VmHWM')).toBe(1.024);
  expect(megabytes('VmPeak:\t 2000 kB\n', 'VmHWM')).toBe(0);
});
