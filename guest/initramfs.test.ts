// SPDX-License-Identifier: MIT
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { OneclockError } from '../backend/errors.js';
import { MAX_RUN } from '../backend/topology/limits.js';
import type { InterfaceSpec, NodeSpec } from '../backend/topology/model.js';
import { describeGuest, formatDescription, type GuestDescription, writeInitramfs } from './initramfs.js';

const eth0: InterfaceSpec = {
  name: 'eth0',
  mac: Uint8Array.from([2, 0, 0, 0, 0, 0xa]),
  addresses: ['10.0.0.1/24', 'fd00::1/64'],
  mtu: 1500,
};
const guest: GuestDescription = {
  hostname: 'a',
  root: 'initramfs',
  interfaces: [eth0],
  run: 'ping 10.0.0.2',
};

describe('describeGuest', () => {
  test('takes from a node what its guest must know', () => {
    const node: NodeSpec = {
      name: 'a',
      index: 0,
      kind: 'uml',
      memory: 64 << 20,
      root: 'host',
      kernel: undefined,
      interfaces: [eth0],
      lines: [],
      run: 'true',
      expect: { exit: 0 },
      onFailure: 'fail',
    };
    const expected = { hostname: 'a', root: 'host', interfaces: [eth0], run: 'true' };
    expect(describeGuest(node)).toEqual(expected);
    expect(describeGuest(node, true)).toEqual({ ...expected, agent: true });
  });
});

describe('formatDescription', () => {
  test('writes one setting a line', () => {
    expect(formatDescription(guest)).toBe(
      [
        'hostname a',
        'root initramfs',
        'interface 02:00:00:00:00:0a eth0 1500',
        'address eth0 10.0.0.1/24',
        'address eth0 fd00::1/64',
        '',
      ].join('\n'),
    );
  });

  test('says of a relay and of files only where there are some', () => {
    expect(formatDescription({ ...guest, interfaces: [], relay: 7424, files: [], shown: ['/tmp/a'] })).toBe(
      'hostname a\nroot initramfs\nrelay 7424\nfiles\nshow /tmp/a\n',
    );
  });

  test('says of an agent only where there is one', () => {
    const alone = { ...guest, interfaces: [] };
    expect(formatDescription({ ...alone, agent: true })).toBe('hostname a\nroot initramfs\nagent\n');
    expect(formatDescription({ ...alone, agent: false })).toBe('hostname a\nroot initramfs\n');
  });

  const withInterface = (change: Partial<InterfaceSpec>): Partial<GuestDescription> => ({
    interfaces: [{ ...eth0, ...change }],
  });
  test.each<[string, Partial<GuestDescription>]>([
    ['a hostname with a line end', { hostname: 'a\nroot host' }],
    ['a hostname with a blank', { hostname: 'a b' }],
    ['an empty hostname', { hostname: '' }],
    ['a hostname of 65 characters', { hostname: 'a'.repeat(65) }],
    ['an interface name with a line end', withInterface({ name: 'eth0\n' })],
    ['an interface name with a slash', withInterface({ name: '../x' })],
    ['an interface name of 16 characters', withInterface({ name: 'e'.repeat(16) })],
    ['a MAC address of 5 bytes', withInterface({ mac: new Uint8Array(5) })],
    ['an MTU of 67', withInterface({ mtu: 67 })],
    ['an MTU that is no integer', withInterface({ mtu: 1500.5 })],
    ['an address without a prefix', withInterface({ addresses: ['10.0.0.1'] })],
    ['an address with a line end', withInterface({ addresses: ['10.0.0.1/24\n'] })],
    ['an IPv4 prefix of 33', withInterface({ addresses: ['10.0.0.1/33'] })],
    ['an address with a zone', withInterface({ addresses: ['fe80::1%eth0/64'] })],
    ['two interfaces of one name', { interfaces: [eth0, { ...eth0, mac: new Uint8Array(6) }] }],
    ['two interfaces with one MAC address', { interfaces: [eth0, { ...eth0, name: 'eth1' }] }],
    ['257 interfaces', { interfaces: manyInterfaces(257, 0) }],
    ['TCP port 0 for its relay', { relay: 0 }],
    ['TCP port 65536 for its relay', { relay: 65536 }],
    ['a folder to show with a blank', { shown: ['/tmp/a b'] }],
    ['a folder to show that is not absolute', { shown: ['tmp/a'] }],
    ['a folder to show with ..', { shown: ['/tmp/../etc'] }],
    ['5 folders to show', { shown: ['/1', '/2', '/3', '/4', '/5'] }],
    ['1028 addresses', { interfaces: manyInterfaces(257, 4) }],
  ])('refuses %s', (_, change) => {
    expect(() => formatDescription({ ...guest, ...change })).toThrow(OneclockError);
  });
});

