// SPDX-License-Identifier: MIT

/** A header of a packet. */
export interface Layer {
  readonly name: string;
  readonly fields: readonly (readonly [name: string, value: string])[];
}

export interface Packet {
  /** In one line: `10.0.0.1 → 10.0.0.2  ICMP echo request, id 1, seq 3`. */
  readonly summary: string;
  readonly layers: readonly Layer[];
}

const ETHERTYPES: Readonly<Record<number, string>> = {
  2048: 'IPv4',
  2054: 'ARP',
  33024: 'VLAN',
  34525: 'IPv6',
};
const PROTOCOLS: Readonly<Record<number, string>> = {
  1: 'ICMP',
  2: 'IGMP',
  6: 'TCP',
  17: 'UDP',
  58: 'ICMPv6',
};
const ICMP_TYPES: Readonly<Record<number, string>> = {
  0: 'echo reply',
  3: 'destination unreachable',
  5: 'redirect',
  8: 'echo request',
  11: 'time exceeded',
};
const TCP_FLAGS = ['FIN', 'SYN', 'RST', 'PSH', 'ACK', 'URG', 'ECE', 'CWR'];

/** What is decoded, from the outermost header inwards. A header that is cut short ends it. */
class Decoder {
  readonly layers: Layer[] = [];
  summary = '';
  private readonly view: DataView;

