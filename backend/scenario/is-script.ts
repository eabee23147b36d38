// SPDX-License-Identifier: MIT
import { extname } from 'node:path';

const EXTENSIONS = ['.ts', '.mts', '.js', '.mjs'];

/** Whether a file is a script, by its name. */
export function isScript(file: string): boolean {
  return EXTENSIONS.includes(extname(file));
}
