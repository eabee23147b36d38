// SPDX-License-Identifier: MIT
import { OneclockError } from '../backend/errors.js';

/**
 * Writes archives in cpio's "newc" format, which the kernel unpacks as an initramfs
 * (Documentation/driver-api/early-userspace/buffer-format.rst). The same entries give the same bytes: every
 * entry belongs to root and was last changed at 1970-01-01T00:00:00Z.
 */

export type CpioEntry =
  | { readonly type: 'directory'; readonly name: string; readonly mode: number }
  | { readonly type: 'file'; readonly name: string; readonly mode: number; readonly content: Uint8Array };

/** File types in `st_mode`. */
const S_IFDIR = 0o040000;
const S_IFREG = 0o100000;

const MAGIC = '070701';
const HEADER_SIZE = 110;
const TRAILER = 'TRAILER!!!';
/** The kernel skips entries with longer names (PATH_MAX, with the zero behind the name). */
const MAX_NAME = 4095;
const MAX_CONTENT = 0xffff_ffff;
/** What cpio pads an archive to. */
const BLOCK = 512;

/** An archive of `entries`, in their order; a multiple of 512 bytes. Throws `INPUT` for an impossible entry. */
export function writeCpio(entries: readonly CpioEntry[]): Uint8Array {
  const pieces: Uint8Array[] = [];
  let size = 0;
  const append = (bytes: Uint8Array, alignment: number): void => {
    pieces.push(bytes);
    size += bytes.length;
    const padding = -size & (alignment - 1);
    if (padding > 0) pieces.push(new Uint8Array(padding));
    size += padding;
  };

  const seen = new Set<string>();
  entries.forEach((entry, index) => {
    checkName(entry.name);
    if (seen.has(entry.name)) throw refused(entry.name, 'a name that is there once');
    seen.add(entry.name);
    const content = entry.type === 'file' ? entry.content : new Uint8Array();
    if (content.length > MAX_CONTENT) throw refused(entry.name, `at most ${MAX_CONTENT} bytes of content`);
    const mode = (entry.type === 'file' ? S_IFREG : S_IFDIR) | (entry.mode & 0o7777);
    append(header(index + 1, mode, entry.type === 'file' ? 1 : 2, entry.name, content.length), 4);
    append(content, 4);
  });
  append(header(0, 0, 1, TRAILER, 0), BLOCK);
  return Buffer.concat(pieces, size);
}

function checkName(name: string): void {
  if (name === TRAILER) throw refused(name, 'not the name that ends an archive');
  if (name.includes('\0')) throw refused(name, 'no zero byte');
  if (Buffer.byteLength(name) > MAX_NAME) throw refused(name, `at most ${MAX_NAME} bytes`);
  if (name.split('/').some((part) => part === '' || part === '.' || part === '..')) {
    throw refused(name, 'a path from the root of the archive, such as etc/hosts');
  }
}

function refused(name: string, expected: string): OneclockError {
  return new OneclockError('INPUT', `archive entry: expected ${expected}, found ${JSON.stringify(name)}`);
}

/** The header and the name behind it, with its zero. */
function header(inode: number, mode: number, links: number, name: string, contentSize: number): Uint8Array {
  const nameSize = Buffer.byteLength(name) + 1;
  const [owner, group, changed, device, checksum] = [0, 0, 0, 0, 0];
  const fields = [inode, mode, owner, group, links, changed, contentSize, device, device, device, device];
  const text = [...fields, nameSize, checksum].map((field) => field.toString(16).padStart(8, '0')).join('');
  const bytes = Buffer.alloc(HEADER_SIZE + nameSize);
  bytes.write(MAGIC + text, 0, 'latin1');
  bytes.write(name, HEADER_SIZE, 'utf8');
  return bytes;
}
