// SPDX-License-Identifier: MIT
import { accessSync, constants, realpathSync } from 'node:fs';
import { OneclockError } from '../../backend/errors.js';
import { packageFile } from '../package-root.js';

/**
 * The kernel for nodes that name none: `ONECLOCK_UML_KERNEL`, else the one that `make build` made.
 *
 * @param named the topology's own
 * @throws OneclockError `MACHINE` where it is missing or may not be executed
 */
export function umlKernel(named: string | undefined): string {
  const path = named ?? process.env.ONECLOCK_UML_KERNEL ?? packageFile('build/linux');
  try {
    accessSync(path, constants.X_OK);
    return realpathSync(path);
  } catch (cause) {
    const advice =
      named === undefined ? 'run "make kernel" in the checkout' : 'correct `kernel:` in the topology';
    throw new OneclockError('MACHINE', `there is no User-Mode Linux kernel at ${path}: ${advice}`, { cause });
  }
}
