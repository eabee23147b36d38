// SPDX-License-Identifier: MIT
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OneclockError } from '../../backend/errors.js';
import * as boot from './boot-params.js';
import { type LinuxOptions, loadLinux } from './linux.js';
import { bzImage, elf } from './testing/kernel-files.js';

const MIB = 1024 * 1024;
const CODE = new Uint8Array(4096).fill(0xc0);
const INITRD = new Uint8Array(5000).fill(0x1d);
const SEED = new Uint8Array(32).fill(0x5e);
const VMLINUX = elf([{ address: 2 * MIB, bytes: CODE, room: MIB }], 2 * MIB + 16);
/** Field of the setup header at its place in a file. */
const at = boot.SetupHeader;

function load(options: Partial<LinuxOptions> = {}) {
  const memory = options.memory ?? new Uint8Array(8 * MIB);
  const entry = loadLinux({
    memory,
    kernel: VMLINUX,
    initrd: INITRD,
    commandLine: 'panic=-1',
    seed: SEED,
    ...options,
  });
  return {
    memory,
    entry,
    zeroPage: new DataView(memory.buffer, memory.byteOffset + (entry.argument ?? 0), 4096),
  };
}

/** `kernel` with something else in it. */
function changed(kernel: Uint8Array, change: (view: DataView) => void): Uint8Array {
  const copy = kernel.slice();
  change(new DataView(copy.buffer));
  return copy;
}

describe.each([
  ['vmlinux', VMLINUX, 2 * MIB + 16],
  ['bzImage', bzImage(CODE), 2 * MIB + 0x200],
])('a guest that boots a %s', (_kind, kernel, address) => {
  it('has the kernel where it belongs', () => {
    const { memory, entry } = load({ kernel });
    expect(entry.address).toBe(address);
    expect(memory.subarray(2 * MIB, 2 * MIB + CODE.length)).toEqual(CODE);
    expect(memory.subarray(2 * MIB + CODE.length, 3 * MIB).every((byte) => byte === 0)).toBe(true);
  });

  it('has a zero page that says what else there is', () => {
    const { memory, zeroPage } = load({ kernel });
    const initrd = zeroPage.getUint32(at.RAMDISK_IMAGE, true);
    expect(initrd).toBe(8 * MIB - 8192);
    expect(zeroPage.getUint32(at.RAMDISK_SIZE, true)).toBe(INITRD.length);
    expect(memory.subarray(initrd, initrd + INITRD.length)).toEqual(INITRD);
    const words = zeroPage.getUint32(at.CMD_LINE_PTR, true);
    expect(Buffer.from(memory.subarray(words, words + 9)).toString()).toBe('panic=-1\0');
    expect(zeroPage.getUint16(at.BOOT_FLAG, true)).toBe(0xaa55);
    expect(zeroPage.getUint32(at.HEADER, true)).toBe(boot.HEADER_MAGIC);
    expect(zeroPage.getUint8(at.TYPE_OF_LOADER)).toBe(0xff);
    expect(zeroPage.getUint8(at.LOADFLAGS) & 1).toBe(1);
    const data = Number(zeroPage.getBigUint64(at.SETUP_DATA, true));
    const node = Buffer.from(memory.subarray(data, data + 48));
    expect([node.readBigUInt64LE(0), node.readUInt32LE(8), node.readUInt32LE(12)]).toEqual([0n, 9, 32]);
    expect(node.subarray(16)).toEqual(Buffer.from(SEED));
  });

  it('has a map of its memory', () => {
    const { zeroPage } = load({ kernel });
    const map = Array.from({ length: zeroPage.getUint8(boot.BootParams.E820_ENTRIES) }, (_, i) => {
      const entry = boot.BootParams.E820_TABLE + i * boot.E820_ENTRY_BYTES;
      const [address, size] = [zeroPage.getBigUint64(entry, true), zeroPage.getBigUint64(entry + 8, true)];
      return [Number(address), Number(size), zeroPage.getUint32(entry + 16, true)];
    });
    expect(map).toEqual([
      [0, 0x9fc00, 1],
      [MIB, 7 * MIB, 1],
    ]);
  });

  it('has nothing below what the machine keeps for itself, and the same each time', () => {
    const { memory } = load({ kernel });
    expect(memory.subarray(0, 0x1_0000).every((byte) => byte === 0)).toBe(true);
    expect(Buffer.compare(load({ kernel }).memory, memory)).toBe(0);
  });

  it('may have just the memory that kernel and files need', () => {
    const initrd = new Uint8Array(MIB);
    expect(
      load({ kernel, initrd, memory: new Uint8Array(4 * MIB) }).zeroPage.getUint32(at.RAMDISK_IMAGE, true),
    ).toBe(3 * MIB);
    expect(() => load({ kernel, initrd, memory: new Uint8Array(4 * MIB - 4096) })).toThrow(
      /^the guest's memory of 4.0 MiB does not do: behind the kernel, from 3.0 MiB on, there is no room for an initial file system of 1.0 MiB below 4.0 MiB; give it more$/,
    );
    expect(() => load({ kernel, memory: new Uint8Array(3 * MIB - 4096) })).toThrow(
      'the kernel has to be at 2.0 and needs memory up to 3.0 MiB',
    );
  });

  it('has a command line that the kernel takes whole', () => {
    load({ kernel, commandLine: 'x'.repeat(2047) });
    expect(() => load({ kernel, commandLine: 'x'.repeat(2048) })).toThrow('at most 2047 bytes, found 2048');
    for (const commandLine of ['a\0b', 'a\nb', 'ü'])
      expect(() => load({ kernel, commandLine })).toThrow('ASCII');
  });
});

