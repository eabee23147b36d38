// SPDX-License-Identifier: MIT
import { isIPv4, isIPv6 } from 'node:net';
import { Refusal } from './refusal.js';

/** An address of an interface, with the length of its subnet's prefix. */
export interface Address {
  /** As in the file: `10.0.0.1/24`. */
  readonly text: string;
  readonly version: 4 | 6;
  /** 32 or 128 bits. */
  readonly bits: bigint;
  readonly prefix: number;
}

export const ADDRESS_EXPECTED = 'an address with the length of its prefix, such as 10.0.0.1/24 or fd00::1/64';

/**
 * Reads an address in CIDR form.
 *
 * @returns the address; a refusal where it cannot be an interface's own; undefined where it is not in that form
 */
export function parseAddress(text: string): Address | Refusal | undefined {
  const [, host = '', length] = /^([0-9a-fA-F:.]{1,45})(?:\/(\d{1,4}))?$/.exec(text) ?? [];
  const version = isIPv4(host) ? 4 : isIPv6(host) ? 6 : undefined;
  if (version === undefined) return undefined;
  const width = version === 4 ? 32 : 128;
  if (length === undefined)
    return new Refusal(
      `expected ${ADDRESS_EXPECTED}; found '${text}'; add a length, such as ${host}/${width - 8}`,
    );
  const prefix = Number(length);
  if (prefix < 1 || prefix > width)
    return new Refusal(`expected a prefix length from 1 to ${width} for IPv${version}; found /${length}`);
  const bits = version === 4 ? ipv4Bits(host) : ipv6Bits(host);
  const fault = faultOf(version, bits, prefix);
  if (fault !== undefined)
    return new Refusal(`expected the address of one interface; found '${text}', which is ${fault}`);
  return { text, version, bits, prefix };
}

/** Why an interface cannot have the address `bits`; undefined where it can. */
function faultOf(version: 4 | 6, bits: bigint, prefix: number): string | undefined {
  if (version === 4) {
    const first = bits >> 24n;
    if (first === 0n) return 'in the range 0.0.0.0/8, "this network"';
    if (first === 127n) return 'a loopback address';
    if (first >= 224n && first < 240n) return 'a multicast address';
    if (first >= 240n) return 'in a reserved range';
  } else {
    if (bits === 0n) return 'the unspecified address';
    if (bits === 1n) return 'the loopback address';
    if (bits >> 120n === 0xffn) return 'a multicast address';
  }
  const width = version === 4 ? 32 : 128;
  if (prefix >= width - 1) return undefined;
  const mask = (1n << BigInt(width - prefix)) - 1n;
  if ((bits & mask) === 0n) return `the address of the network itself; choose another of the subnet`;
  // IPv6 has no broadcast address.
  if (version === 4 && (bits & mask) === mask) return 'the broadcast address; choose another of the subnet';
  return undefined;
}

/** True for addresses that mean something on one cable only: they may be used again elsewhere. */
export function isLinkLocal(address: Address): boolean {
  return address.version === 4 ? address.bits >> 16n === 0xa9fen : address.bits >> 118n === 0x3fan;
}

function ipv4Bits(host: string): bigint {
  return host.split('.').reduce((bits, part) => (bits << 8n) | BigInt(part), 0n);
}

function ipv6Bits(host: string): bigint {
  const [head = '', tail] = host.split('::');
  const before = groups(head);
  const after = tail === undefined ? [] : groups(tail);
  const zeros: bigint[] = new Array(Math.max(0, 8 - before.length - after.length)).fill(0n);
  return [...before, ...zeros, ...after].reduce((bits, group) => (bits << 16n) | group, 0n);
}

/** The 16-bit groups of a part of an IPv6 address; its end may be written as an IPv4 address. */
function groups(part: string): bigint[] {
  if (part === '') return [];
  return part.split(':').flatMap((group) => {
    if (!group.includes('.')) return [BigInt(`0x${group}`)];
    const bits = ipv4Bits(group);
    return [bits >> 16n, bits & 0xffffn];
  });
}
