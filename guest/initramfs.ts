// SPDX-License-Identifier: MIT
import { appendFileSync, copyFileSync, statSync } from 'node:fs';
import { isIP } from 'node:net';
import { normalize } from 'node:path';
import { OneclockError } from '../backend/errors.js';
import { MAX_ADDRESSES, MAX_INTERFACES, MAX_RUN } from '../backend/topology/limits.js';
import type { NodeSpec } from '../backend/topology/model.js';
import { type CpioEntry, writeCpio } from './cpio.js';

/** A file for one guest. */
export interface GuestFile {
  readonly name: string;
  /** Root's, who owns it. */
  readonly mode: number;
  readonly content: Uint8Array;
}

/** A kernel module. */
export interface GuestModule {
  /** As in `virtio_net.ko`. */
  readonly name: string;
  readonly content: Uint8Array;
}

/** What a guest must know of itself. */
export interface GuestDescription extends Pick<NodeSpec, 'root' | 'interfaces' | 'run'> {
  readonly hostname: string;
  /** The TCP port of its loopback interface that the controller reaches through the console's port of the relay. */
  readonly relay?: number;
  /** Whether its init is an agent too, which does what the controller says. */
  readonly agent?: boolean;
  /** They are in {@link GUEST_FILES} there. */
  readonly files?: readonly GuestFile[];
  /** Folders of the host that it sees although they are below one of those that are its own, such as /tmp. */
  readonly shown?: readonly string[];
  /** What its kernel has not built in, in the order in which it is to take them; it has to be told {@link MODULES_ARGUMENT}. */
  readonly modules?: readonly GuestModule[];
}

/** The folder that holds a guest's own files, in the guest. */
export const GUEST_FILES = '/run/oneclock';

/** The end of the command line of a kernel whose guest has modules. */
export const MODULES_ARGUMENT = '-- modules';

/** Bytes of a description, interfaces and addresses; the same limits as in guest/init/node.h. */
export const MAX_DESCRIPTION = 65536;
export const MAX_HOSTNAME = 64;
export const MAX_SHOWN = 4;
export const MAX_SHOWN_PATH = 1024;

/** What `node` says of its guest, and whether the run wants an agent in it. */
export function describeGuest(node: NodeSpec, agent = false): GuestDescription {
  const { name: hostname, root, interfaces, run } = node;
  return { hostname, root, interfaces, run, ...(agent && { agent }) };
}

/**
 * Writes the initramfs of one guest to `path`: the archive `base` that guest/build.sh makes, and behind it the guest's
 * own files. The kernel unpacks both. The same input gives the same bytes. The base does not pass through this process.
 *
 * @throws OneclockError `INPUT` for what the guest's init would not take, such as a name with a line end
 */
export function writeInitramfs(base: string, guest: GuestDescription, path: string): void {
  const own = writeCpio(guestFiles(guest));
  copyFileSync(base, path);
  // An archive has to begin at a multiple of 4 bytes; the kernel skips zeros before it.
  const gap = -statSync(path).size & 3;
  appendFileSync(path, Buffer.concat([new Uint8Array(gap), own]));
}

function guestFiles(guest: GuestDescription): CpioEntry[] {
  const files: CpioEntry[] = [
    { type: 'directory', name: 'oneclock', mode: 0o755 },
    { type: 'file', name: 'oneclock/node', mode: 0o644, content: Buffer.from(formatDescription(guest)) },
  ];
  if (guest.run !== undefined) {
    const content = Buffer.from(guest.run);
    check(content.length <= MAX_RUN, `a command of at most ${MAX_RUN} bytes`, `${content.length} bytes`);
    check(!content.includes(0), 'a command without a zero byte', guest.run);
    files.push({ type: 'file', name: 'oneclock/run', mode: 0o644, content });
  }
  if (guest.files !== undefined) {
    files.push({ type: 'directory', name: 'oneclock/files', mode: 0o755 });
    for (const { name, ...rest } of guest.files) {
      files.push({ type: 'file', name: `oneclock/files/${name}`, ...rest });
    }
  }
  if (guest.modules !== undefined) {
    files.push({ type: 'directory', name: 'oneclock/modules', mode: 0o755 });
    for (const { name, content } of guest.modules) {
      check(/^[\w-]{1,64}\.ko$/.test(name), "a module's name, such as virtio_net.ko", name);
      files.push({ type: 'file', name: `oneclock/modules/${name}`, mode: 0o644, content });
    }
    const list = guest.modules.map(({ name }) => `${name}\n`).join('');
    files.push({ type: 'file', name: 'oneclock/modules/list', mode: 0o644, content: Buffer.from(list) });
  }
  return files;
}

