// SPDX-License-Identifier: MIT
import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { packageFile } from '../host/package-root.js';
import { boardModule, describeBoard } from './board.js';
import { GUEST_FILES } from './initramfs.js';

const board = { hostname: 'bp1', interfaces: [] };
const key = Uint8Array.of(0, 1, 254, 255);

test('its agent has the key, in a file for root alone, and the module', () => {
  const { root, run, relay, files } = describeBoard(board, key);
  expect([root, relay]).toEqual(['host', 7424]);
  const words = execFileSync('/bin/sh', ['-c', `set -- ${run}; printf '%s\\n' "$@"`], { encoding: 'utf8' });
  expect(words.trimEnd().split('\n')).toEqual([
    'exec',
    process.execPath,
    packageFile('dist/backend/cli/main.js'),
    'board-agent',
    '--listen',
    '127.0.0.1:7424',
    '--key',
    `${GUEST_FILES}/board.key`,
    '--module',
    boardModule(),
  ]);
  expect(files).toEqual([{ name: 'board.key', mode: 0o600, content: Buffer.from('0001feff\n') }]);
});

test('a path of any characters reaches the agent', () => {
  const { run } = describeBoard(board, key, `/a 'b' "$c".ko`);
  const last = execFileSync('/bin/sh', [
    '-c',
    `for word in ${run?.replace('exec ', '')}; do :; done; printf %s "$word"`,
  ]);
  expect(last.toString()).toBe(`/a 'b' "$c".ko`);
});

test('what it needs of folders that are its own is shown to it', () => {
  const shown = (module: string) => describeBoard(board, key, module).shown;
  expect(shown('/opt/a/vtgpio.ko')).not.toContain('/opt/a');
  for (const folder of ['/tmp/a', '/run/a', '/var/run/a'])
    expect(shown(`${folder}/vtgpio.ko`)).toContain(folder);
});
