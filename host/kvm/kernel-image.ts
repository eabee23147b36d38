// SPDX-License-Identifier: MIT
import { OneclockError } from '../../backend/errors.js';
import * as boot from './boot-params.js';

/** What a kernel file puts into memory. */
export interface KernelImage {
  /** Bytes of the file and where they go. */
  readonly pieces: readonly KernelPiece[];
  /** The first address of what the kernel needs, and the first one past it. */
  readonly start: number;
  readonly end: number;
  /** Its 64-bit entry. */
  readonly entry: number;
  /** The setup header, from {@link boot.BootParams.SETUP_HEADER} on. */
  readonly header: Uint8Array;
  /** The last address that the initial file system may have. */
  readonly initrdMax: number;
  /** Bytes, without the zero behind it. */
  readonly commandLineMax: number;
}

export interface KernelPiece {
  readonly address: number;
  readonly bytes: Uint8Array;
}

/** Kernels are above what PCs have below 1 MiB. */
const LOWEST = 0x10_0000;
/** What a vmlinux, which has no header, is known to take: COMMAND_LINE_SIZE, and the least that any version had. */
const COMMAND_LINE_MAX = 2047;
const INITRD_MAX = 0x7fff_ffff;

const ELF_MAGIC = 0x464c_457f;
/** Fields of an ELF file with 64 bits. */
const Elf = {
  CLASS: 4,
  DATA: 5,
  TYPE: 16,
  MACHINE: 18,
  ENTRY: 24,
  PHOFF: 32,
  PHENTSIZE: 54,
  PHNUM: 56,
} as const;
const ELF_HEADER_BYTES = 64;
const CLASS_64 = 2;
const LITTLE_ENDIAN = 1;
const X86_64 = 62;
const TYPES: readonly number[] = [2, 3]; // executable, position-independent
/** Fields of a program header. */
const Program = { TYPE: 0, OFFSET: 8, PADDR: 24, FILESZ: 32, MEMSZ: 40, BYTES: 56 } as const;
const LOAD = 1;

/**
 * Reads a kernel: an ELF vmlinux or a bzImage with a 64-bit entry. Nothing is copied.
 *
 * @throws OneclockError `INPUT` for any other file
 */
export function readKernel(file: Uint8Array): KernelImage {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if (file.length >= ELF_HEADER_BYTES && view.getUint32(0, true) === ELF_MAGIC) return readElf(file, view);
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

function readElf(file: Uint8Array, view: DataView): KernelImage {
  const is64 = view.getUint8(Elf.CLASS) === CLASS_64 && view.getUint8(Elf.DATA) === LITTLE_ENDIAN;
  if (!is64 || view.getUint16(Elf.MACHINE, true) !== X86_64) throw refused('it is not for x86-64');
  if (!TYPES.includes(view.getUint16(Elf.TYPE, true))) throw refused('it is an ELF file, but no executable');
  if (view.getUint16(Elf.PHENTSIZE, true) !== Program.BYTES)
    throw refused('its program headers are malformed');
  const first = wide(view, Elf.PHOFF);
  const count = view.getUint16(Elf.PHNUM, true);
  if (first + count * Program.BYTES > file.length) throw refused('its program headers are past its end');
  const pieces: KernelPiece[] = [];
  let [start, end] = [Number.POSITIVE_INFINITY, 0];
  for (let at = first; at < first + count * Program.BYTES; at += Program.BYTES) {
    if (view.getUint32(at + Program.TYPE, true) !== LOAD) continue;
    const [offset, address] = [wide(view, at + Program.OFFSET), wide(view, at + Program.PADDR)];
    const [size, room] = [wide(view, at + Program.FILESZ), wide(view, at + Program.MEMSZ)];
    if (room === 0) continue;
    if (size > room || offset + size > file.length) throw refused('a segment of it is past its end');
    if (address < LOWEST) throw refused(`it wants to be at 0x${address.toString(16)}, below 1 MiB`);
    pieces.push({ address, bytes: file.subarray(offset, offset + size) });
    start = Math.min(start, address);
    end = Math.max(end, address + room);
  }
  const entry = wide(view, Elf.ENTRY);
  if (!pieces.some(({ address, bytes }) => entry >= address && entry < address + bytes.length)) {
    throw refused('its entry is outside of it');
  }
  return {
    pieces,
    start,
    end,
    entry,
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
