// SPDX-License-Identifier: MIT
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { describeFrame, formatMac } from './frame.js';

const MACS = '020000000002 020000000001';
const ENDS = '02:00:00:00:00:01 > 02:00:00:00:00:02';
/** Total length 84, protocol and fragment field filled in, 10.0.0.1 to 10.0.0.2. */
const ipv4 = (protocol: string, fragment = '4000') =>
  `0800 45000054 0000${fragment} 40${protocol}0000 0a000001 0a000002`;
/** Payload length 64, fe80::1 to ff02::2. */
const ipv6 = (next: string) =>
  `86dd 60000000 0040${next}ff fe800000000000000000000000000001 ff020000000000000000000000000002`;

function bytes(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
}

/** What is said of a frame between the addresses and the size. */
function middle(hex: string): string {
  const frame = bytes(`${MACS} ${hex}`);
  const text = describeFrame(frame);
  expect(text.startsWith(`${ENDS} `)).toBe(true);
  expect(text.endsWith(` (${frame.length} bytes)`)).toBe(true);
  return text.slice(ENDS.length + 1, text.lastIndexOf(' ('));
}

describe('describeFrame', () => {
  test('says a whole line', () => {
    expect(describeFrame(bytes(`${MACS} ${ipv4('01')} 0800 0000 0007 0001`))).toBe(
      `${ENDS} IPv4 10.0.0.1 > 10.0.0.2 ICMP echo request id 7 seq 1 (42 bytes)`,
    );
  });

  test.each([
    [
      '0806 0001 0800 06 04 0001 020000000001 0a000001 000000000000 0a000002',
      'ARP who has 10.0.0.2, tell 10.0.0.1',
    ],
    [
      '0806 0001 0800 06 04 0002 020000000001 0a000001 020000000002 0a000002',
      'ARP reply from 10.0.0.1 to 10.0.0.2',
    ],
    ['0806 0001 0800 06 04 0009 020000000001 0a000001 020000000002 0a000002', 'ARP operation 9'],
    ['0806 0006 0800 06 04 0001 020000000001 0a000001 000000000000 0a000002', 'ARP not for IPv4'],
    ['0806 0001', 'ARP truncated'],
  ])('ARP: %s', (hex, text) => {
    expect(middle(hex)).toBe(text);
  });

  test.each([
    [`${ipv4('01')} 0000 0000 0007 0002`, 'ICMP echo reply id 7 seq 2'],
    [`${ipv4('01')} 0303 0000 0000 0000`, 'ICMP destination unreachable code 3'],
    [`${ipv4('01')} 2a01 0000 0000 0000`, 'ICMP type 42 code 1'],
    [`${ipv4('01')} 0800`, 'ICMP truncated'],
    [`${ipv4('11')} 1f90 0035 0010 0000`, 'UDP 8080 > 53 length 16'],
    [`${ipv4('11')} 1f90`, 'UDP truncated'],
    [
      `${ipv4('06')} 9c40 0050 00000001 fffffffe 5012 ffff 0000 0000 0102`,
      'TCP 40000 > 80 [SYN ACK] seq 1 ack 4294967294 length 2',
    ],
    [`${ipv4('06')} 9c40 0050 00000001 00000002 1012 ffff 0000 0000`, 'TCP malformed'],
    [`${ipv4('06')} 9c40 0050`, 'TCP truncated'],
    [`${ipv4('84')}`, 'protocol 132'],
    [`${ipv4('11', '2001')} 0000`, 'fragment at 8 of protocol 17'],
  ])('IPv4: %s', (hex, text) => {
    expect(middle(hex)).toBe(`IPv4 10.0.0.1 > 10.0.0.2 ${text}`);
  });

  test('IPv4: the padding of a short frame is not part of the packet', () => {
    const packet = '0800 45000028 00004000 40060000 0a000001 0a000002';
    const segment = '9c40 0050 00000001 00000002 5010 ffff 0000 0000';
    expect(middle(`${packet} ${segment} 000000000000`)).toContain('[ACK] seq 1 ack 2 length 0');
  });

  test.each([
    [`${ipv6('3a')} 8000 0000 0007 0003`, 'ICMPv6 echo request id 7 seq 3'],
    [
      `${ipv6('3a')} 8700 0000 00000000 20010db8000000000000000000000001`,
      'ICMPv6 neighbor solicitation for 2001:db8::1',
    ],
    [`${ipv6('3a')} 8500 0000 00000000`, 'ICMPv6 router solicitation code 0'],
    [`${ipv6('00')} 3a00050200000000 8f00 0000 0000 0001`, 'ICMPv6 listener report v2 code 0'],
    [`${ipv6('2c')} 11000001 00000001 0001 0002 0008 0000`, 'UDP 1 > 2 length 8'],
    [`${ipv6('2c')} 11000010 00000001 0001`, 'fragment at 16 of protocol 17'],
    [`${ipv6('00')} 3a`, 'truncated'],
    [`${ipv6('3b')}`, 'protocol 59'],
  ])('IPv6: %s', (hex, text) => {
    expect(middle(hex)).toBe(`IPv6 fe80::1 > ff02::2 ${text}`);
  });

  test.each([
    ['::', '00000000000000000000000000000000'],
    ['::1', '00000000000000000000000000000001'],
    ['2001:db8::', '20010db8000000000000000000000000'],
    ['2001:db8:0:1:1:1:1:1', '20010db8000000010001000100010001'],
    ['2001:0:0:1::1', '20010000000000010000000000000001'],
    ['1::2:0:0:3:4', '00010000000000020000000000030004'],
    ['1:2:3:4:5:6:7:8', '00010002000300040005000600070008'],
  ])('IPv6 address %s as in RFC 5952', (text, hex) => {
    const packet = `86dd 60000000 00003bff ${hex} ${hex}`;
    expect(middle(packet)).toBe(`IPv6 ${text} > ${text} protocol 59`);
  });

  test.each([
    ['0800 45', 'IPv4 truncated'],
    ['0800 65000054 00004000 40010000 0a000001 0a000002', 'IPv4 malformed'],
    ['0800 44000054 00004000 40010000 0a000001 0a000002', 'IPv4 malformed'],
    ['86dd 60', 'IPv6 truncated'],
    ['8100 6005 0806', 'VLAN 5 ARP truncated'],
    ['8100 60', 'VLAN truncated'],
    ['8100 6005 8100 6006 0806', 'VLAN 5 ethertype 0x8100'],
    ['88cc 0207', 'ethertype 0x88cc'],
    ['0026 4242', '802.3 length 38'],
  ])('%s: %s', (hex, text) => {
    expect(middle(hex)).toBe(text);
  });

  test('a runt', () => {
    expect(describeFrame(new Uint8Array(13))).toBe('runt (13 bytes)');
    expect(describeFrame(new Uint8Array(0))).toBe('runt (0 bytes)');
  });

  test('any bytes give one line of printable ASCII, and are not changed', () => {
    const start = fc.constantFrom(
      '0800 45',
      '86dd 60',
      '86dd 60000000004000',
      '0806 0001',
      '8100 0001 0800 45',
      '',
    );
    fc.assert(
      fc.property(start, fc.uint8Array({ maxLength: 120 }), fc.nat(20), (prefix, rest, offset) => {
        const buffer = Buffer.concat([Buffer.alloc(offset), bytes(`${MACS} ${prefix}`), rest]);
        // A frame that does not begin where its buffer begins, as those from a ring do.
        const frame = new Uint8Array(buffer.buffer, buffer.byteOffset + offset, buffer.length - offset);
        const before = Buffer.from(frame);
        expect(describeFrame(frame)).toMatch(/^[\x20-\x7e]+$/);
        expect(Buffer.from(frame)).toEqual(before);
        for (let cut = 0; cut < frame.length; cut += 7) describeFrame(frame.subarray(0, cut));
      }),
      { numRuns: 500 },
    );
  });
});

test('formatMac', () => {
  expect(formatMac(Uint8Array.of(2, 0, 0xab, 0, 0xff, 1))).toBe('02:00:ab:00:ff:01');
});
