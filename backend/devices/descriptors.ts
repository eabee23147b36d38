// SPDX-License-Identifier: MIT
import { closeSync, fstatSync, readFileSync, writeSync } from 'node:fs';
import { addon } from '../../host/native/index.js';

/** What is done with descriptors outside the hub. */
export interface Descriptors {
  close(descriptor: number): void;
  /**
   * Sees to it that writing to `descriptor` fails rather than waits.
   *
   * @returns false where that would change what others see of it
   */
  setNonBlocking(descriptor: number): boolean;
  /**
   * Adds one to an eventfd, or eight bytes to a pipe or a socket.
   *
   * @returns false where nobody can hear it any more
   */
  signal(descriptor: number): boolean;
}

const O_NONBLOCK = 0o4000;
const ONE = new Uint8Array(new BigUint64Array([1n]).buffer);

/** {@link Descriptors} of this process. */
export const processDescriptors: Descriptors = {
  close: closeSync,
  setNonBlocking(descriptor) {
    const information = readFileSync(`/proc/self/fdinfo/${descriptor}`, 'latin1');
    const flags = Number.parseInt(/^flags:\s*([0-7]+)$/m.exec(information)?.[1] ?? '0', 8);
    if ((flags & O_NONBLOCK) !== 0) return true;
    // User-Mode Linux gives away one end of a pair of sockets, with flags of its own.
    if (!fstatSync(descriptor).isSocket()) return false;
    addon.setNonBlocking(descriptor);
    return true;
  },
  signal(descriptor) {
    try {
      writeSync(descriptor, ONE);
      return true;
    } catch (error) {
      // A counter that is full is a signal that nobody has read yet.
      return (error as NodeJS.ErrnoException).code === 'EAGAIN';
    }
  },
};
