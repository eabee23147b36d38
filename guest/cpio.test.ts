// SPDX-License-Identifier: MIT
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { OneclockError } from '../backend/errors.js';
import { type CpioEntry, writeCpio } from './cpio.js';

const hasCpio = spawnSync('cpio', ['--version']).status === 0;

const entries: CpioEntry[] = [
  { type: 'directory', name: 'etc', mode: 0o755 },
  { type: 'file', name: 'etc/a', mode: 0o640, content: Buffer.from('hello\n') },
  { type: 'file', name: 'etc/empty', mode: 0o644, content: new Uint8Array() },
  { type: 'file', name: 'grüße', mode: 0o755, content: Uint8Array.from([0, 255, 10, 13, 7]) },
];

describe('writeCpio', () => {
  test('gives the same bytes for the same entries, in whole blocks', () => {
    const archive = writeCpio(entries);
    expect(archive.length % 512).toBe(0);
    expect(Buffer.compare(archive, writeCpio(entries))).toBe(0);
  });

  test('writes the header of the newc format', () => {
    const text = Buffer.from(writeCpio(entries.slice(1, 2))).toString('latin1');
    const fields =
      '00000001 000081a0 00000000 00000000 00000001 00000000 00000006 00000000 00000000 00000000';
    expect(text.slice(0, 110)).toBe(`070701${fields.replaceAll(' ', '')}000000000000000600000000`);
    expect(text.slice(110, 116)).toBe('etc/a\0');
    expect(text.slice(116, 124)).toBe('hello\n\0\0');
    expect(text.slice(124 + 110, 124 + 121)).toBe('TRAILER!!!\0');
  });

  test.each([
    ['an empty name', ''],
    ['a name from the root', '/etc'],
    ['a name that leads out', 'a/../../b'],
    ['a name with an empty part', 'a//b'],
    ['a name with a zero byte', 'a\0b'],
    ['the name that ends an archive', 'TRAILER!!!'],
    ['a name that the kernel skips', 'x'.repeat(4096)],
  ])('refuses %s', (_, name) => {
    expect(() => writeCpio([{ type: 'directory', name, mode: 0o755 }])).toThrow(OneclockError);
  });

  test('refuses a name that is there twice', () => {
    expect(() => writeCpio([...entries, ...entries])).toThrow(
      'expected a name that is there once, found "etc"',
    );
  });

  test.skipIf(!hasCpio)(`cpio unpacks it${hasCpio ? '' : ' (skipped: needs the program cpio)'}`, () => {
    const directory = mkdtempSync(join(tmpdir(), 'oneclock-cpio-'));
    try {
      const result = spawnSync('cpio', ['--extract', '--quiet', '--no-absolute-filenames'], {
        cwd: directory,
        input: writeCpio(entries),
      });
      expect(result.stderr.toString()).toBe('');
      expect(result.status).toBe(0);
      for (const entry of entries) {
        const path = join(directory, entry.name);
        expect(statSync(path).mode & 0o7777).toBe(entry.mode);
        if (entry.type === 'file') expect(Buffer.compare(readFileSync(path), entry.content)).toBe(0);
      }
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
