// SPDX-License-Identifier: MIT
import { invariant, OneclockError } from '../../backend/errors.js';
import { type AcpiDevice, acpiTables } from './acpi.js';
import {
  BootParams,
  E820_ENTRY_BYTES,
  E820_RAM,
  SETUP_RNG_SEED,
  SetupData,
  SetupHeader,
  UNDEFINED_LOADER,
} from './boot-params.js';
import { readKernel } from './kernel-image.js';
import type { Entry } from './machine.js';

export interface LinuxOptions {
  /** The guest's, from address 0 on, and zero. */
  readonly memory: Uint8Array;
  /** An ELF vmlinux or a bzImage. */
  readonly kernel: Uint8Array;
  /** An archive with the initial file system. */
  readonly initrd: Uint8Array;
  readonly commandLine: string;
  /** 32 bytes: all the randomness that the guest has at first, if it has `random.trust_bootloader=on`. */
  readonly seed: Uint8Array;
  /** Virtio devices that it finds by tables of ACPI; none are written where this is left out. */
  readonly acpi?: readonly AcpiDevice[];
}

const PAGE_BYTES = 4096;
const SEED_BYTES = 32;
const MIB = 1024 * 1024;

/**
 * Where things are below 1 MiB. From Machine.IMAGE_BASE on, for what is below it holds the processor's first tables and
 * stack.
 */
const BOOT_PARAMS = 0x1_0000;
const SETUP_DATA = 0x1_1000;
const COMMAND_LINE = 0x1_2000;
/** The longest command line that there is room for. */
const COMMAND_LINE_ROOM = 0x1_0000;
/** Where a PC's conventional memory ends: the BIOS has its data area behind it. */
const LOW_END = 0x9_fc00;
/** Where a PC's firmware is, which is no memory to the kernel. */
const ACPI = 0xe_0000;

/**
 * Puts a Linux kernel and all it needs into a guest's memory, by the 64-bit boot protocol.
 *
 * @throws OneclockError `INPUT` for what is no kernel for such guests, or does not fit
 */
export function loadLinux({ memory, kernel, initrd, commandLine, seed, acpi }: LinuxOptions): Entry {
  invariant(seed.length === SEED_BYTES, () => `a seed of ${seed.length} bytes`);
  const image = readKernel(kernel);
  if (image.end > memory.length) {
    throw unfit(
      memory,
      `the kernel has to be at ${mib(image.start)} and needs memory up to ${mib(image.end)} MiB`,
    );
  }
  const top = Math.min(memory.length, image.initrdMax + 1);
  const initrdAt = Math.floor((top - initrd.length) / PAGE_BYTES) * PAGE_BYTES;
  if (initrdAt < image.end) {
    throw unfit(
      memory,
      `behind the kernel, from ${mib(image.end)} MiB on, there is no room for an initial file system of ${mib(initrd.length)} MiB below ${mib(top)} MiB`,
    );
  }
  const words = encodeCommandLine(commandLine, image.commandLineMax);

  for (const { address, bytes } of image.pieces) memory.set(bytes, address);
  memory.set(initrd, initrdAt);
  memory.set(words, COMMAND_LINE);
  memory.fill(0, COMMAND_LINE + words.length, COMMAND_LINE + words.length + 1);

  const view = new DataView(memory.buffer, memory.byteOffset, memory.byteLength);
  view.setBigUint64(SETUP_DATA + SetupData.NEXT, 0n, true);
  view.setUint32(SETUP_DATA + SetupData.TYPE, SETUP_RNG_SEED, true);
  view.setUint32(SETUP_DATA + SetupData.LENGTH, SEED_BYTES, true);
  memory.set(seed, SETUP_DATA + SetupData.DATA);

  memory.fill(0, BOOT_PARAMS, BOOT_PARAMS + BootParams.BYTES);
  memory.set(image.header, BOOT_PARAMS + BootParams.SETUP_HEADER);
  view.setUint8(BOOT_PARAMS + SetupHeader.TYPE_OF_LOADER, UNDEFINED_LOADER);
  view.setUint32(BOOT_PARAMS + SetupHeader.RAMDISK_IMAGE, initrdAt, true);
  view.setUint32(BOOT_PARAMS + SetupHeader.RAMDISK_SIZE, initrd.length, true);
  view.setUint32(BOOT_PARAMS + SetupHeader.CMD_LINE_PTR, COMMAND_LINE, true);
  view.setBigUint64(BOOT_PARAMS + SetupHeader.SETUP_DATA, BigInt(SETUP_DATA), true);
  if (acpi !== undefined) {
    memory.set(acpiTables(ACPI, acpi), ACPI);
    view.setBigUint64(BOOT_PARAMS + BootParams.ACPI_RSDP, BigInt(ACPI), true);
  }
  writeMemoryMap(view, [
    [0, LOW_END],
    [MIB, memory.length - MIB],
  ]);
  return { address: image.entry, argument: BOOT_PARAMS };
}

function writeMemoryMap(view: DataView, spans: readonly (readonly [address: number, size: number])[]): void {
  view.setUint8(BOOT_PARAMS + BootParams.E820_ENTRIES, spans.length);
  spans.forEach(([address, size], i) => {
    const at = BOOT_PARAMS + BootParams.E820_TABLE + i * E820_ENTRY_BYTES;
    view.setBigUint64(at, BigInt(address), true);
    view.setBigUint64(at + 8, BigInt(size), true);
    view.setUint32(at + 16, E820_RAM, true);
  });
}

function encodeCommandLine(text: string, kernelMax: number): Uint8Array {
  const bytes = Buffer.from(text);
  const most = Math.min(kernelMax, COMMAND_LINE_ROOM - 1);
  if (bytes.length > most) {
    throw new OneclockError(
      'INPUT',
      `the kernel takes a command line of at most ${most} bytes, found ${bytes.length}`,
    );
  }
  if (!/^[ -~]*$/.test(text)) {
    throw new OneclockError('INPUT', `a command line is printable ASCII, found ${JSON.stringify(text)}`);
  }
  return bytes;
}

function unfit(memory: Uint8Array, why: string): OneclockError {
  return new OneclockError(
    'INPUT',
    `the guest's memory of ${mib(memory.length)} MiB does not do: ${why}; give it more`,
  );
}

function mib(bytes: number): string {
  return (bytes / MIB).toFixed(1);
}