describe('writeInitramfs', () => {
  const folder = mkdtempSync(join(tmpdir(), 'initramfs-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  /** What is written for `described` behind a base of these bytes. */
  function written(base: Uint8Array, described: GuestDescription): Buffer {
    writeFileSync(join(folder, 'base'), base);
    writeInitramfs(join(folder, 'base'), described, join(folder, 'initramfs'));
    return readFileSync(join(folder, 'initramfs'));
  }

  test('puts the guest behind the base, at a multiple of 4 bytes', () => {
    const initramfs = written(Uint8Array.from([1, 2, 3, 4, 5]), guest);
    expect([...initramfs.subarray(0, 8)]).toEqual([1, 2, 3, 4, 5, 0, 0, 0]);
    expect(initramfs.subarray(8, 14).toString()).toBe('070701');
    expect(initramfs.includes(`oneclock/node\0`)).toBe(true);
    expect(initramfs.includes('ping 10.0.0.2')).toBe(true);
  });

  test('gives the same bytes for the same node', () => {
    const base = new Uint8Array(512);
    expect(Buffer.compare(written(base, guest), written(base, guest))).toBe(0);
  });

  test('has no command file for a node without a command', () => {
    const initramfs = written(new Uint8Array(), { ...guest, run: undefined });
    expect(initramfs.includes('oneclock/run')).toBe(false);
  });

  test('has the files of the guest', () => {
    const content = Buffer.from('secret');
    const initramfs = written(new Uint8Array(), { ...guest, files: [{ name: 'key', mode: 0o600, content }] });
    const header = initramfs.lastIndexOf('070701', initramfs.indexOf('oneclock/files/key\0'));
    expect(initramfs.subarray(header + 14, header + 22).toString()).toBe('00008180');
    expect(initramfs.includes('secret')).toBe(true);
    const folder = { name: '../key', mode: 0o600, content };
    expect(() => written(new Uint8Array(), { ...guest, files: [folder] })).toThrow(OneclockError);
  });

  test('has modules, and their names in order', () => {
    const module = (name: string) => ({ name, content: Buffer.from(`is ${name}`) });
    const initramfs = written(new Uint8Array(), {
      ...guest,
      modules: [module('virtio_ring.ko'), module('virtio-rng.ko')],
    });
    expect(initramfs.includes('oneclock/modules/virtio-rng.ko\0')).toBe(true);
    expect(initramfs.includes('is virtio_ring.ko')).toBe(true);
    expect(initramfs.includes('virtio_ring.ko\nvirtio-rng.ko\n\0')).toBe(true);
    expect(written(new Uint8Array(), guest).includes('oneclock/modules')).toBe(false);
    for (const name of ['list', '../a.ko', 'a b.ko', 'a\nb.ko', '.ko', `${'x'.repeat(65)}.ko`]) {
      expect(() => written(new Uint8Array(), { ...guest, modules: [module(name)] })).toThrow(OneclockError);
    }
    const twice = [module('a.ko'), module('a.ko')];
    expect(() => written(new Uint8Array(), { ...guest, modules: twice })).toThrow(OneclockError);
  });

  test('takes a command of any bytes but zero, up to the limit', () => {
    const take = (run: string) => written(new Uint8Array(), { ...guest, run });
    expect(() => take('echo "ü"\n# \u0001\n')).not.toThrow();
    expect(() => take('x'.repeat(MAX_RUN))).not.toThrow();
    expect(() => take('x'.repeat(MAX_RUN + 1))).toThrow(
      'expected a command of at most 131071 bytes, found "131072 bytes"',
    );
    expect(() => take('a\0b')).toThrow(OneclockError);
  });
});

function manyInterfaces(count: number, addressesEach: number): InterfaceSpec[] {
  return Array.from({ length: count }, (_, index) => ({
    name: `eth${index}`,
    mac: Uint8Array.from([2, 0, 0, 0, index >> 8, index & 255]),
    addresses: Array.from(
      { length: addressesEach },
      (_, host) => `10.${index >> 8}.${index & 255}.${host + 1}/24`,
    ),
    mtu: 1500,
  }));
}
