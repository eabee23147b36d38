// SPDX-License-Identifier: MIT
import { amlBuffer, amlDevice, amlName, amlNumber, amlPackage, amlScope, amlString } from './aml.js';

/** A virtio device in memory, and the line of its interrupt. */
export interface AcpiDevice {
  readonly base: number;
  readonly line: number;
}

/** Ports, as most virtual PCs have them. */
const PM1_EVENT = 0x600;
const PM1_CONTROL = 0x604;
const PM_TIMER = 0x608;
/** The line of ACPI's own interrupt, which never comes: nobody else may have it. */
const SCI_LINE = 3;
/** What the guest writes into PM1_CONTROL's sleep type to power off. */
const S5_TYPE = 5;
/** The size of a device's page. */
const DEVICE_BYTES = 0x1000;
/** How Linux knows a virtio device in memory. */
const VIRTIO_MMIO_ID = 'LNRO0005';

const HEADER_BYTES = 36;
const RSDP_BYTES = 36;
const FACS_BYTES = 64;
/** Of a fixed description table of revision 3. */
const FADT_BYTES = 244;

/**
 * The tables with which an unmodified kernel finds the devices that no bus tells it of (ACPI 6.4, chapter 5), to be put
 * at `address`, where the root pointer is. There is no APIC in them: interrupts are those of the 8259.
 */
export function acpiTables(address: number, devices: readonly AcpiDevice[]): Uint8Array {
  const facsAt = address + 64;
  const fadtAt = facsAt + FACS_BYTES;
  const xsdtAt = fadtAt + FADT_BYTES + 12;
  const dsdtAt = xsdtAt + HEADER_BYTES + 12;
  const dsdt = table('DSDT', 2, definitions(devices));
  const all = Buffer.alloc(dsdtAt - address + dsdt.length);
  all.set(rootPointer(xsdtAt));
  all.set(facs(), facsAt - address);
  all.set(fadt(facsAt, dsdtAt), fadtAt - address);
  all.set(table('XSDT', 1, address64(fadtAt)), xsdtAt - address);
  all.set(dsdt, dsdtAt - address);
  return all;
}

function definitions(devices: readonly AcpiDevice[]): Buffer {
  const types = [S5_TYPE, S5_TYPE, 0, 0].map(amlNumber);
  const nodes = devices.map(({ base, line }, slot) =>
    amlDevice(`V${slot.toString(16).toUpperCase().padStart(3, '0')}`, [
      amlName('_HID', amlString(VIRTIO_MMIO_ID)),
      amlName('_UID', amlNumber(slot)),
      amlName('_CRS', amlBuffer(resources(base, line))),
    ]),
  );
  return Buffer.concat([amlName('\\_S5_', amlPackage(types)), amlScope('\\_SB_', nodes)]);
}

/** Memory32Fixed, Interrupt and the end (ACPI 6.4, 6.4). */
function resources(base: number, line: number): Buffer {
  const bytes = Buffer.alloc(23);
  bytes.set([0x86, 9, 0, 1]);
  bytes.writeUInt32LE(base, 4);
  bytes.writeUInt32LE(DEVICE_BYTES, 8);
  // It consumes the interrupt; level, high, shared; there is one.
  bytes.set([0x89, 6, 0, 0b1001, 1], 12);
  bytes.writeUInt32LE(line, 17);
  bytes.set([0x79, 0], 21);
  return bytes;
}

function rootPointer(xsdt: number): Buffer {
  const bytes = Buffer.alloc(RSDP_BYTES);
  bytes.write('RSD PTR ', 'latin1');
  bytes.write('ONECLK', 9, 'latin1');
  bytes[15] = 2;
  bytes.writeUInt32LE(RSDP_BYTES, 20);
  bytes.set(address64(xsdt), 24);
  bytes[8] = checksum(bytes.subarray(0, 20));
  bytes[32] = checksum(bytes);
  return bytes;
}

function facs(): Buffer {
  const bytes = Buffer.alloc(FACS_BYTES);
  bytes.write('FACS', 'latin1');
  bytes.writeUInt32LE(FACS_BYTES, 4);
  bytes[32] = 2;
  return bytes;
}

/** The fixed description table (ACPI 6.4, 5.2.9). */
function fadt(facsAt: number, dsdtAt: number): Buffer {
  const body = Buffer.alloc(FADT_BYTES - HEADER_BYTES);
  const at = (offset: number) => offset - HEADER_BYTES;
  body.writeUInt32LE(facsAt, at(36));
  body.writeUInt32LE(dsdtAt, at(40));
  body.writeUInt16LE(SCI_LINE, at(46));
  body.writeUInt32LE(PM1_EVENT, at(56));
  body.writeUInt32LE(PM1_CONTROL, at(64));
  body.writeUInt32LE(PM_TIMER, at(76));
  body.set([4, 2, 0, 4], at(88)); // bytes of the event, control, second control and timer blocks
  body.writeUInt16LE(0xfff, at(96)); // there is no C2
  body.writeUInt16LE(0xfff, at(98)); // and no C3
  body.writeUInt16LE(BootArchitecture.LEGACY_DEVICES | BootArchitecture.NO_VGA, at(109));
  body.writeUInt32LE(
    Flag.WBINVD | Flag.NO_POWER_BUTTON | Flag.NO_SLEEP_BUTTON | Flag.NO_RTC_WAKE | Flag.TIMER_32,
    at(112),
  );
  body.set(address64(facsAt), at(132));
  body.set(address64(dsdtAt), at(140));
  body.set(portAddress(PM1_EVENT, 32), at(148));
  body.set(portAddress(PM1_CONTROL, 16), at(172));
  body.set(portAddress(PM_TIMER, 32), at(208));
  return table('FACP', 3, body);
}

/** Bits of IAPC_BOOT_ARCH and of the table's flags. */
const BootArchitecture = { LEGACY_DEVICES: 1 << 0, NO_VGA: 1 << 2 } as const;
const Flag = {
  WBINVD: 1 << 0,
  NO_POWER_BUTTON: 1 << 4,
  NO_SLEEP_BUTTON: 1 << 5,
  NO_RTC_WAKE: 1 << 6,
  TIMER_32: 1 << 8,
} as const;

/** A generic address in the space of ports. */
function portAddress(port: number, bits: number): Buffer {
  return Buffer.concat([Uint8Array.of(1, bits, 0, bits === 32 ? 3 : 2), address64(port)]);
}

function table(signature: string, revision: number, body: Uint8Array): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.write(signature, 'latin1');
  header.writeUInt32LE(HEADER_BYTES + body.length, 4);
  header[8] = revision;
  header.write('ONECLKVIRTUAL ', 10, 'latin1');
  header.writeUInt32LE(1, 24);
  header.write('OCLK', 28, 'latin1');
  header.writeUInt32LE(1, 32);
  const whole = Buffer.concat([header, body]);
  whole[9] = checksum(whole);
  return whole;
}

function address64(address: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(address));
  return bytes;
}

/** What makes the sum of `bytes` zero. */
function checksum(bytes: Uint8Array): number {
  return -bytes.reduce((sum, byte) => sum + byte, 0) & 0xff;
}
