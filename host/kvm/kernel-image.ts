// SPDX-License-Identifier: MIT
import { OneclockError } from '../../backend/errors.js';
import * as boot from './boot-params.js';
import { type ElfImage, isElf, readElf } from './elf.js';

/** What a kernel file puts into memory. */
export interface KernelImage extends ElfImage {
  /** The setup header, from {@link boot.BootParams.SETUP_HEADER} on. */
  readonly header: Uint8Array;
  /** The last address that the initial file system may have. */
  readonly initrdMax: number;
  /** Bytes, without the zero behind it. */
  readonly commandLineMax: number;
}

/** Kernels are above what PCs have below 1 MiB. */
const LOWEST = 0x10_0000;
/** What a vmlinux, which has no header, is known to take: COMMAND_LINE_SIZE, and the least that any version had. */
const COMMAND_LINE_MAX = 2047;
const INITRD_MAX = 0x7fff_ffff;

/**
 * Reads a kernel: an ELF vmlinux or a bzImage with a 64-bit entry. Nothing is copied.
 *
 * @throws OneclockError `INPUT` for any other file
 */
export function readKernel(file: Uint8Array): KernelImage {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if (isElf(file)) return readVmlinux(file);
  const { BOOT_FLAG, HEADER, MAX_END } = boot.SetupHeader;
  if (
    file.length >= MAX_END &&
    view.getUint16(BOOT_FLAG, true) === boot.BOOT_FLAG &&
    view.getUint32(HEADER, true) === boot.HEADER_MAGIC
  ) {
    return readBzImage(file, view);
  }
  throw refused('it is neither an ELF file (vmlinux) nor a bzImage');
}

function readVmlinux(file: Uint8Array): KernelImage {
  return {
    ...readElf(file, LOWEST),
    header: ownHeader(),
    initrdMax: INITRD_MAX,
    commandLineMax: COMMAND_LINE_MAX,
  };
}

/** What a vmlinux has no header for. */
function ownHeader(): Uint8Array {
  const { SETUP_HEADER } = boot.BootParams;
  const { BOOT_FLAG, HEADER, VERSION, LOADFLAGS, MIN_END } = boot.SetupHeader;
  const header = new Uint8Array(MIN_END - SETUP_HEADER);
  const view = new DataView(header.buffer);
  view.setUint16(BOOT_FLAG - SETUP_HEADER, boot.BOOT_FLAG, true);
  view.setUint32(HEADER - SETUP_HEADER, boot.HEADER_MAGIC, true);
  view.setUint16(VERSION - SETUP_HEADER, boot.MIN_VERSION, true);
  view.setUint8(LOADFLAGS - SETUP_HEADER, boot.LOADED_HIGH);
  return header;
}

function readBzImage(file: Uint8Array, view: DataView): KernelImage {
  const H = boot.SetupHeader;
  const version = view.getUint16(H.VERSION, true);
  if (version < boot.MIN_VERSION) {
    throw refused(
      `its boot protocol is ${version >> 8}.${String(version & 0xff).padStart(2, '0')}, where 2.12 is needed`,
    );
  }
  if ((view.getUint16(H.XLOADFLAGS, true) & boot.XLF_KERNEL_64) === 0) {
    throw refused('it has no 64-bit entry: a kernel for x86-64 is needed');
  }
  const headerEnd = H.HEADER + view.getUint8(H.JUMP_LENGTH);
  if (
    headerEnd < H.MIN_END ||
    headerEnd > H.MAX_END ||
    (view.getUint8(H.LOADFLAGS) & boot.LOADED_HIGH) === 0
  ) {
    throw refused('its setup header is malformed');
  }
  const from = ((view.getUint8(H.SETUP_SECTS) || 4) + 1) * boot.SECTOR_BYTES;
  const size = view.getUint32(H.SYSSIZE, true) * 16;
  // What lies behind it is a signature.
  if (size <= boot.ENTRY_64 || from + size > file.length) throw refused('it is cut short');
  const start = wide(view, H.PREF_ADDRESS);
  const room = view.getUint32(H.INIT_SIZE, true);
  if (start < LOWEST || room < size) throw refused('its setup header is malformed');
  return {
    pieces: [{ address: start, bytes: file.subarray(from, from + size) }],
    start,
    end: start + room,
    entry: start + boot.ENTRY_64,
    header: file.subarray(boot.BootParams.SETUP_HEADER, headerEnd),
    initrdMax: view.getUint32(H.INITRD_ADDR_MAX, true),
    commandLineMax: view.getUint32(H.CMDLINE_SIZE, true),
  };
}

/** A number of 64 bits. One that no memory and no file can have is infinite. */
function wide(view: DataView, at: number): number {
  const high = view.getUint32(at + 4, true);
  return high > 0xffff ? Number.POSITIVE_INFINITY : high * 0x1_0000_0000 + view.getUint32(at, true);
}

function refused(why: string): OneclockError {
  return new OneclockError('INPUT', `not a kernel that a KVM guest can boot: ${why}`);
}
