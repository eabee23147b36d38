// SPDX-License-Identifier: MIT
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { OneclockError } from '../backend/errors.js';
import type { GuestModule } from './initramfs.js';

/** Names the modules of a folder in the order in which they are to be inserted, a line each. */
const LIST = 'list';
const MAX_MODULES = 256;

/** The modules that the folder `path` holds. @throws OneclockError `INPUT` */
export function readModules(path: string): GuestModule[] {
  try {
    const names = readFileSync(join(path, LIST), 'utf8').split('\n').filter(Boolean);
    if (names.length > MAX_MODULES) throw new Error(`${names.length} modules, more than ${MAX_MODULES}`);
    return names.map((name) => {
      if (!/^[\w-]+\.ko$/.test(name)) throw new Error(`'${name}' in ${LIST} is not the name of a module`);
      return { name, content: readFileSync(join(path, name)) };
    });
  } catch (cause) {
    throw new OneclockError(
      'INPUT',
      `modules: ${path} is no folder with ${LIST} and the modules that it names: ${(cause as Error).message}`,
      { cause },
    );
  }
}
