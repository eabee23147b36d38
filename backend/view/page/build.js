// SPDX-License-Identifier: MIT
// Makes the page of `oneclock view`: one HTML file with its script and its style in it.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const folder = dirname(fileURLToPath(import.meta.url));

/** @param {string} target where the page goes */
export async function buildPage(target) {
  const { outputFiles } = await build({
    entryPoints: [join(folder, 'main.ts'), join(folder, 'style.css')],
    outdir: folder,
    bundle: true,
    minify: true,
    write: false,
    platform: 'browser',
    target: ['chrome103', 'firefox113', 'safari16.4'],
    format: 'iife',
    charset: 'ascii',
    legalComments: 'none',
  });
  const textOf = (end) => outputFiles.find(({ path }) => path.endsWith(end)).text.trimEnd();
  // No text in the script may end its element.
  const script = textOf('main.js').replaceAll('</script', '<\\/script');
  const page = readFileSync(join(folder, 'page.html'), 'utf8')
    .replace('<!--STYLE-->', () => `<style>${textOf('style.css')}</style>`)
    .replace('<!--SCRIPT-->', () => `<script>${script}</script>`);
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, page);
}
