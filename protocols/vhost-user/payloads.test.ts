// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { HEADER_BYTES, readU32 } from './header.js';
import {
  checkPayloadSize,
  encodeConfig,
  encodeU64,
  encodeVringState,
  readConfigAccess,
  readMemoryTable,
  readSingleRegion,
  readU64,
  readVringAddress,
  readVringState,
} from './payloads.js';
import { FrontEndRequest as R, requestName } from './requests.js';

const words = (...values: bigint[]) => new Uint8Array(new BigUint64Array(values).buffer);

describe('payloads', () => {
  it('writes the bytes that virtio_uml.c reads', () => {
    expect([...encodeU64(1, 4, 0x0102_0304_0506_0708n)]).toEqual([
      1, 0, 0, 0, 5, 0, 0, 0, 8, 0, 0, 0, 8, 7, 6, 5, 4, 3, 2, 1,
    ]);
    expect([...encodeVringState(4, 8, 5, 0)]).toEqual([
      4, 0, 0, 0, 9, 0, 0, 0, 8, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0,
    ]);
    const config = encodeConfig(R.GET_CONFIG, 4, { offset: 0, flags: 0, bytes: Uint8Array.of(7, 8) });
    expect([...config]).toEqual([
      24, 0, 0, 0, 5, 0, 0, 0, 14, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 7, 8,
    ]);
  });

  it('reads back what it writes', () => {
    expect(readU64(encodeU64(1, 0, 0xffff_ffff_ffff_fff0n), HEADER_BYTES)).toBe(0xffff_ffff_ffff_fff0n);
    expect(readVringState(encodeVringState(1, 0, 3, 256), HEADER_BYTES)).toEqual({ index: 3, num: 256 });
    expect(readU32(encodeU64(1, 0, 0n), 8)).toBe(8);
  });

  it('checks the size of every request that has one size', () => {
    for (const request of [R.SET_FEATURES, R.SET_VRING_NUM, R.VRING_KICK, R.SET_VRING_KICK, R.SET_STATUS]) {
      expect(() => checkPayloadSize(request, 8)).not.toThrow();
      expect(() => checkPayloadSize(request, 7)).toThrow(
        `vhost-user ${requestName(request)} has a payload of 7 bytes`,
      );
    }
    for (const request of [R.GET_FEATURES, R.SET_OWNER, R.GET_STATUS]) {
      expect(() => checkPayloadSize(request, 0)).not.toThrow();
      expect(() => checkPayloadSize(request, 8)).toThrow('where 0 are expected');
    }
    expect(() => checkPayloadSize(R.SET_VRING_ADDR, 40)).not.toThrow();
    expect(() => checkPayloadSize(R.ADD_MEM_REG, 40)).not.toThrow();
    expect(() => checkPayloadSize(999, 5)).not.toThrow();
  });

  it('reads addresses exactly, and refuses those that no memory can have', () => {
    const payload = new Uint8Array(40);
    payload.set([2, 0, 0, 0, 0, 0, 0, 0]);
    payload.set(words(0x1f_ffff_ffff_ffffn, 0x7f12_3456_7000n, 16n, 0xffff_ffff_ffff_ffffn), 8);
    expect(readVringAddress(payload, 0)).toEqual({
      index: 2,
      flags: 0,
      descriptor: Number.MAX_SAFE_INTEGER,
      used: 0x7f12_3456_7000,
      available: 16,
    });
    payload.set(words(0x20_0000_0000_0000n), 16);
    expect(() => readVringAddress(payload, 0)).toThrow('used ring address 0x20000000000000');
  });

  it('reads a memory table that is longer than its regions', () => {
    const table = new Uint8Array(72);
    table[0] = 1;
    table.set(words(0x1000n, 0x2000n, 0x3000n, 0x4000n), 8);
    const region = { guestAddress: 0x1000, size: 0x2000, userAddress: 0x3000, mmapOffset: 0x4000 };
    expect(readMemoryTable(table, 0, 72)).toEqual([region]);
    expect(readSingleRegion(R.ADD_MEM_REG, table, 0)).toEqual(region);
  });

  it.each([
    [0, 0, 'no table'],
    [8, 0, '0 regions'],
    [41, 1, 'no table'],
    [40, 2, '2 regions in a table with room for 1'],
    [40, 0, '0 regions'],
    [8 + 32 * 9, 1, 'at most 8 regions'],
    [40, 0xffffffff, '4294967295 regions'],
  ])('refuses a memory table of %i bytes with %i regions', (size, count, text) => {
    const table = new Uint8Array(512);
    new DataView(table.buffer).setUint32(0, count, true);
    expect(() => readMemoryTable(table, 0, size)).toThrow(text);
  });

  it('refuses a configuration access whose size is not that of its payload', () => {
    const message = encodeConfig(R.GET_CONFIG, 0, { offset: 4, flags: 0, bytes: new Uint8Array(6) });
    expect(readConfigAccess(R.GET_CONFIG, message, HEADER_BYTES, 18)).toMatchObject({ offset: 4, size: 6 });
    expect(() => readConfigAccess(R.GET_CONFIG, message, HEADER_BYTES, 17)).toThrow(
      '6 bytes in a payload of 17',
    );
    expect(() => readConfigAccess(R.GET_CONFIG, message, HEADER_BYTES, 11)).toThrow('too short');
  });
});