it('a bzImage says up to where its files may be', () => {
  const kernel = changed(bzImage(CODE), (view) => view.setUint32(at.INITRD_ADDR_MAX, 4 * MIB - 1, true));
  expect(load({ kernel }).zeroPage.getUint32(at.RAMDISK_IMAGE, true)).toBe(4 * MIB - 8192);
});

it('tables of ACPI are where the zero page says, where there are to be some', () => {
  expect(load().zeroPage.getBigUint64(boot.BootParams.ACPI_RSDP, true)).toBe(0n);
  const { memory, zeroPage } = load({ acpi: [{ base: 0xd000_0000, line: 5 }] });
  const root = Number(zeroPage.getBigUint64(boot.BootParams.ACPI_RSDP, true));
  expect(Buffer.from(memory.subarray(root, root + 8)).toString()).toBe('RSD PTR ');
});

it('a vmlinux may have several segments, some empty', () => {
  const kernel = elf(
    [
      { address: 3 * MIB, bytes: CODE.slice().fill(2) },
      { address: 0, bytes: new Uint8Array(0) },
      { address: 2 * MIB, bytes: CODE.slice().fill(1) },
    ],
    3 * MIB,
  );
  const { memory } = load({ kernel });
  expect([memory[2 * MIB], memory[3 * MIB]]).toEqual([1, 2]);
});

