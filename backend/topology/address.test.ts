// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { isLinkLocal, parseAddress } from './address.js';
import { deriveMac, formatMac, parseMac } from './mac.js';
import { Refusal } from './refusal.js';

const NONE = { has: () => false };

describe('parseAddress', () => {
  it.each([
    ['10.0.0.1/24', 4, 0x0a000001n, 24],
    ['10.0.0.0/31', 4, 0x0a000000n, 31],
    ['10.0.0.255/32', 4, 0x0a0000ffn, 32],
    ['10.0.0.255/16', 4, 0x0a0000ffn, 16],
    ['fd00::1/64', 6, (0xfdn << 120n) | 1n, 64],
    ['FD00:0:0::0001/64', 6, (0xfdn << 120n) | 1n, 64],
    ['2001:db8:1:2:3:4:5:6/128', 6, 0x20010db8000100020003000400050006n, 128],
    ['::ffff:10.0.0.1/96', 6, 0xffff0a000001n, 96],
    ['fd00:::/64', undefined, 0n, 0],
    ['10.0.0.01/24', undefined, 0n, 0],
    ['10.0.0/24', undefined, 0n, 0],
    ['fe80::1%eth0/64', undefined, 0n, 0],
    ['host/24', undefined, 0n, 0],
    ['', undefined, 0n, 0],
  ] as const)('%s', (text, version, bits, prefix) => {
    expect(parseAddress(text)).toEqual(version === undefined ? undefined : { text, version, bits, prefix });
  });

  it.each([
    '10.0.0.1',
    '10.0.0.1/0',
    '10.0.0.1/33',
    'fd00::1/129',
    '10.0.0.0/24',
    '10.0.0.255/24',
    '0.0.0.1/24',
    '127.0.0.1/8',
    '224.0.0.1/24',
    '255.255.255.255/32',
    '::/64',
    '::1/128',
    'fd00::/64',
    'ff02::1/64',
  ])('refuses %s', (text) => {
    expect(parseAddress(text)).toBeInstanceOf(Refusal);
  });

  it.each([
    ['169.254.1.1/16', true],
    ['169.253.1.1/16', false],
    ['fe80::1/64', true],
    ['febf::1/64', true],
    ['fec0::1/64', false],
  ])('link-local %s: %s', (text, expected) => {
    const address = parseAddress(text);
    expect(address !== undefined && !(address instanceof Refusal) && isLinkLocal(address)).toBe(expected);
  });
});

describe('MAC addresses', () => {
  it('are derived from seed, node and interface, locally administered and unicast', () => {
    const mac = deriveMac(1n, 'a', 'eth0', NONE);
    expect(mac).toHaveLength(6);
    expect((mac[0] ?? 0) & 3).toBe(2);
    expect(formatMac(mac)).toBe(formatMac(deriveMac(1n, 'a', 'eth0', NONE)));
    const others = [
      deriveMac(2n, 'a', 'eth0', NONE),
      deriveMac(1n, 'b', 'eth0', NONE),
      deriveMac(1n, 'a', 'eth1', NONE),
    ];
    for (const other of others) expect(formatMac(other)).not.toBe(formatMac(mac));
  });

  it('are the next of a fixed series where one is taken', () => {
    const first = formatMac(deriveMac(1n, 'a', 'eth0', NONE));
    const taken = new Set([first]);
    const second = formatMac(deriveMac(1n, 'a', 'eth0', taken));
    expect(second).not.toBe(first);
    expect(formatMac(deriveMac(1n, 'a', 'eth0', taken))).toBe(second);
  });

  it('are read and written', () => {
    expect(parseMac('02:00:00:00:00:Ff')).toEqual(Uint8Array.of(2, 0, 0, 0, 0, 255));
    expect(formatMac(Uint8Array.of(2, 0, 0, 0, 0, 255))).toBe('02:00:00:00:00:ff');
    expect(parseMac('02:00:00:00:00')).toBeUndefined();
    expect(parseMac('00:00:00:00:00:00')).toBeInstanceOf(Refusal);
    expect(parseMac('ff:ff:ff:ff:ff:ff')).toBeInstanceOf(Refusal);
  });
});