  constructor(
    private readonly bytes: Uint8Array,
    private at = 0,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  ethernet(): void {
    const { view } = this;
    if (!this.has(14, 'Ethernet')) return;
    const type = view.getUint16(12);
    const [to, from] = [mac(this.bytes, 0), mac(this.bytes, 6)];
    this.summary = `${from} → ${to}  ${ETHERTYPES[type] ?? `type 0x${hex(type, 4)}`}`;
    this.layers.push({
      name: 'Ethernet',
      fields: [
        ['from', from],
        ['to', to === 'ff:ff:ff:ff:ff:ff' ? `${to} (everybody)` : to],
        ['type', `0x${hex(type, 4)} ${ETHERTYPES[type] ?? ''}`],
      ],
    });
    this.at = 14;
    if (type === 2054) this.arp();
    else if (type === 2048) this.ipv4();
    else if (type === 34525) this.ipv6();
  }

  private arp(): void {
    const { view, at, bytes } = this;
    if (!this.has(28, 'ARP')) return;
    const operation = view.getUint16(at + 6);
    const [sender, target] = [ip(bytes, at + 14), ip(bytes, at + 24)];
    this.summary =
      operation === 1 ? `ARP who has ${target}? Tell ${sender}` : `ARP ${sender} is at ${mac(bytes, at + 8)}`;
    this.layers.push({
      name: 'ARP',
      fields: [
        ['operation', operation === 1 ? 'request' : operation === 2 ? 'reply' : String(operation)],
        ['sender', `${sender} at ${mac(bytes, at + 8)}`],
        ['target', `${target} at ${mac(bytes, at + 18)}`],
      ],
    });
  }

  private ipv4(): void {
    const { view, at, bytes } = this;
    if (!this.has(20, 'IPv4')) return;
    const size = (view.getUint8(at) & 15) * 4;
    const protocol = view.getUint8(at + 9);
    const fragment = view.getUint16(at + 6) & 0x1fff;
    const ends = `${ip(bytes, at + 12)} → ${ip(bytes, at + 16)}`;
    this.summary = `${ends}  ${PROTOCOLS[protocol] ?? `protocol ${protocol}`}`;
    this.layers.push({
      name: 'IPv4',
      fields: [
        ['from', ip(bytes, at + 12)],
        ['to', ip(bytes, at + 16)],
        ['protocol', `${protocol} ${PROTOCOLS[protocol] ?? ''}`],
        ['TTL', String(view.getUint8(at + 8))],
        ['length', String(view.getUint16(at + 2))],
        ['id', `0x${hex(view.getUint16(at + 4), 4)}${fragment > 0 ? `, fragment at ${fragment * 8}` : ''}`],
      ],
    });
    this.at = at + Math.max(size, 20);
    if (fragment === 0) this.transport(protocol, ends, ip(bytes, at + 12), ip(bytes, at + 16));
  }

  private ipv6(): void {
    const { view, at, bytes } = this;
    if (!this.has(40, 'IPv6')) return;
    const protocol = view.getUint8(at + 6);
    const [from, to] = [ip6(bytes, at + 8), ip6(bytes, at + 24)];
    this.summary = `${from} → ${to}  ${PROTOCOLS[protocol] ?? `next header ${protocol}`}`;
    this.layers.push({
      name: 'IPv6',
      fields: [
        ['from', from],
        ['to', to],
        ['next header', `${protocol} ${PROTOCOLS[protocol] ?? ''}`],
        ['hop limit', String(view.getUint8(at + 7))],
        ['payload', String(view.getUint16(at + 4))],
      ],
    });
    this.at = at + 40;
    if (protocol !== 58) this.transport(protocol, `${from} → ${to}`, from, to);
  }

  private transport(protocol: number, ends: string, from: string, to: string): void {
    const { view, at } = this;
    if (protocol === 1) {
      if (!this.has(8, 'ICMP')) return;
      const type = view.getUint8(at);
      const echo = type === 0 || type === 8;
      const what = ICMP_TYPES[type] ?? `type ${type}`;
      const [id, sequence] = [view.getUint16(at + 4), view.getUint16(at + 6)];
      this.summary = `${ends}  ICMP ${what}${echo ? `, id ${id}, seq ${sequence}` : ''}`;
      const fields: [string, string][] = [
        ['type', `${type} ${ICMP_TYPES[type] ?? ''}`],
        ['code', String(view.getUint8(at + 1))],
      ];
      if (echo) fields.push(['id', String(id)], ['sequence', String(sequence)]);
      this.layers.push({ name: 'ICMP', fields });
    } else if (protocol === 17) {
      if (!this.has(8, 'UDP')) return;
      const [source, target] = [view.getUint16(at), view.getUint16(at + 2)];
      this.summary = `${from}:${source} → ${to}:${target}  UDP, ${view.getUint16(at + 4) - 8} bytes`;
      this.layers.push({
        name: 'UDP',
        fields: [
          ['from port', String(source)],
          ['to port', String(target)],
          ['length', String(view.getUint16(at + 4))],
        ],
      });
    } else if (protocol === 6) {
      if (!this.has(20, 'TCP')) return;
      const [source, target] = [view.getUint16(at), view.getUint16(at + 2)];
      const bits = view.getUint8(at + 13);
      const flags = TCP_FLAGS.filter((_, bit) => (bits >> bit) & 1).join(' ');
      const payload = this.bytes.length - at - (view.getUint8(at + 12) >> 4) * 4;
      const size = payload > 0 ? `, ${payload} bytes` : '';
      this.summary = `${from}:${source} → ${to}:${target}  TCP ${flags}, seq ${view.getUint32(at + 4)}${size}`;
      this.layers.push({
        name: 'TCP',
        fields: [
          ['from port', String(source)],
          ['to port', String(target)],
          ['flags', flags],
          ['sequence', String(view.getUint32(at + 4))],
          ['acknowledges', String(view.getUint32(at + 8))],
          ['window', String(view.getUint16(at + 14))],
        ],
      });
    }
  }

  private has(bytes: number, name: string): boolean {
    if (this.bytes.length - this.at >= bytes) return true;
    this.layers.push({ name, fields: [['cut short', `${this.bytes.length - this.at} of ${bytes} bytes`]] });
    this.summary ||= `${name}, cut short`;
    return false;
  }
}

/** The headers of an Ethernet frame. Any bytes may be in it. */
export function decodePacket(frame: Uint8Array): Packet {
  const decoder = new Decoder(frame);
  decoder.ethernet();
  return { summary: decoder.summary, layers: decoder.layers };
}

/** Bytes as other tools dump them: offset, hexadecimal, characters; `most` bytes of them. */
export function hexDump(bytes: Uint8Array, most = 1024): string {
  const lines: string[] = [];
  for (let at = 0; at < Math.min(bytes.length, most); at += 16) {
    const row = [...bytes.subarray(at, Math.min(at + 16, most))];
    const codes = row.map((byte) => hex(byte, 2)).join(' ');
    const text = row.map((byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : '.')).join('');
    lines.push(`${hex(at, 4)}  ${codes.padEnd(47)}  ${text}`);
  }
  if (bytes.length > most) lines.push(`and ${bytes.length - most} bytes more`);
  return lines.join('\n');
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}

function mac(bytes: Uint8Array, at: number): string {
  return [...bytes.subarray(at, at + 6)].map((byte) => hex(byte, 2)).join(':');
}

function ip(bytes: Uint8Array, at: number): string {
  return bytes.subarray(at, at + 4).join('.');
}

function ip6(bytes: Uint8Array, at: number): string {
  const words = Array.from({ length: 8 }, (_, word) =>
    (((bytes[at + 2 * word] as number) << 8) | (bytes[at + 2 * word + 1] as number)).toString(16),
  );
  return words.join(':').replace(/(^|:)0(:0)+(:|$)/, '::');
}
