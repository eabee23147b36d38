// SPDX-License-Identifier: MIT
import { chmodSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { OneclockError } from '../../backend/errors.js';
import { readKeyFile } from './key-file.js';

function keyFile(text: string, mode = 0o600): string {
  const folder = mkdtempSync(join(tmpdir(), 'key-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'key');
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

test('any key of allowed length is read from hexadecimal and from base64, with blanks around it', () => {
  const path = keyFile('');
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 256 }), (bytes) => {
      const key = Buffer.from(bytes);
      for (const text of [
        key.toString('hex'),
        key.toString('hex').toUpperCase(),
        ` ${key.toString('hex')}\n\n`,
      ]) {
        writeFileSync(path, text);
        expect(readKeyFile(path)).toEqual(key);
      }
      for (const text of [key.toString('base64'), key.toString('base64').replace(/=*$/, '\n')]) {
        // A base64 text of hexadecimal digits alone is taken for one of those.
        fc.pre(!/^[0-9a-f\s]*$/i.test(text));
        writeFileSync(path, text);
        expect(readKeyFile(path)).toEqual(key);
      }
    }),
  );
});

test.each([
  ['nothing', '', 0o600, 'a key of 32 to 256 bytes, found 0'],
  ['31 bytes', 'ab'.repeat(31), 0o600, 'found 31'],
  ['257 bytes', 'ab'.repeat(257), 0o600, 'found 257'],
  ['half a byte', 'a'.repeat(65), 0o600, 'hexadecimal or base64'],
  ['two lines', `${'ab'.repeat(32)}\n${'cd'.repeat(32)}`, 0o600, 'hexadecimal or base64'],
  ['binary', '\0'.repeat(64), 0o600, 'hexadecimal or base64'],
  ['a large file', 'a'.repeat(1025), 0o600, 'at most 1024 bytes, found 1025'],
  ['a file for the group', 'ab'.repeat(32), 0o640, 'found mode 0640'],
  ['a file that others may write', 'ab'.repeat(32), 0o602, 'found mode 0602'],
])('%s is refused', (_, text, mode, message) => {
  const path = keyFile(text, mode);
  expect(() => readKeyFile(path)).toThrowError(OneclockError);
  expect(() => readKeyFile(path)).toThrowError(message);
});

test('what is no regular file is refused, and a link is as good as its target', () => {
  expect(() => readKeyFile('/dev/null')).toThrowError(/regular file/);
  expect(() => readKeyFile(tmpdir())).toThrowError(/regular file/);
  expect(() => readKeyFile('/nowhere/key')).toThrowError(/ENOENT/);
  const path = keyFile('ab'.repeat(32), 0o644);
  symlinkSync(path, `${path}-link`);
  expect(() => readKeyFile(`${path}-link`)).toThrowError(/found mode 0644/);
});
