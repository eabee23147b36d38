// SPDX-License-Identifier: MIT
import { describeArp, describeIpv4, describeIpv6 } from './packet.js';

/** Destination, source and EtherType (IEEE 802.3, clause 3.2). */
const HEADER_SIZE = 14;
/** A type below this is the length of an IEEE 802.3 frame (clause 3.2.6). */
const FIRST_TYPE = 0x600;
const VLAN = 0x8100;

/** The six bytes of an address as `02:00:00:00:00:01`. */
export function formatMac(address: Uint8Array): string {
  return Array.from(address, (byte) => byte.toString(16).padStart(2, '0')).join(':');
}

/**
 * An Ethernet frame in one line of printable ASCII, for traces:
 * `02:00:00:00:00:01 > 02:00:00:00:00:02 IPv4 10.0.0.1 > 10.0.0.2 ICMP echo request id 7 seq 1 (98 bytes)`.
 *
 * Any bytes give a text: what is cut short says `truncated`, what contradicts itself says `malformed`.
 */
export function describeFrame(frame: Uint8Array): string {
  const size = `(${frame.length} bytes)`;
  if (frame.length < HEADER_SIZE) return `runt ${size}`;
  const ends = `${formatMac(frame.subarray(6, 12))} > ${formatMac(frame.subarray(0, 6))}`;
  const view = new DataView(frame.buffer, frame.byteOffset + 12, frame.length - 12);
  return `${ends} ${describeTyped(view, true)} ${size}`;
}

/** @param view the EtherType and what follows it */
function describeTyped(view: DataView, mayBeTagged: boolean): string {
  const type = view.getUint16(0);
  const payload = new DataView(view.buffer, view.byteOffset + 2, view.byteLength - 2);
  switch (type) {
    case 0x0800:
      return describeIpv4(payload);
    case 0x0806:
      return describeArp(payload);
    case 0x86dd:
      return describeIpv6(payload);
    case VLAN: {
      if (!mayBeTagged) break;
      if (payload.byteLength < 4) return 'VLAN truncated';
      const inner = new DataView(payload.buffer, payload.byteOffset + 2, payload.byteLength - 2);
      return `VLAN ${payload.getUint16(0) & 0x0fff} ${describeTyped(inner, false)}`;
    }
  }
  if (type < FIRST_TYPE) return `802.3 length ${type}`;
  return `ethertype 0x${type.toString(16).padStart(4, '0')}`;
}
