// SPDX-License-Identifier: MIT

const ETHERTYPE = 12;
const ETHERNET_BYTES = 14;
const ARP = 0x0806;
const IPV4 = 0x0800;

/** What a machine with `mac` and `address` says to `frame`: it knows ARP and ping. */
export function answer(
  frame: Uint8Array,
  mac: Uint8Array,
  address: readonly number[],
): Uint8Array | undefined {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
  const type = view.getUint16(ETHERTYPE);
  if (type === ARP) return answerArp(frame, view, mac, address);
  return type === IPV4 ? answerPing(frame, view, mac, address) : undefined;
}

function answerArp(
  frame: Uint8Array,
  view: DataView,
  mac: Uint8Array,
  address: readonly number[],
): Uint8Array | undefined {
  if (view.getUint16(20) !== 1 || !matches(frame, 38, address)) return undefined;
  const reply = addressed(frame, mac);
  new DataView(reply.buffer).setUint16(20, 2);
  reply.set(mac, 22);
  reply.set(address, 28);
  reply.set(frame.subarray(22, 32), 32);
  return reply;
}

function answerPing(
  frame: Uint8Array,
  view: DataView,
  mac: Uint8Array,
  address: readonly number[],
): Uint8Array | undefined {
  const header = ((frame[ETHERNET_BYTES] as number) & 0xf) * 4;
  const icmp = ETHERNET_BYTES + header;
  if (frame[23] !== 1 || frame[icmp] !== 8 || !matches(frame, 30, address)) return undefined;
  const reply = addressed(frame, mac);
  reply.set(frame.subarray(30, 34), 26);
  reply.set(frame.subarray(26, 30), 30);
  reply[icmp] = 0;
  const length = view.getUint16(16) - header;
  setChecksum(reply, icmp, length, icmp + 2);
  return reply;
}

/** A copy of `frame`, back to its sender. */
function addressed(frame: Uint8Array, mac: Uint8Array): Uint8Array {
  const reply = frame.slice();
  reply.set(frame.subarray(6, 12), 0);
  reply.set(mac, 6);
  return reply;
}

function matches(frame: Uint8Array, at: number, bytes: readonly number[]): boolean {
  return bytes.every((byte, index) => frame[at + index] === byte);
}

/** Writes the Internet checksum of `length` bytes from `from` on to `at`, which is among them. */
export function setChecksum(packet: Uint8Array, from: number, length: number, at: number): void {
  packet[at] = packet[at + 1] = 0;
  let sum = 0;
  for (let i = 0; i < length; i++) sum += (packet[from + i] as number) << (i % 2 === 0 ? 8 : 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  new DataView(packet.buffer, packet.byteOffset).setUint16(at, ~sum & 0xffff);
}