describe('no kernel is', () => {
  const image = bzImage(CODE);
  const segment = 64;
  it.each<[string, Uint8Array, string]>([
    ['an empty file', new Uint8Array(0), 'neither an ELF file'],
    ['a text', Buffer.from('#!/bin/sh\n'.repeat(200)), 'neither an ELF file'],
    ['the first sector of a bzImage', image.slice(0, 512), 'neither an ELF file'],
    ['a 32-bit ELF file', changed(VMLINUX, (v) => v.setUint8(4, 1)), 'not for x86-64'],
    ['a big-endian one', changed(VMLINUX, (v) => v.setUint8(5, 2)), 'not for x86-64'],
    ['one for ARM', changed(VMLINUX, (v) => v.setUint16(18, 183, true)), 'not for x86-64'],
    ['an object file', changed(VMLINUX, (v) => v.setUint16(16, 1, true)), 'no executable'],
    [
      'a program',
      elf([
        { address: 0x40_0000, bytes: CODE },
        { address: 0, bytes: CODE },
      ]),
      'below 0x100000',
    ],
    ['one with odd headers', changed(VMLINUX, (v) => v.setUint16(54, 32, true)), 'headers are malformed'],
    ['one cut in its headers', VMLINUX.slice(0, 100), 'headers are past its end'],
    ['one cut in a segment', VMLINUX.slice(0, 4000), 'a segment of it is past its end'],
    [
      'one with headers far away',
      changed(VMLINUX, (v) => v.setBigUint64(32, 2n ** 63n, true)),
      'past its end',
    ],
    [
      'one with more in the file than in memory',
      changed(VMLINUX, (v) => v.setBigUint64(segment + 40, 5n, true)),
      'a segment of it',
    ],
    [
      'one that begins elsewhere',
      elf([{ address: 2 * MIB, bytes: CODE }], 2 * MIB + 4096),
      'entry is outside',
    ],
    ['one without segments', elf([]), 'entry is outside'],
    [
      'a bzImage of 2.11',
      changed(image, (v) => v.setUint16(at.VERSION, 0x020b, true)),
      'protocol is 2.11, where 2.12',
    ],
    ['a 32-bit bzImage', changed(image, (v) => v.setUint16(at.XLOADFLAGS, 2, true)), 'no 64-bit entry'],
    ['a zImage', changed(image, (v) => v.setUint8(at.LOADFLAGS, 0)), 'header is malformed'],
    [
      'one with a short header',
      changed(image, (v) => v.setUint8(at.JUMP_LENGTH, 0x20)),
      'header is malformed',
    ],
    [
      'one with a long header',
      changed(image, (v) => v.setUint8(at.JUMP_LENGTH, 0xff)),
      'header is malformed',
    ],
    ['one cut short', image.slice(0, 4000), 'cut short'],
    ['one without code', changed(image, (v) => v.setUint32(at.SYSSIZE, 1, true)), 'cut short'],
    [
      'one with the last size of all',
      changed(image, (v) => v.setUint32(at.SYSSIZE, 0xffff_ffff, true)),
      'cut short',
    ],
    [
      'one that goes low',
      changed(image, (v) => v.setBigUint64(at.PREF_ADDRESS, 0n, true)),
      'header is malformed',
    ],
    [
      'one that needs less than it is',
      changed(image, (v) => v.setUint32(at.INIT_SIZE, 64, true)),
      'header is malformed',
    ],
  ])('%s', (_what, kernel, message) => {
    const memory = new Uint8Array(8 * MIB);
    let error: unknown;
    try {
      load({ kernel, memory });
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(OneclockError);
    expect((error as OneclockError).code).toBe('INPUT');
    expect((error as OneclockError).message).toContain(message);
    expect(memory.every((byte) => byte === 0)).toBe(true);
  });

  it('one that wants to be past all memory', () => {
    for (const address of [8 * MIB, 2n ** 40n, 2n ** 64n - 4096n]) {
      expect(() => load({ kernel: elf([{ address, bytes: CODE }]) })).toThrow(OneclockError);
    }
  });
});

describe('a kernel with bytes changed', () => {
  const CANARY = 64;
  const value = fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 2, 0x7f, 0x80, 0xff));
  const changes = fc.array(fc.record({ at: fc.nat(0x2a0), value }), { minLength: 1, maxLength: 8 });
  it.each([
    ['vmlinux', VMLINUX],
    ['bzImage', bzImage(CODE)],
  ])('is loaded or refused, and nothing is written elsewhere: %s', (_kind, kernel) => {
    const all = new Uint8Array(8 * MIB + 2 * CANARY);
    let refusals = 0;
    fc.assert(
      fc.property(changes, fc.option(fc.nat(kernel.length), { freq: 5 }), (list, cut) => {
        const file = kernel.slice(0, cut ?? kernel.length);
        for (const each of list) if (each.at < file.length) file[each.at] = each.value;
        all.fill(0xa5, 0, CANARY).fill(0xa5, CANARY + 8 * MIB);
        try {
          const { entry } = load({ kernel: file, memory: all.subarray(CANARY, CANARY + 8 * MIB) });
          expect(entry.address).toBeGreaterThanOrEqual(MIB);
          expect(entry.address).toBeLessThan(8 * MIB);
        } catch (error) {
          if (!(error instanceof OneclockError)) throw error;
          expect(error.code).toBe('INPUT');
          refusals++;
        }
        const edges = [...all.subarray(0, CANARY), ...all.subarray(CANARY + 8 * MIB)];
        expect(edges.every((byte) => byte === 0xa5)).toBe(true);
      }),
      { numRuns: 3000 },
    );
    expect(refusals).toBeGreaterThan(100);
    expect(refusals).toBeLessThan(3000);
  });

  it('or bytes that are all random', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 1000 }), (kernel) => {
        expect(() => load({ kernel })).toThrow(OneclockError);
      }),
      { numRuns: 200 },
    );
  });
});

