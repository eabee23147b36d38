// SPDX-License-Identifier: MIT
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packageFile } from '../../../host/package-root.js';

const run = promisify(execFile);
let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'oneclock-examples-'));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What `script` prints. */
async function output(name: string, script: string): Promise<string> {
  const source = join(folder, `${name}.ts`);
  const outfile = join(folder, `${name}.mjs`);
  writeFileSync(source, script);
  await build({
    entryPoints: [source],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    logLevel: 'silent',
    alias: { oneclock: packageFile('backend/scenario/engine/index.ts') },
  });
  const { stdout } = await run(process.execPath, [outfile], { timeout: 15_000 });
  return stdout;
}

describe('docs/simulation.md', () => {
  const page = readFileSync(packageFile('docs/simulation.md'), 'utf8');
  const examples = [...page.matchAll(/^```ts\n(.*?)^```\n(?:```text\n(.*?)^```\n)?/gms)];

  it('has examples', () => {
    expect(examples.length).toBeGreaterThan(10);
  });

  it.each(examples.map(([, script = '', printed], at) => ({ at, script, printed })))(
    'prints what the page says, example $at',
    async ({ at, script, printed }) => {
      const found = await output(`page-${at}`, script);
      if (printed === undefined) expect(found).not.toBe('');
      else expect(found).toBe(printed);
    },
  );
});

it('examples/mm1.ts finds what theory says', async () => {
  const found = await output('mm1', readFileSync(packageFile('examples/mm1.ts'), 'utf8'));
  const [, mean, low, high] = /^mean wait (\S+) ms, 95 % interval (\S+) ms to (\S+) ms/.exec(found) ?? [];
  expect(Number(low)).toBeLessThan(32);
  expect(Number(high)).toBeGreaterThan(32);
  expect(Number(mean)).toBeGreaterThan(Number(low));
  expect(found).toMatch(/busy (79|80)\.\d %/);
});
