// SPDX-License-Identifier: MIT
import { beforeEach, describe, expect, it } from 'vitest';
import type { MemoryRegion } from '../../protocols/vhost-user/index.js';
import { DeviceError } from './device-error.js';
import { GuestMemory } from './guest-memory.js';
import { FakeDescriptors, FakeFile } from './testing/fake-descriptors.js';

const PAGE = 4096;
let descriptors: FakeDescriptors;
let file: FakeFile;
let memory: GuestMemory;
let descriptor: number;

const region = (
  guestAddress: number,
  size = PAGE,
  userAddress = guestAddress,
  mmapOffset = 0,
): MemoryRegion => ({
  guestAddress,
  size,
  userAddress,
  mmapOffset,
});

beforeEach(() => {
  descriptors = new FakeDescriptors();
  file = new FakeFile(new Uint8Array(16 * PAGE).map((_, i) => i >> 12));
  descriptor = descriptors.add(file);
  memory = new GuestMemory(descriptors.mapShared);
});

describe('GuestMemory', () => {
  it('translates guest-physical and user addresses without copying', () => {
    memory.replace(
      [region(0, 2 * PAGE, 0x7000_0000_0000), region(8 * PAGE, PAGE, PAGE, 5 * PAGE)],
      [descriptor, descriptor],
    );
    expect(memory.guest(PAGE + 1, 3)).toEqual(Uint8Array.of(1, 1, 1));
    expect(memory.guest(8 * PAGE, 1)).toEqual(Uint8Array.of(5));
    expect(memory.user(PAGE, 1)).toEqual(Uint8Array.of(5));
    expect(memory.user(0x7000_0000_0000 + PAGE, 1)).toEqual(Uint8Array.of(1));
    memory.guest(3, 1)?.fill(9);
    expect(file.bytes[3]).toBe(9);
  });

  it('knows what is outside', () => {
    memory.replace([region(PAGE, 2 * PAGE, 10 * PAGE)], [descriptor]);
    expect(memory.guest(PAGE - 1, 1)).toBeUndefined();
    expect(memory.guest(3 * PAGE - 1, 1)).toHaveLength(1);
    expect(memory.guest(3 * PAGE - 1, 2)).toBeUndefined();
    expect(memory.guest(3 * PAGE, 1)).toBeUndefined();
    expect(memory.guest(Number.MAX_SAFE_INTEGER, 0xffffffff)).toBeUndefined();
    expect(memory.user(PAGE, 1)).toBeUndefined();
    expect(memory.user(12 * PAGE - 2, 3)).toBeUndefined();
    expect(memory.regionAt(0)).toBeUndefined();
  });

  it.each([
    ['is empty', region(0, 0)],
    ['is not on 4096-byte boundaries', region(1)],
    ['is not on 4096-byte boundaries', region(0, PAGE + 1)],
    ['is not on 4096-byte boundaries', region(0, PAGE, 8)],
    ['is not on 4096-byte boundaries', region(0, PAGE, 0, 512)],
    ['ends past every address', region(Number.MAX_SAFE_INTEGER - PAGE + 1, PAGE)],
    ['ends past every address', region(0, PAGE, Number.MAX_SAFE_INTEGER - PAGE + 1)],
    ['is longer than 4294967296 bytes', region(0, 0x1_0000_1000)],
    ['overlaps region of 0x2000 bytes', region(0x10_0000 + PAGE, PAGE, 0)],
    ['overlaps region of 0x2000 bytes', region(0, PAGE, 0x20_0000 + PAGE)],
    ['overlaps region of 0x2000 bytes', region(0x10_0000 - PAGE, 4 * PAGE, 0)],
    ['cannot map', region(0, 17 * PAGE)],
  ])('refuses a region that %s, and keeps none', (text, bad) => {
    memory.replace([region(0x10_0000, 2 * PAGE, 0x20_0000)], [descriptor]);
    expect(() => memory.add(bad, descriptor)).toThrow(text);
    expect(memory.regionCount).toBe(0);
    expect(file.mappings).toBe(0);
  });

  it('takes eight regions and no ninth', () => {
    for (let i = 0; i < 8; i++) memory.add(region(i * PAGE, PAGE, i * PAGE, i * PAGE), descriptor);
    expect(memory.guest(7 * PAGE, 1)).toEqual(Uint8Array.of(7));
    expect(() => memory.add(region(9 * PAGE), descriptor)).toThrow('one more than 8');
  });

  it('unmaps what is replaced, removed and closed', () => {
    memory.replace([region(0), region(PAGE)], [descriptor, descriptor]);
    expect(file.mappings).toBe(2);
    memory.replace([region(2 * PAGE)], [descriptor]);
    expect(file.mappings).toBe(1);
    memory.add(region(0), descriptor);
    memory.remove(region(2 * PAGE, PAGE, 2 * PAGE, 99));
    expect(file.mappings).toBe(1);
    expect(memory.guest(2 * PAGE, 1)).toBeUndefined();
    expect(() => memory.remove(region(2 * PAGE))).toThrow(DeviceError);
    memory.close();
    memory.close();
    expect(file.mappings).toBe(0);
    expect(descriptors.openCount).toBe(1);
  });

  it('wants a descriptor for each region', () => {
    expect(() => memory.replace([region(0), region(PAGE)], [descriptor])).toThrow(
      '2 memory regions with 1 descriptors',
    );
  });

  it('tells when the guest has cut a file shorter', () => {
    memory.replace([region(0)], [descriptor]);
    expect(memory.intact).toBe(true);
    file.intact = false;
    expect(memory.intact).toBe(false);
  });
});
