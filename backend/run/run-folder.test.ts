// SPDX-License-Identifier: MIT
import { spawn } from 'node:child_process';
import { existsSync, statSync, watch, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { expect, it } from 'vitest';
import { packageFile } from '../../host/package-root.js';
import { RunFolder } from './run-folder.js';

it('makes folders that only this user may enter, and removes everything', () => {
  const folder = new RunFolder();
  const node = folder.nodeFolder('a');
  expect(statSync(node).mode & 0o777).toBe(0o700);
  writeFileSync(join(node, 'file'), 'content');
  folder.remove();
  expect(existsSync(folder.path)).toBe(false);
  folder.remove();
});

it('is gone when its process was killed', async () => {
  // The test runner has loaded the sources; the child takes them the same way.
  const script = `
    import { RunFolder } from ${JSON.stringify(packageFile('backend/run/run-folder.ts'))};
    const folder = new RunFolder();
    folder.nodeFolder('a');
    console.log(folder.path);
    setInterval(() => undefined, 1000);
  `;
  const { build } = await import('esbuild');
  const bundle = await build({
    stdin: { contents: script, resolveDir: packageFile('.'), loader: 'ts' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    write: false,
  });
  const child = spawn(process.execPath, ['--input-type=module', '-e', bundle.outputFiles[0]?.text ?? ''], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const path = await new Promise<string>((resolve) => {
    child.stdout.once('data', (text) => resolve(String(text).trim()));
  });
  expect(existsSync(join(path, 'a'))).toBe(true);
  const removed = new Promise<void>((resolve) => {
    const watcher = watch(tmpdir(), (_event, name) => {
      if (name !== basename(path) || existsSync(path)) return;
      watcher.close();
      resolve();
    });
  });
  child.kill('SIGKILL');
  await removed;
  expect(existsSync(path)).toBe(false);
});
