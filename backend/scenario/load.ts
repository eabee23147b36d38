// SPDX-License-Identifier: MIT
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { BuildFailure, Message, Plugin } from 'esbuild';
import { packageFile } from '../../host/package-root.js';
import { OneclockError } from '../errors.js';
import { isScenario, type Scenario } from './scenario.js';

/**
 * Loads the scenario that a script exports as its default. Types are taken out and not checked; what it imports from its own
 * folder is part of it, and packages are found as Node.js would from there.
 *
 * @throws OneclockError `INPUT` where it cannot be loaded, or exports no scenario
 */
export async function loadScenario(file: string): Promise<Scenario> {
  const path = resolve(file);
  if (!existsSync(path))
    throw new OneclockError('INPUT', `${file}: expected a script; found no such file; check the path`);
  const code = await compile(path);
  const folder = mkdtempSync(join(tmpdir(), 'oneclock-script-'));
  try {
    const compiled = join(folder, 'script.mjs');
    writeFileSync(compiled, code);
    // Errors then name lines of the script.
    process.setSourceMapsEnabled(true);
    const { default: scenario } = (await import(pathToFileURL(compiled).href)) as { default?: unknown };
    if (isScenario(scenario)) return scenario;
    throw new OneclockError(
      'INPUT',
      `${file}: expected a default export that scenario(...) has made; found ${describe(scenario)}; ` +
        "write: export default scenario(async ({ sim }) => { ... }), with scenario from 'oneclock'",
    );
  } catch (error) {
    if (error instanceof OneclockError) throw error;
    throw new OneclockError('INPUT', `${file} cannot be loaded: ${stackOf(error)}`, { cause: error });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function compile(path: string): Promise<Uint8Array> {
  // Loaded here: runs without a script do not need it.
  const { build } = await import('esbuild');
  try {
    const { outputFiles } = await build({
      entryPoints: [path],
      bundle: true,
      write: false,
      platform: 'node',
      target: 'node20',
      format: 'esm',
      sourcemap: 'inline',
      sourceRoot: pathToFileURL(`${dirname(path)}/`).href,
      outfile: join(dirname(path), 'script.mjs'),
      logLevel: 'silent',
      plugins: [modules(path)],
    });
    return (outputFiles[0] as { contents: Uint8Array }).contents;
  } catch (error) {
    const { errors } = error as Partial<BuildFailure>;
    if (errors === undefined) throw error;
    throw new OneclockError('INPUT', errors.map(describeMessage).join('\n'), { cause: error });
  }
}

/** `oneclock` is this program itself, and a topology is a module whose default export is its content. */
function modules(script: string): Plugin {
  return {
    name: 'oneclock',
    setup(build) {
      build.onResolve({ filter: /^oneclock$/ }, () => ({
        path: pathToFileURL(packageFile('dist/backend/scenario/index.js')).href,
        external: true,
      }));
      build.onResolve({ filter: /^[^./]/ }, ({ path, kind }) => {
        if (kind === 'entry-point' || path.startsWith('node:')) return undefined;
        const found = createRequire(script).resolve(path);
        return { path: found.startsWith('/') ? pathToFileURL(found).href : found, external: true };
      });
      build.onResolve({ filter: /\.ya?ml$/ }, ({ path, resolveDir }) => ({
        path: resolve(resolveDir, path),
        namespace: 'topology',
      }));
      build.onLoad({ filter: /.*/, namespace: 'topology' }, ({ path }) => ({
        contents: JSON.stringify({ file: path }),
        loader: 'json',
      }));
    },
  };
}

function describeMessage({ text, location }: Message): string {
  return location ? `${location.file}:${location.line}:${location.column + 1}: ${text}` : text;
}

function describe(value: unknown): string {
  return value === undefined ? 'none' : typeof value;
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
