// SPDX-License-Identifier: MIT
import { expect, test } from 'vitest';
import { umlArguments } from './command-line.js';

const command = { memory: 64 << 20, initramfs: 'initramfs', devices: [{ socket: 'device0', type: 3 }] };

test('a guest in virtual time has its seed, and its time socket behind all else', () => {
  const args = umlArguments({ ...command, seed: 7n, timeSocket: 'time' });
  expect(args).toContain('um_seed=7');
  expect(args.slice(-2)).toEqual(['virtio_uml.device=device0:3', 'time-travel=ext:1:time']);
});

test('serial lines have the descriptors from 3 on, in their order', () => {
  const serial = [
    { name: 'ttyS0', channels: 3 },
    { name: 'tty1', channels: 3 },
    { name: 'ttyS12', channels: 2 },
  ];
  const args = umlArguments({ ...command, serial });
  expect(args.filter((word) => /^(con|ssl)\d/.test(word))).toEqual([
    'con0=null,fd:1',
    'ssl0=fd:3,fd:4,fd:5',
    'con1=fd:6,fd:7,fd:8',
    'ssl12=fd:9,fd:10',
  ]);
});

test('a guest in real time has neither, and all the rest', () => {
  const args = umlArguments(command);
  expect(args.join(' ')).not.toMatch(/seed|time/);
  const virtual = umlArguments({ ...command, seed: 7n, timeSocket: 'time' });
  expect(args).toEqual(virtual.filter((word) => !/^(um_seed|time-travel)=/.test(word)));
});
