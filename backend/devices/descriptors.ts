// SPDX-License-Identifier: MIT
import { closeSync, readFileSync, writeSync } from 'node:fs';

/** What is done with descriptors outside the hub. */
export interface Descriptors {
  close(descriptor: number): void;
  /** Whether writing to `descriptor` fails rather than waits. */
  isNonBlocking(descriptor: number): boolean;
  /**
   * Adds one to an eventfd, or eight bytes to a pipe.
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
  isNonBlocking(descriptor) {
    const information = readFileSync(`/proc/self/fdinfo/${descriptor}`, 'latin1');
    const flags = Number.parseInt(/^flags:\s*([0-7]+)$/m.exec(information)?.[1] ?? '0', 8);
    return (flags & O_NONBLOCK) !== 0;
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
