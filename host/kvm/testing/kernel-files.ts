// SPDX-License-Identifier: MIT

const MIB = 1024 * 1024;

export interface Segment {
  readonly address: number | bigint;
  readonly bytes: Uint8Array;
  /** Bytes in memory, if others than in the file. */
  readonly room?: number;
}

/** An ELF file for x86-64, as a vmlinux is one. */
export function elf(
  segments: readonly Segment[],
  entry: number | bigint = segments[0]?.address ?? 0,
): Uint8Array {
  const headers = 64 + 56 * segments.length;
  const file = new Uint8Array(segments.reduce((size, { bytes }) => size + bytes.length, headers));
  const view = new DataView(file.buffer);
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, 2, true);
  view.setUint16(18, 62, true);
  view.setBigUint64(24, BigInt(entry), true);
  view.setBigUint64(32, 64n, true);
  view.setUint16(54, 56, true);
  view.setUint16(56, segments.length, true);
  let offset = headers;
  segments.forEach(({ address, bytes, room = bytes.length }, i) => {
    const at = 64 + 56 * i;
    view.setUint32(at, 1, true);
    view.setBigUint64(at + 8, BigInt(offset), true);
    view.setBigUint64(at + 16, 0xffff_ffff_8000_0000n, true);
    view.setBigUint64(at + 24, BigInt(address), true);
    view.setBigUint64(at + 32, BigInt(bytes.length), true);
    view.setBigUint64(at + 40, BigInt(room), true);
    file.set(bytes, offset);
    offset += bytes.length;
  });
  return file;
}

/** A bzImage with 1024 bytes of setup, `code` and a signature behind it. */
export function bzImage(code: Uint8Array, signature = new Uint8Array(100)): Uint8Array {
  const file = new Uint8Array(1024 + code.length + signature.length);
  const view = new DataView(file.buffer);
  view.setUint8(0x1f1, 1);
  view.setUint32(0x1f4, code.length / 16, true);
  view.setUint16(0x1fe, 0xaa55, true);
  view.setUint8(0x200, 0xeb);
  view.setUint8(0x201, 0x6a);
  file.set(Buffer.from('HdrS'), 0x202);
  view.setUint16(0x206, 0x020f, true);
  view.setUint8(0x211, 1);
  view.setUint32(0x22c, 0x7fff_ffff, true);
  view.setUint16(0x236, 1, true);
  view.setUint32(0x238, 2047, true);
  view.setBigUint64(0x258, BigInt(2 * MIB), true);
  view.setUint32(0x260, MIB, true);
  file.set(code, 1024);
  file.set(signature, 1024 + code.length);
  return file;
}
