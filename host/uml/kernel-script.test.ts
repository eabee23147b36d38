// SPDX-License-Identifier: MIT
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { packageFile } from '../package-root.js';

const SCRIPT = packageFile('host/uml/kernel.sh');

/** Runs a line of bash that has the functions of kernel.sh. */
function withFunctions(line: string, ...args: string[]) {
  return spawnSync('bash', ['-c', `source "$1"; shift; ${line}`, 'bash', SCRIPT, ...args], {
    encoding: 'utf8',
  });
}

function listed(series: string): string[] {
  return readFileSync(packageFile(`kernel-patches/${series}/series`), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((name) => `${series}/${name}`);
}

describe('the patches of the guest kernel', () => {
  test('are all of um, then all of vt but what is for ARM alone', () => {
    const { stdout, stderr } = withFunctions('series');
    expect(stdout.trimEnd().split('\n'), stderr).toEqual(
      [...listed('um'), ...listed('vt')].filter((name) => name !== 'vt/0012-arm.patch'),
    );
  });

  test('may be fewer', () => {
    const without = 'um/0012-line-input.patch um/0013-line-output.patch um/0014-line-throttle.patch';
    const { stdout } = withFunctions(`KERNEL_WITHOUT='${without}' series`);
    expect(stdout).toContain('um/0011-failed-fork.patch\n');
    expect(stdout).not.toContain('-line-');
  });

  test.each([
    ['arch/arm/Kconfig', 1],
    ['arch/arm64/mm/fault.c', 1],
    ['arch/um/Kconfig', 0],
    ['arch/x86/um/vdso/um_vdso.c', 0],
    ['arch/Kconfig', 0],
    ['kernel/fork.c', 0],
  ])('one of %s alone: status %i', (file, expected) => {
    expect(withFunctions('concerns_uml "$1"', patchOf([file])).status).toBe(expected);
  });

  test('one of ARM and something else is taken', () => {
    expect(withFunctions('concerns_uml "$1"', patchOf(['arch/arm/Kconfig', 'mm/mmap.c'])).status).toBe(0);
  });
});

describe('the options of a fragment', () => {
  const FRAGMENT = 'CONFIG_VIRTUAL_TIME=y\n# CONFIG_FTRACE is not set\n';

  test.each([
    ['as asked for', 'CONFIG_VIRTUAL_TIME=y\n', 0, ''],
    [
      'one that could not be had',
      '# CONFIG_VIRTUAL_TIME is not set\n',
      1,
      "asked for 'CONFIG_VIRTUAL_TIME=y', got '# CONFIG_VIRTUAL_TIME is not set'",
    ],
    [
      'one that is not wanted',
      'CONFIG_VIRTUAL_TIME=y\nCONFIG_FTRACE=y\n',
      1,
      "asked for '# CONFIG_FTRACE is not set', got 'CONFIG_FTRACE=y'",
    ],
  ])('%s', (_, config, expected, message) => {
    const { status, stderr } = withFunctions(
      'check_config "$1" "$2"',
      temporary('fragment', FRAGMENT),
      temporary('config', config),
    );
    expect(status, stderr).toBe(expected);
    expect(stderr).toContain(message);
  });
});

function patchOf(files: string[]): string {
  return temporary(
    'a.patch',
    files.map((file) => `--- a/${file}\n+++ b/${file}\n@@ -1 +1 @@\n-a\n+b\n`).join(''),
  );
}

function temporary(name: string, text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'kernel-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}
