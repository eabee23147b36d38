// SPDX-License-Identifier: MIT
import { build } from 'esbuild';
import { packageFile } from '../../host/package-root.js';
import type { Workspace } from './cli.js';

const BUNDLE = 'build/e2e/fake-kernel.js';
let built: Promise<unknown> | undefined;

/** A kernel for `kernel:` of a topology that misbehaves: see fake-kernel.ts. @returns its path */
export async function fakeKernel(space: Workspace, behaviour: string): Promise<string> {
  built ??= build({
    entryPoints: [packageFile('tests/support/fake-kernel.ts')],
    // In the checkout, where it finds the addon.
    outfile: packageFile(BUNDLE),
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
  });
  await built;
  // A guest has no environment, and so no PATH.
  const script = `#!/bin/sh\nexec '${process.execPath}' '${packageFile(BUNDLE)}' '${behaviour}' "$@"\n`;
  return space.write(`kernel-${behaviour.replaceAll(/\W/g, '-')}`, script, 0o755);
}