/** The text of `/oneclock/node`; guest/init/node.h says what it means. */
export function formatDescription(guest: GuestDescription): string {
  check(isWord(guest.hostname) && guest.hostname.length <= MAX_HOSTNAME, 'a hostname', guest.hostname);
  const lines = [`hostname ${guest.hostname}`, `root ${guest.root}`];
  const names = new Set<string>();
  const macs = new Set<string>();
  for (const { name, mac, mtu, addresses } of guest.interfaces) {
    check(isInterfaceName(name) && !names.has(name), 'the name of one interface', name);
    names.add(name);
    const macText = Buffer.from(mac)
      .toString('hex')
      .replace(/..(?=.)/g, '$&:');
    check(mac.length === 6 && !macs.has(macText), 'the six-byte MAC address of one interface', macText);
    macs.add(macText);
    check(Number.isInteger(mtu) && mtu >= 68 && mtu <= 65535, 'an MTU from 68 to 65535', String(mtu));
    lines.push(`interface ${macText} ${name} ${mtu}`);
    for (const address of addresses) {
      check(isAddress(address), 'an address such as 10.0.0.1/24', address);
      lines.push(`address ${name} ${address}`);
    }
  }
  const addressCount = lines.length - 2 - guest.interfaces.length;
  check(
    guest.interfaces.length <= MAX_INTERFACES,
    `at most ${MAX_INTERFACES} interfaces`,
    String(names.size),
  );
  check(addressCount <= MAX_ADDRESSES, `at most ${MAX_ADDRESSES} addresses`, String(addressCount));
  if (guest.relay !== undefined) {
    const { relay } = guest;
    check(Number.isInteger(relay) && relay >= 1 && relay <= 65535, 'a TCP port', String(relay));
    lines.push(`relay ${relay}`);
  }
  if (guest.files !== undefined) lines.push('files');
  const { shown = [] } = guest;
  check(shown.length <= MAX_SHOWN, `at most ${MAX_SHOWN} folders to show`, String(shown.length));
  for (const path of shown) {
    const possible = isWord(path) && path.length < MAX_SHOWN_PATH && path === normalize(path);
    check(possible && path.startsWith('/'), 'an absolute path without blanks', path);
    lines.push(`show ${path}`);
  }
  if (guest.agent) lines.push('agent');
  const text = `${lines.join('\n')}\n`;
  check(
    text.length <= MAX_DESCRIPTION,
    `at most ${MAX_DESCRIPTION} bytes of description`,
    `${text.length} bytes`,
  );
  return text;
}

/** Printable ASCII without a blank: what init reads as one word. */
function isWord(text: string): boolean {
  return /^[!-~]+$/.test(text);
}

/** What the kernel takes as an interface's name (dev_valid_name). */
function isInterfaceName(text: string): boolean {
  return isWord(text) && text.length <= 15 && !/[/:%]/.test(text) && text !== '.' && text !== '..';
}

function isAddress(text: string): boolean {
  const [, address = '', prefix = ''] = /^([0-9a-fA-F.:]+)\/([0-9]{1,3})$/.exec(text) ?? [];
  const family = isIP(address);
  return family !== 0 && Number(prefix) <= (family === 4 ? 32 : 128);
}

function check(condition: boolean, expected: string, found: string): void {
  if (condition) return;
  throw new OneclockError('INPUT', `guest description: expected ${expected}, found ${JSON.stringify(found)}`);
}