const { CC: compiler = 'cc' } = process.env;
const lacking =
  !existsSync('/usr/include/linux/virtio_ring.h') || spawnSync(compiler, ['--version']).status !== 0;

describe.skipIf(lacking)(
  `the boot protocol${lacking ? ' (needs a C compiler and linux-libc-dev)' : ''}`,
  () => {
    it('is what the kernel headers say', () => {
      const fields: [number, string][] = [
        [boot.BootParams.ACPI_RSDP, 'offsetof(struct boot_params, acpi_rsdp_addr)'],
        [boot.BootParams.E820_ENTRIES, 'offsetof(struct boot_params, e820_entries)'],
        [boot.BootParams.SETUP_HEADER, 'offsetof(struct boot_params, hdr)'],
        [boot.BootParams.E820_TABLE, 'offsetof(struct boot_params, e820_table)'],
        [boot.BootParams.BYTES, 'sizeof(struct boot_params)'],
        [boot.E820_ENTRY_BYTES, 'sizeof(struct boot_e820_entry)'],
        [boot.SetupHeader.JUMP_LENGTH, 'offsetof(struct boot_params, hdr.jump) + 1'],
        [boot.SetupHeader.MAX_END, 'offsetof(struct boot_params, edd_mbr_sig_buffer)'],
        [boot.SetupHeader.MIN_END, 'offsetof(struct boot_params, hdr.handover_offset) + 4'],
        [boot.LOADED_HIGH, 'LOADED_HIGH'],
        [boot.XLF_KERNEL_64, 'XLF_KERNEL_64'],
        [boot.SETUP_RNG_SEED, '9 /* SETUP_RNG_SEED, which older headers do not have */'],
        [boot.SetupData.TYPE, 'offsetof(struct setup_data, type)'],
        [boot.SetupData.LENGTH, 'offsetof(struct setup_data, len)'],
        [boot.SetupData.DATA, 'offsetof(struct setup_data, data)'],
      ];
      for (const [name, offset] of Object.entries(boot.SetupHeader)) {
        if (!['JUMP_LENGTH', 'MIN_END', 'MAX_END'].includes(name))
          fields.push([offset, `offsetof(struct boot_params, hdr.${name.toLowerCase()})`]);
      }
      const folder = mkdtempSync(join(tmpdir(), 'oneclock-boot-'));
      try {
        const asserts = fields.map(([value, text]) => `_Static_assert(${text} == ${value}, "${text}");`);
        const source = `#include <stddef.h>\n#include <asm/bootparam.h>\n${asserts.join('\n')}\n`;
        const built = spawnSync(compiler, ['-c', '-x', 'c', '-', '-o', join(folder, 'o')], { input: source });
        expect(built.stderr.toString()).toBe('');
        expect(built.status).toBe(0);
      } finally {
        rmSync(folder, { recursive: true });
      }
    });
  },
);
