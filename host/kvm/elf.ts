// SPDX-License-Identifier: MIT
import { OneclockError } from '../../backend/errors.js';

/** What an executable puts into memory. */
export interface ElfImage {
  /** Bytes of the file and where they go; what is not among them is zero. */
  readonly pieces: readonly ElfPiece[];
  /** The first address of what it needs, and the first one past it. */
  readonly start: number;
  readonly end: number;
  readonly entry: number;
}

export interface ElfPiece {
  readonly address: number;
  readonly bytes: Uint8Array;
}

const MAGIC = 0x464c_457f;
/** Fields of the header of a file with 64 bits. */
const Header = {
  CLASS: 4,
  DATA: 5,
  TYPE: 16,
  MACHINE: 18,
  ENTRY: 24,
  PHOFF: 32,
  PHENTSIZE: 54,
  PHNUM: 56,
  BYTES: 64,
} as const;
const CLASS_64 = 2;
const LITTLE_ENDIAN = 1;
const X86_64 = 62;
const EXECUTABLE = 2;
const POSITION_INDEPENDENT = 3;
/** Fields of a program header. */
const Program = { TYPE: 0, OFFSET: 8, PADDR: 24, FILESZ: 32, MEMSZ: 40, BYTES: 56 } as const;
const LOAD = 1;

export function isElf(file: Uint8Array): boolean {
  return file.length >= Header.BYTES && viewOf(file).getUint32(0, true) === MAGIC;
}

/**
 * Reads an executable for x86-64, whose physical addresses count. Nothing is copied.
 *
 * @param lowest the least address that it may have
 * @throws OneclockError `INPUT`, with what is wrong
 */
export function readElf(file: Uint8Array, lowest: number): ElfImage {
  if (!isElf(file)) throw refused('it is no ELF file');
  const view = viewOf(file);
  if (
    view.getUint8(Header.CLASS) !== CLASS_64 ||
    view.getUint8(Header.DATA) !== LITTLE_ENDIAN ||
    view.getUint16(Header.MACHINE, true) !== X86_64
  ) {
    throw refused('it is not for x86-64');
  }
  const type = view.getUint16(Header.TYPE, true);
  if (type !== EXECUTABLE && type !== POSITION_INDEPENDENT) throw refused('it is no executable');
  const first = wide(view, Header.PHOFF);
  const count = view.getUint16(Header.PHNUM, true);
  if (view.getUint16(Header.PHENTSIZE, true) !== Program.BYTES) {
    throw refused('its program headers are malformed');
  }
  if (first + count * Program.BYTES > file.length) throw refused('its program headers are past its end');
  const pieces: ElfPiece[] = [];
  let [start, end] = [Number.POSITIVE_INFINITY, 0];
  for (let at = first; at < first + count * Program.BYTES; at += Program.BYTES) {
    if (view.getUint32(at + Program.TYPE, true) !== LOAD) continue;
    const [offset, address] = [wide(view, at + Program.OFFSET), wide(view, at + Program.PADDR)];
    const [size, room] = [wide(view, at + Program.FILESZ), wide(view, at + Program.MEMSZ)];
    if (room === 0) continue;
    if (size > room || offset + size > file.length) throw refused('a segment of it is past its end');
    if (address < lowest) throw refused(`a segment of it is at ${hex(address)}, below ${hex(lowest)}`);
    pieces.push({ address, bytes: file.subarray(offset, offset + size) });
    start = Math.min(start, address);
    end = Math.max(end, address + room);
  }
  const entry = wide(view, Header.ENTRY);
  if (!pieces.some(({ address, bytes }) => entry >= address && entry < address + bytes.length)) {
    throw refused('its entry is outside of it');
  }
  return { pieces, start, end, entry };
}

function viewOf(file: Uint8Array): DataView {
  return new DataView(file.buffer, file.byteOffset, file.byteLength);
}

/** A number of 64 bits. One that no memory and no file can have is infinite. */
function wide(view: DataView, at: number): number {
  const high = view.getUint32(at + 4, true);
  return high > 0xffff ? Number.POSITIVE_INFINITY : high * 0x1_0000_0000 + view.getUint32(at, true);
}

function hex(address: number): string {
  return `0x${address.toString(16)}`;
}

function refused(why: string): OneclockError {
  return new OneclockError('INPUT', `not a program that a KVM guest can run: ${why}`);
}
