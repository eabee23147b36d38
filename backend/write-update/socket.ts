// SPDX-License-Identifier: MIT
import { closeSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { addon, type Hub, type Listener } from '../../host/native/index.js';
import { OneclockError } from '../errors.js';
import type { OpenPipe } from './connection.js';
import type { HubServer } from './hub-server.js';

/** Controllers that may be connected at once. */
export const MAX_CONTROLLERS = 64;

/**
 * Takes connections of other controllers at `path`, a socket for this user only, in a folder for this user only.
 *
 * @throws OneclockError `INPUT` where others could get at the folder, or the path cannot be used
 */
export function serveGroup(sockets: Hub, path: string, server: HubServer): Listener {
  const folder = dirname(path);
  const { uid, mode } = statSync(folder, { throwIfNoEntry: false }) ?? {};
  if (uid === undefined || mode === undefined) {
    throw new OneclockError('INPUT', `no folder ${folder}: make it first, for this user only (mode 700)`);
  }
  if (uid !== process.getuid?.() || (mode & 0o077) !== 0) {
    throw new OneclockError('INPUT', `others may use ${folder}: choose a folder of yours with mode 700`);
  }
  let count = 0;
  return sockets.listen(path, (descriptor) => {
    if (server.connections >= MAX_CONTROLLERS) return closeSync(descriptor);
    count += 1;
    server.accept(openDescriptor(sockets, descriptor), `controller ${count} at ${path}`);
  });
}

/**
 * Connects to the controller that has the hub.
 *
 * @throws OneclockError `INPUT` where nobody listens at `path`
 */
export function connectGroup(sockets: Hub, path: string): OpenPipe {
  try {
    return openDescriptor(sockets, addon.connectUnix(path));
  } catch (cause) {
    throw new OneclockError('INPUT', `${(cause as Error).message}: is the other controller up?`, { cause });
  }
}

function openDescriptor(sockets: Hub, descriptor: number): OpenPipe {
  return ({ onData, onClose }) =>
    sockets.open(descriptor, {
      onData: (bytes, descriptors) => {
        // Nobody here wants any.
        for (const unwanted of descriptors) closeSync(unwanted);
        onData(bytes);
      },
      onClose,
    });
}
