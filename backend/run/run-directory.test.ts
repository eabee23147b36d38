// SPDX-License-Identifier: MIT
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { prepareRunDirectory } from './run-directory.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'oneclock-test-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

it('makes the folders of a run', () => {
  prepareRunDirectory(join(folder, 'deep', 'run'));
  expect(readdirSync(join(folder, 'deep', 'run')).sort()).toEqual(['console', 'pcap']);
});

it('removes what an earlier run left', () => {
  mkdirSync(join(folder, 'pcap'));
  writeFileSync(join(folder, 'pcap', 'old.pcapng'), '');
  for (const name of ['result.json', 'trace', 'cost']) writeFileSync(join(folder, name), '{}');
  prepareRunDirectory(folder);
  expect(readdirSync(folder).sort()).toEqual(['console', 'pcap']);
  expect(readdirSync(join(folder, 'pcap'))).toEqual([]);
});

it('touches nothing where there is something that is not of a run', () => {
  writeFileSync(join(folder, 'result.json'), '{}');
  writeFileSync(join(folder, 'thesis.tex'), '');
  expect(() => prepareRunDirectory(folder)).toThrow(`${folder} holds thesis.tex, which is not of a run`);
  expect(existsSync(join(folder, 'result.json'))).toBe(true);
});
