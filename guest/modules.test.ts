// SPDX-License-Identifier: MIT
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readModules } from './modules.js';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'modules-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

const write = (name: string, text: string) => writeFileSync(join(folder, name), text);

it('reads modules in the order of the list', () => {
  write('list', 'virtio.ko\nvirtio-rng.ko\n');
  write('virtio.ko', 'one');
  write('virtio-rng.ko', 'two');
  write('other.ko', 'three');
  const modules = readModules(folder).map(({ name, content }) => [name, Buffer.from(content).toString()]);
  expect(modules).toEqual([
    ['virtio.ko', 'one'],
    ['virtio-rng.ko', 'two'],
  ]);
});

it.each([
  ['no list', undefined, /ENOENT.*list/],
  ['a missing module', 'virtio.ko', /ENOENT.*virtio\.ko/],
  ['a name that leads elsewhere', '../virtio.ko', /'\.\.\/virtio\.ko' in list is not the name of a module/],
  ['too many', Array.from({ length: 257 }, (_, n) => `m${n}.ko`).join('\n'), /257 modules, more than 256/],
])('refuses a folder with %s', (_, list, message) => {
  if (list !== undefined) write('list', list);
  expect(() => readModules(folder)).toThrow(message);
});
