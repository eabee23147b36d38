// SPDX-License-Identifier: MIT
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { InsmodModule, type InsmodTools } from './insmod.js';

const LINES = { pause: '1c20800.pinctrl:231', resume: '', signal: 'PI3', periodMs: 0 };

class Tools {
  readonly folder = mkdtempSync(join(tmpdir(), 'insmod-'));
  readonly log = join(this.folder, 'log');
  readonly parameters = join(this.folder, 'vtgpio', 'parameters');
  readonly tools: InsmodTools;

  /** @param script what all three programs do after they have noted their arguments */
  constructor(script = 'exit 0') {
    const program = join(this.folder, 'program');
    writeFileSync(program, `#!/bin/sh\nprintf '%s|' "$@" >'${this.log}'\n${script}\n`, { mode: 0o755 });
    this.tools = { insmod: program, modprobe: program, rmmod: program, shown: this.folder };
    onTestFinished(() => rmSync(this.folder, { recursive: true, force: true }));
  }

  get arguments(): string {
    return readFileSync(this.log, 'latin1');
  }
}

test('a file is loaded with the lines that there are, and the number', async () => {
  const tools = new Tools();
  await new InsmodModule('/opt/vtgpio.ko', 7, tools.tools).load(LINES);
  expect(tools.arguments).toBe('/opt/vtgpio.ko|pause=1c20800.pinctrl:231|signal=PI3|number=7|');
});

test('without a file, the installed one is loaded by its name', async () => {
  const tools = new Tools();
  await new InsmodModule(undefined, 3, tools.tools).load({ ...LINES, signal: '', periodMs: 100 });
  expect(tools.arguments).toBe('vtgpio|pause=1c20800.pinctrl:231|period_ms=100|number=3|');
});

test('is unloaded by its name', async () => {
  const tools = new Tools();
  await new InsmodModule(undefined, 7, tools.tools).unload();
  expect(tools.arguments).toBe('vtgpio|');
});

test('what it was loaded with is read where the kernel shows it', () => {
  const tools = new Tools();
  const module = new InsmodModule(undefined, 7, tools.tools);
  expect(module.loaded()).toBeUndefined();
  mkdirSync(tools.parameters, { recursive: true });
  for (const [name, text] of Object.entries({
    pause: 'PH7',
    resume: '(null)',
    signal: '(null)',
    period_ms: '0',
  })) {
    writeFileSync(join(tools.parameters, name), `${text}\n`);
  }
  expect(module.loaded()).toEqual({ pause: 'PH7', resume: '', signal: '', periodMs: 0 });
});

test.each([
  ['insmod: ERROR: could not insert module vtgpio.ko: No such device', 'ENODEV'],
  ["insmod: can't insert 'vtgpio.ko': Device or resource busy", 'EBUSY'],
  ['insmod: ERROR: could not insert module vtgpio.ko: Invalid parameters', 'EINVAL'],
  ['insmod: ERROR: could not insert module vtgpio.ko: Operation not permitted', 'EPERM'],
  ["insmod: can't insert 'vtgpio.ko': invalid module format", 'ENOEXEC'],
  ['insmod: something else', ''],
  ['insmod: ERROR: could not insert module vtgpio.ko: Invalid module format', 'ENOEXEC'],
  ['modprobe: FATAL: Module vtgpio not found in directory /lib/modules/6.12', 'ENOENT'],
  ['rmmod: ERROR: Module vtgpio is in use', 'EBUSY'],
])('%s', async (text, errno) => {
  const tools = new Tools(`echo "${text}" >&2; exit 1`);
  const error: NodeJS.ErrnoException = await new InsmodModule(undefined, 7, tools.tools).unload().then(
    () => expect.unreachable(),
    (refused: Error) => refused,
  );
  expect(error.code).toBe(errno);
  expect(error.message).toContain(text);
});

test('a program that is not there says so', async () => {
  const tools = { ...new Tools().tools, insmod: '/nowhere/insmod' };
  const error = await new InsmodModule('x.ko', 7, tools).load(LINES).catch((refused: unknown) => refused);
  expect(error).toMatchObject({ code: 'ENOENT' });
});
