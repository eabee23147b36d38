// SPDX-License-Identifier: MIT
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { packageFile } from '../../host/package-root.js';
import { OneclockError } from '../errors.js';
import { diffRuns } from '../trace/diff.js';
import { DIFF_ID, fileId, MANIFEST_ID, type Manifest } from './manifest.js';
import { MAX_LOG, type RunFiles, readPart } from './run-files.js';

/** Where build.js puts the page. */
const TEMPLATE = 'dist/backend/view/page.html';
/** Bytes of data in a page, compressed: more makes a text that browsers do not take. */
const MAX_PAGE = 268_435_456;
/** What the template has in the place of the data, and of the policy. */
const DATA = '<!--DATA-->';
const POLICY = '<!--POLICY-->';

/** What JSON has no form for: instants are decimal strings, maps are objects. */
export function plainJson(value: unknown): string {
  return JSON.stringify(value, (_key, each: unknown) => {
    if (typeof each === 'bigint') return each.toString();
    return each instanceof Map ? Object.fromEntries(each) : each;
  });
}

/** The first difference of two runs, as JSON. */
export function diffJson(runs: readonly RunFiles[]): string {
  const [a, b] = runs.map(({ files }) => files[0]?.path as string) as [string, string];
  return plainJson(diffRuns(a, b));
}

export function manifestOf(mode: Manifest['mode'], live: boolean, runs: readonly RunFiles[]): Manifest {
  return {
    mode,
    live,
    runs: runs.map(({ label, files, left }) => ({
      label,
      files: files.map(({ name, size }) => ({ name, size })),
      left,
    })),
  };
}

/** The page that fetches its data; its policy is that of {@link policy}. @throws OneclockError MACHINE */
export function servedPage(manifest: Manifest): string {
  const template = readTemplate();
  return fill(template, policy(template, "'self'"), jsonElement(MANIFEST_ID, JSON.stringify(manifest)));
}

/** The page with all data in it, which asks no network. @throws OneclockError MACHINE */
export function wholePage(runs: readonly RunFiles[]): string {
  const template = readTemplate();
  const parts = [jsonElement(MANIFEST_ID, JSON.stringify(manifestOf('file', false, runs)))];
  if (runs.length === 2) parts.push(jsonElement(DIFF_ID, diffJson(runs)));
  let room = MAX_PAGE;
  runs.forEach(({ files }, run) => {
    files.forEach(({ path }, file) => {
      const bytes = gzipSync(readPart(path, 0, MAX_LOG));
      room -= bytes.length;
      if (room < 0) {
        throw new OneclockError(
          'INPUT',
          `the run is too large for one file (${MAX_PAGE} bytes, compressed): look at it without --output`,
        );
      }
      parts.push(
        `<script type="application/gzip" id="${fileId(run, file)}">${bytes.toString('base64')}</script>`,
      );
    });
  });
  return fill(template, policy(template, "'none'"), parts.join('\n'));
}

/**
 * A policy that lets the page's own script and style in, by their hashes, and nothing else: no text of a log can become
 * code, and nothing can be loaded or sent but from and to `connect`.
 */
function policy(template: string, connect: string): string {
  const hashes = (tag: string) =>
    [...template.matchAll(new RegExp(`<${tag}>([\\s\\S]*?)</${tag}>`, 'g'))]
      .map(
        ([, text]) =>
          `'sha256-${createHash('sha256')
            .update(text as string)
            .digest('base64')}'`,
      )
      .join(' ');
  return [
    "default-src 'none'",
    `script-src ${hashes('script')}`,
    `style-src ${hashes('style')}`,
    'img-src data:',
    `connect-src ${connect}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
}

function fill(template: string, csp: string, data: string): string {
  const meta = `<meta http-equiv="Content-Security-Policy" content="${csp}">`;
  // Functions, for a replacement text has signs of its own.
  return template.replace(POLICY, () => meta).replace(DATA, () => data);
}

/** JSON in an element: no text in it can end the element. */
function jsonElement(id: string, json: string): string {
  return `<script type="application/json" id="${id}">${json.replaceAll('<', '\\u003c')}</script>`;
}

function readTemplate(): string {
  const file = packageFile(TEMPLATE);
  if (!existsSync(file)) throw new OneclockError('MACHINE', `${file} is not there: run "make build"`);
  return readFileSync(file, 'utf8');
}
