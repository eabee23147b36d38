// SPDX-License-Identifier: MIT
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = fileURLToPath(new URL('.', import.meta.url));

/** A folder for programs, which goes with the process. */
export function programFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'partition-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Compiles a program of this folder with the library. @returns the ELF file */
export function buildProgram(
  folder: string,
  source: string,
  defines: Record<string, number | bigint> = {},
): string {
  const words = Object.entries(defines).map(([name, value]) => `-D${name}=${value}`);
  const out = join(folder, `${source.replace(/\W/g, '-')}${words.join('')}.elf`);
  execFileSync(join(HERE, '../build.sh'), [out, ...words, join(HERE, source)], {
    stdio: ['ignore', 'inherit', 'pipe'],
  });
  return out;
}
