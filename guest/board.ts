// SPDX-License-Identifier: MIT

import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { OneclockError } from '../backend/errors.js';
import { packageFile } from '../host/package-root.js';
import { GUEST_FILES, type GuestDescription } from './initramfs.js';

/** Where the agent listens in a virtual board: the port of boards. */
const AGENT_PORT = 7424;
const KEY_FILE = 'board.key';

/** Folders that a guest has of its own. */
const OWN_FOLDERS = /^\/(tmp|run|var\/run|var\/lock)\//;

/**
 * The module for the guest kernel of this package.
 *
 * @throws OneclockError `MACHINE` where it is missing
 */
export function boardModule(): string {
  const module = packageFile('kmod/build/uml/vtgpio.ko');
  if (existsSync(module)) return module;
  const command = existsSync(packageFile('Makefile')) ? 'make build' : `${packageFile('kmod/build.sh')} uml`;
  throw new OneclockError(
    'MACHINE',
    `there is no kernel module for virtual boards at ${module}: run "${command}"`,
  );
}

/**
 * The guest that is a virtual board: with this machine's files, Node.js and agent, which the relay leads to.
 *
 * @param key what the agent knows its controller by
 * @param module the module that the agent loads
 */
export function describeBoard(
  board: Pick<GuestDescription, 'hostname' | 'interfaces'>,
  key: Uint8Array,
  module = boardModule(),
): GuestDescription {
  const agent = [process.execPath, packageFile('dist/backend/cli/main.js'), 'board-agent'];
  const needed = [join(packageFile('.')), dirname(process.execPath), dirname(module)];
  const options = ['--listen', `127.0.0.1:${AGENT_PORT}`, '--key', `${GUEST_FILES}/${KEY_FILE}`];
  const command = [...agent, ...options, '--module', module];
  return {
    ...board,
    root: 'host',
    run: `exec ${command.map(quote).join(' ')}`,
    relay: AGENT_PORT,
    shown: [...new Set(needed)].filter((path) => OWN_FOLDERS.test(path)),
    files: [{ name: KEY_FILE, mode: 0o600, content: Buffer.from(`${Buffer.from(key).toString('hex')}\n`) }],
  };
}

/** For the shell. */
function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
