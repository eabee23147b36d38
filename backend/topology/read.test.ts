// SPDX-License-Identifier: MIT
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { OneclockError } from '../errors.js';
import { inspectTopology, readTopology } from './read.js';
import { FULL, TWO_NODES } from './testing/examples.js';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'oneclock-topology-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function write(name: string, content: string | Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

function failure(path: string): string {
  try {
    readTopology(path);
  } catch (error) {
    expect(error).toBeInstanceOf(OneclockError);
    expect((error as OneclockError).code).toBe('INPUT');
    return (error as OneclockError).message.replaceAll(folder, 'DIR');
  }
  throw new Error('it was read');
}

it('reads a file, with paths from its folder', () => {
  expect(readTopology(write('two.yaml', TWO_NODES)).name).toBe('two-nodes');
  const full = inspectTopology(write('full.yaml', FULL));
  expect(full.topology?.nodes[0]?.kernel).toBe(join(folder, 'build/linux'));
  expect(full.problems).toBeUndefined();
});

it('throws every problem, one a line', () => {
  expect(failure(write('bad.yaml', 'name: t\nuntil: 5\nnodes:\n  a: { kind: xen }\n'))).toBe(
    'DIR/bad.yaml:2:8: until: expected a duration above zero and at most 400000h with a unit, such as 60s; found the number 5\n' +
      "DIR/bad.yaml:4:14: nodes.a.kind: expected uml, kvm, board, partition or script; found 'xen'",
  );
});

it('shows fifty problems and counts the others', () => {
  const lines = failure(
    write('many.yaml', `${TWO_NODES}${Array.from({ length: 60 }, (_, i) => `k${i}: 1\n`).join('')}`),
  ).split('\n');
  expect(lines).toHaveLength(51);
  expect(lines.at(-1)).toBe('DIR/many.yaml: and 10 more problems');
});

it('refuses what is no text file', () => {
  expect(failure(join(folder, 'none.yaml'))).toBe(
    'DIR/none.yaml: expected a topology file; found no such file; check the path',
  );
  mkdirSync(join(folder, 'dir'));
  expect(failure(join(folder, 'dir'))).toBe(
    'DIR/dir: expected a topology file; found a directory; name the file itself',
  );
  execFileSync('mkfifo', [join(folder, 'pipe')]);
  expect(failure(join(folder, 'pipe'))).toBe(
    'DIR/pipe: expected a topology file; found something else; name the file itself',
  );
  expect(failure(write('latin.yaml', Buffer.from('name: t\nuntil: 1s # \xe9t\xe9\n', 'latin1')))).toBe(
    'DIR/latin.yaml:2:1: expected text in UTF-8; found other bytes; save the file as UTF-8',
  );
  expect(failure(write('big.yaml', '#'.repeat((1 << 20) + 1)))).toBe(
    'DIR/big.yaml: expected a topology file of at most 1048576 bytes; found more; split the topology',
  );
  expect(failure('/dev/zero')).toBe(
    '/dev/zero: expected a topology file; found something else; name the file itself',
  );
});
