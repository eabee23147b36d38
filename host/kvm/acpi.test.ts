// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { acpiTables } from './acpi.js';
import { amlBuffer, amlDevice, amlName, amlNumber, amlPackage, amlScope, amlString } from './aml.js';

const AT = 0xe_0000;
const tables = Buffer.from(
  acpiTables(AT, [
    { base: 0xd000_0000, line: 5 },
    { base: 0xd000_1000, line: 6 },
  ]),
);
const sum = (bytes: Uint8Array) => bytes.reduce((total, byte) => (total + byte) & 0xff, 0);

/** The table at a guest's address, with its checksum seen. */
function tableAt(address: number | bigint, signature: string): Buffer {
  const from = Number(address) - AT;
  expect(tables.subarray(from, from + 4).toString()).toBe(signature);
  const table = tables.subarray(from, from + tables.readUInt32LE(from + 4));
  if (signature !== 'FACS') expect(sum(table)).toBe(0);
  return table;
}

describe('tables of ACPI', () => {
  const xsdt = tableAt(tables.readBigUInt64LE(24), 'XSDT');
  const fadt = tableAt(xsdt.readBigUInt64LE(36), 'FACP');

  it('begin with a root pointer', () => {
    expect(tables.subarray(0, 8).toString()).toBe('RSD PTR ');
    expect(sum(tables.subarray(0, 20))).toBe(0);
    expect(sum(tables.subarray(0, 36))).toBe(0);
    expect(tables[15]).toBe(2);
  });

  it('name the ports of the platform, and no line that a device may have', () => {
    expect(xsdt).toHaveLength(44);
    expect(fadt).toHaveLength(244);
    const ports = [56, 64, 76].map((offset) => fadt.readUInt32LE(offset));
    expect(ports).toEqual([0x600, 0x604, 0x608]);
    expect([148, 172, 208].map((offset) => Number(fadt.readBigUInt64LE(offset + 4)))).toEqual(ports);
    expect([148, 172, 208].map((offset) => [fadt[offset], fadt[offset + 1]])).toEqual([
      [1, 32],
      [1, 16],
      [1, 32],
    ]);
    expect(fadt.readUInt16LE(46)).toBe(3);
    expect(fadt.readBigUInt64LE(132) % 64n).toBe(0n);
    expect(tableAt(fadt.readBigUInt64LE(132), 'FACS')).toHaveLength(64);
    expect(fadt.readUInt32LE(40)).toBe(Number(fadt.readBigUInt64LE(140)));
  });

  it('describe each device, with its memory and its line', () => {
    const dsdt = tableAt(fadt.readBigUInt64LE(140), 'DSDT');
    const devices = dsdt
      .toString('latin1')
      .split('LNRO0005')
      .slice(1)
      .map((text) => Buffer.from(text, 'latin1'));
    const found = devices.map((bytes) => {
      const memory = bytes.indexOf(Uint8Array.of(0x86, 9, 0, 1));
      const line = bytes.indexOf(Uint8Array.of(0x89, 6, 0, 9, 1));
      return [memory + 4, memory + 8, line + 5].map((offset) => bytes.readUInt32LE(offset));
    });
    expect(found).toEqual([
      [0xd000_0000, 0x1000, 5],
      [0xd000_1000, 0x1000, 6],
    ]);
    expect(dsdt.includes(Buffer.concat([Buffer.from('\\_S5_'), Uint8Array.of(0x12)]))).toBe(true);
  });

  it('have room for many devices', () => {
    const many = acpiTables(
      AT,
      Array.from({ length: 300 }, (_, slot) => ({ base: 0xd000_0000 + slot * 0x1000, line: 5 })),
    );
    expect(many.length).toBeLessThan(0x2_0000);
  });
});

describe('the machine language', () => {
  it('has numbers, texts and packages', () => {
    expect([...amlNumber(5)]).toEqual([0x0a, 5]);
    expect([...amlNumber(0x1234)]).toEqual([0x0b, 0x34, 0x12]);
    expect([...amlString('ab')]).toEqual([0x0d, 0x61, 0x62, 0]);
    expect([...amlName('ABCD', amlNumber(1))]).toEqual([0x08, 0x41, 0x42, 0x43, 0x44, 0x0a, 1]);
    expect([...amlPackage([amlNumber(1)])]).toEqual([0x12, 4, 1, 0x0a, 1]);
    expect([...amlDevice('ABCD', [])]).toEqual([0x5b, 0x82, 5, 0x41, 0x42, 0x43, 0x44]);
    expect([...amlBuffer(Uint8Array.of(7))]).toEqual([0x11, 4, 0x0a, 1, 7]);
  });

  it('counts the length of a length, in one, two or three bytes', () => {
    const lengthOf = (body: number) => [...amlScope('', [new Uint8Array(body)]).subarray(1, 4)];
    expect(lengthOf(62)).toEqual([63, 0, 0]);
    expect(lengthOf(63)).toEqual([0x40 | (65 & 15), 65 >> 4, 0]);
    expect(lengthOf(4093)).toEqual([0x40 | (4095 & 15), 4095 >> 4, 0]);
    expect(lengthOf(4094)).toEqual([0x80 | (4097 & 15), (4097 >> 4) & 0xff, 4097 >> 12]);
  });
});
