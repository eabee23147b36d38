// SPDX-License-Identifier: MIT
import { formatIpv4, formatIpv6 } from './ip-address.js';

/** Protocol numbers (IANA, "Assigned Internet Protocol Numbers"). */
const ICMP = 1;
const TCP = 6;
const UDP = 17;
const ICMPV6 = 58;
const FRAGMENT = 44;
/** IPv6 extension headers whose second byte is a length in units of 8 bytes (RFC 8200, section 4). */
const OPTION_HEADERS: ReadonlySet<number> = new Set([0, 43, 60]);
/** Extension headers that are followed before the rest is left unread. */
const MAX_EXTENSIONS = 8;

const ICMP_TYPES: Readonly<Record<number, string>> = {
  0: 'echo reply',
  3: 'destination unreachable',
  5: 'redirect',
  8: 'echo request',
  11: 'time exceeded',
};
const ICMPV6_TYPES: Readonly<Record<number, string>> = {
  1: 'destination unreachable',
  2: 'packet too big',
  3: 'time exceeded',
  128: 'echo request',
  129: 'echo reply',
  130: 'listener query',
  131: 'listener report',
  133: 'router solicitation',
  134: 'router advertisement',
  135: 'neighbor solicitation',
  136: 'neighbor advertisement',
  143: 'listener report v2',
};
const ECHO: ReadonlySet<string> = new Set(['echo request', 'echo reply']);
const NEIGHBOR: ReadonlySet<string> = new Set(['neighbor solicitation', 'neighbor advertisement']);
/** From the lowest bit of the flags on (RFC 9293, section 3.1). */
const TCP_FLAGS = ['FIN', 'SYN', 'RST', 'PSH', 'ACK', 'URG', 'ECE', 'CWR'] as const;

/** An ARP message in one line (RFC 826); any bytes give a text. */
export function describeArp(view: DataView): string {
  if (view.byteLength < 28) return 'ARP truncated';
  const overEthernet = view.getUint16(0) === 1 && view.getUint16(2) === 0x0800;
  if (!overEthernet || view.getUint8(4) !== 6 || view.getUint8(5) !== 4) return 'ARP not for IPv4';
  const sender = formatIpv4(view, 14);
  const target = formatIpv4(view, 24);
  const operation = view.getUint16(6);
  if (operation === 1) return `ARP who has ${target}, tell ${sender}`;
  if (operation === 2) return `ARP reply from ${sender} to ${target}`;
  return `ARP operation ${operation}`;
}

/** An IPv4 packet in one line (RFC 791, section 3.1); any bytes give a text. */
export function describeIpv4(view: DataView): string {
  if (view.byteLength < 20) return 'IPv4 truncated';
  const header = (view.getUint8(0) & 0x0f) * 4;
  const total = view.getUint16(2);
  if (view.getUint8(0) >> 4 !== 4 || header < 20 || total < header) return 'IPv4 malformed';
  const ends = `IPv4 ${formatIpv4(view, 12)} > ${formatIpv4(view, 16)}`;
  const protocol = view.getUint8(9);
  const fragment = (view.getUint16(6) & 0x1fff) * 8;
  if (fragment > 0) return `${ends} fragment at ${fragment} of protocol ${protocol}`;
  return `${ends} ${describeTransport(protocol, part(view, header, total))}`;
}

/** An IPv6 packet in one line (RFC 8200, section 3); any bytes give a text. */
export function describeIpv6(view: DataView): string {
  if (view.byteLength < 40) return 'IPv6 truncated';
  if (view.getUint8(0) >> 4 !== 6) return 'IPv6 malformed';
  const ends = `IPv6 ${formatIpv6(view, 8)} > ${formatIpv6(view, 24)}`;
  let next = view.getUint8(6);
  let payload = part(view, 40, 40 + view.getUint16(4));
  for (let count = 0; count < MAX_EXTENSIONS; count++) {
    if (next !== FRAGMENT && !OPTION_HEADERS.has(next)) break;
    if (payload.byteLength < 8) return `${ends} truncated`;
    const offset = next === FRAGMENT ? payload.getUint16(2) & 0xfff8 : 0;
    const length = next === FRAGMENT ? 8 : (payload.getUint8(1) + 1) * 8;
    next = payload.getUint8(0);
    if (offset > 0) return `${ends} fragment at ${offset} of protocol ${next}`;
    payload = part(payload, length);
  }
  return `${ends} ${describeTransport(next, payload)}`;
}

function describeTransport(protocol: number, view: DataView): string {
  switch (protocol) {
    case ICMP:
      return describeIcmp('ICMP', ICMP_TYPES, view);
    case ICMPV6:
      return describeIcmp('ICMPv6', ICMPV6_TYPES, view);
    case TCP:
      return describeTcp(view);
    case UDP:
      if (view.byteLength < 8) return 'UDP truncated';
      return `UDP ${view.getUint16(0)} > ${view.getUint16(2)} length ${view.getUint16(4)}`;
    default:
      return `protocol ${protocol}`;
  }
}

function describeIcmp(title: string, types: Readonly<Record<number, string>>, view: DataView): string {
  if (view.byteLength < 8) return `${title} truncated`;
  const type = view.getUint8(0);
  const name = types[type];
  if (name === undefined) return `${title} type ${type} code ${view.getUint8(1)}`;
  if (ECHO.has(name)) return `${title} ${name} id ${view.getUint16(4)} seq ${view.getUint16(6)}`;
  if (NEIGHBOR.has(name) && view.byteLength >= 24) return `${title} ${name} for ${formatIpv6(view, 8)}`;
  return `${title} ${name} code ${view.getUint8(1)}`;
}

function describeTcp(view: DataView): string {
  if (view.byteLength < 20) return 'TCP truncated';
  const header = (view.getUint8(12) >> 4) * 4;
  if (header < 20) return 'TCP malformed';
  const bits = view.getUint8(13);
  const flags = TCP_FLAGS.filter((_, bit) => (bits >> bit) & 1);
  const numbers = `seq ${view.getUint32(4)} ack ${view.getUint32(8)}`;
  const length = Math.max(0, view.byteLength - header);
  return `TCP ${view.getUint16(0)} > ${view.getUint16(2)} [${flags.join(' ')}] ${numbers} length ${length}`;
}

/** The bytes from `from` to `to`, as far as they are there. */
function part(view: DataView, from: number, to: number = view.byteLength): DataView {
  const start = Math.min(from, view.byteLength);
  const end = Math.max(start, Math.min(to, view.byteLength));
  return new DataView(view.buffer, view.byteOffset + start, end - start);
}
