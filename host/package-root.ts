// SPDX-License-Identifier: MIT
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * The folder that holds package.json: the same for the sources, which tests run from, and for the compiled files
 * in dist/, which are one folder deeper.
 */
function findRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return folder;
}

const root = findRoot();

/** The absolute path of `relative` in the package. */
export function packageFile(relative: string): string {
  return join(root, relative);
}
