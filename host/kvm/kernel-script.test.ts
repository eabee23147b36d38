// SPDX-License-Identifier: MIT
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { packageFile } from '../package-root.js';

/** Lines that are about what UML itself is, or that KVM guests have no use for. */
const ONLY_UML =
  /UML|HOSTFS|SSL|_CHAN|STDERR_CONSOLE|MCONSOLE|EARLY_PRINTK|MODULE|FRAME_POINTER|FTRACE|TRACEPOINTS/;

function settings(fragment: string): string[] {
  return readFileSync(packageFile(`guest/kernel/${fragment}`), 'utf8')
    .split('\n')
    .filter((line) => /^(# )?CONFIG_/.test(line));
}

function script(...args: string[]) {
  const cache = mkdtempSync(join(tmpdir(), 'oneclock-kvm-kernel-'));
  onTestFinished(() => rmSync(cache, { recursive: true, force: true }));
  return spawnSync(packageFile('host/kvm/kernel.sh'), args, {
    encoding: 'utf8',
    // A source that is known by its content, so that nothing is looked for on the network.
    env: { ...process.env, ONECLOCK_CACHE: cache, KERNEL_SRC: packageFile('package.json') },
  });
}

test('user space of a KVM guest gets what that of a UML guest gets', () => {
  const kvm = settings('kvm.config');
  const wanted = settings('uml.config').filter((line) => !ONLY_UML.test(line));
  expect(wanted.filter((line) => !kvm.includes(line))).toEqual([]);
});

test('a kernel that is not built has a key, no path, and advice', () => {
  const key = script('key');
  expect(key.stdout, key.stderr).toMatch(/^[0-9a-f]{64}\n$/);
  const path = script('path');
  expect(path.status).toBe(1);
  expect(path.stdout).toBe('');
  expect(path.stderr).toContain('kernel.sh build');
});

test('wrong usage: status 2', () => {
  expect(script().status).toBe(2);
  expect(script('bild').status).toBe(2);
});
