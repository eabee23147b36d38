// SPDX-License-Identifier: MIT
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, onTestFinished, test } from 'vitest';
import { packageFile } from '../package-root.js';
import { addon, type Child, type Exit, NativeHub, type SpawnOptions } from './index.js';

const LIMIT_MS = 10_000;
const SHELL = '/bin/sh';

function folder(): string {
  const made = realpathSync(mkdtempSync(join(tmpdir(), 'spawn-')));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

interface Running {
  readonly child: Child;
  readonly exits: Exit[];
  output: string;
  /** Everybody who could write has gone. */
  silent: boolean;
  readonly hub: NativeHub;
}

/** Starts a program whose output is gathered. */
function start(args: readonly string[], options: Partial<SpawnOptions> = {}): Running {
  const hub = new NativeHub();
  onTestFinished(() => hub.close());
  const [reader, writer] = addon.pipe();
  const input = openSync('/dev/null', 'r');
  const running: Omit<Running, 'child'> & { child?: Child } = { exits: [], output: '', silent: false, hub };
  hub.open(reader, {
    onData: (bytes) => {
      running.output += Buffer.from(bytes).toString();
    },
    onClose: () => {
      running.silent = true;
    },
  });
  try {
    const defaults = { file: SHELL, args, env: {}, cwd: '/', stdio: [input, writer, writer] as const };
    running.child = hub.spawn({ ...defaults, ...options }, (exit) => running.exits.push(exit));
  } finally {
    closeSync(writer);
    closeSync(input);
  }
  return running as Running;
}

function wait({ hub }: Running, what: string, until: () => boolean): void {
  const end = performance.now() + LIMIT_MS;
  while (!until()) {
    if (performance.now() > end) throw new Error(`not within ${LIMIT_MS} ms: ${what}`);
    hub.poll(100);
  }
}

/** Runs a program to its end. */
function run(args: readonly string[], options: Partial<SpawnOptions> = {}): Running {
  const running = start(args, options);
  wait(running, 'the end', () => running.exits.length > 0 && running.silent);
  return running;
}

describe('a child', () => {
  test.each([0, 1, 42, 127, 128, 255])('ends with code %i', (code) => {
    expect(run(['-c', `exit ${code}`]).exits).toMatchObject([{ code }]);
  });

  test.each(['SIGTERM', 'SIGKILL', 'SIGSEGV', 'SIGHUP'] as const)('is ended by %s', (name) => {
    const signal = constants.signals[name];
    expect(run(['-c', `kill -${signal} $$`]).exits).toMatchObject([{ signal }]);
  });

  test('gets its arguments, its environment and its folder, and nothing else', () => {
    const cwd = folder();
    const script = 'pwd; echo "$1|$2|$3"; env | grep -v -e ^PWD= -e ^_= -e ^SHLVL= -e ^OLDPWD=';
    const { output } = run(['-c', script, 'name', 'a b', '', 'ü"$'], { cwd, env: { A: 'x y', B: '' } });
    expect(output.trim().split('\n')).toEqual([cwd, 'a b||ü"$', 'A=x y', 'B=']);
  });

  test('has signals as they are by default', () => {
    const lines = run(['-c', 'exec grep -E "^Sig(Blk|Ign)" /proc/self/status']).output.trim().split('\n');
    expect(lines.map((line) => BigInt(`0x${line.split('\t')[1]}`))).toEqual([0n, 0n]);
  });

  test('has none of our descriptors but the three that it is given', () => {
    const ours = addon.pipe();
    const [pipe] = ours.map((descriptor) => readlinkSync(`/proc/self/fd/${descriptor}`));
    const { output } = run(['-c', 'for d in /proc/$$/fd/*; do echo "$d $(readlink "$d")"; done']);
    for (const descriptor of ours) closeSync(descriptor);
    expect(output).toMatch(/fd\/0 \/dev\/null\n/);
    expect(output).not.toContain(pipe);
    expect(output).not.toContain('eventpoll');
  });

  test('may be given the standard descriptors in any order', () => {
    const path = join(folder(), 'input');
    writeFileSync(path, 'from standard input\n');
    const input = openSync(path, 'r');
    const [reader, writer] = addon.pipe();
    const hub = new NativeHub();
    onTestFinished(() => hub.close());
    let text = '';
    hub.open(reader, {
      onData: (bytes) => {
        text += Buffer.from(bytes).toString();
      },
      onClose: () => undefined,
    });
    const exits: Exit[] = [];
    // Descriptor 2 of this process becomes the child's 2 again, and the others come from above.
    const options = { file: SHELL, args: ['-c', 'cat'], env: { PATH: '/usr/bin:/bin' }, cwd: '/' };
    hub.spawn({ ...options, stdio: [input, writer, 2] }, (exit) => exits.push(exit));
    closeSync(input);
    closeSync(writer);
    while (exits.length === 0 || text === '') hub.poll(100);
    expect(text).toBe('from standard input\n');
  });

  test('may be given more than the standard descriptors, in any order', () => {
    const pipes = Array.from({ length: 6 }, () => addon.pipe());
    const writers = pipes.map(([, writer]) => writer).reverse() as [number, number, number, ...number[]];
    const hub = new NativeHub();
    onTestFinished(() => hub.close());
    const texts = pipes.map(() => '');
    pipes.forEach(([reader], place) => {
      hub.open(reader, {
        onData: (bytes) => {
          texts[place] += Buffer.from(bytes).toString();
        },
        onClose: () => undefined,
      });
    });
    const exits: Exit[] = [];
    const script = 'for d in 0 1 2 3 4 5; do echo "$d" >&$d; done; ls /proc/$$/fd | wc -w';
    const options = { file: SHELL, args: ['-c', script], env: { PATH: '/usr/bin:/bin' }, cwd: '/' };
    hub.spawn({ ...options, stdio: writers }, (exit) => exits.push(exit));
    for (const writer of writers) closeSync(writer);
    while (exits.length === 0 || texts.some((text) => text === '')) hub.poll(100);
    expect(texts).toEqual(['5\n', '4\n', '3\n', '2\n', '1\n6\n', '0\n']);
    const stdio = Array.from({ length: 65 }, () => 0) as [number, number, number, ...number[]];
    expect(() => hub.spawn({ ...options, stdio }, () => undefined)).toThrow('Too many open files');
  });

  test('does not start where there is no such program, folder or permission', () => {
    const own = folder();
    const text = join(own, 'text');
    writeFileSync(text, 'no program', { mode: 0o644 });
    const before = readdirSync('/proc/self/fd').length;
    const hub = new NativeHub();
    const inUse = readdirSync('/proc/self/fd').length;
    const stdio = [0, 1, 2] as const;
    const attempt = (file: string, cwd: string) => () =>
      hub.spawn({ file, args: [], env: {}, cwd, stdio }, () => undefined);
    expect(attempt(join(own, 'none'), '/')).toThrow(/none: No such file or directory: is .* executable\?/);
    expect(attempt(text, '/')).toThrow('Permission denied');
    expect(attempt(SHELL, join(own, 'none'))).toThrow('No such file or directory');
    expect(attempt(SHELL, text)).toThrow('Not a directory');
    expect(() =>
      hub.spawn({ file: SHELL, args: [], env: {}, cwd: '/', stdio: [9999, 1, 2] }, () => undefined),
    ).toThrow('Bad file descriptor');
    expect(readdirSync('/proc/self/fd').length).toBe(inUse);
    hub.close();
    expect(inUse).toBeGreaterThanOrEqual(before);
  });

  test('is killed with all of its group', () => {
    const running = start(['-c', 'sleep 1000 & sleep 1000 & echo started; wait'], {
      env: { PATH: '/usr/bin:/bin' },
    });
    wait(running, 'the start', () => running.output.includes('started'));
    expect(running.silent).toBe(false);
    running.child.kill(constants.signals.SIGKILL);
    wait(running, 'the end of all', () => running.silent && running.exits.length > 0);
    expect(running.exits).toMatchObject([{ signal: constants.signals.SIGKILL }]);
    // Nobody is there any more.
    running.child.kill(constants.signals.SIGKILL);
  });

  test('is killed when the process that started it is killed', async () => {
    const program = `
      const addon = require(${JSON.stringify(packageFile('build/oneclock.node'))});
      const [pid] = addon.spawn('/bin/sh', ['sh', '-c', 'echo started; exec sleep 1000'], ['PATH=/usr/bin:/bin'], '/', [0, 1, 2]);
      setInterval(() => {}, 1000);
    `;
    const parent = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
    onTestFinished(() => {
      parent.kill('SIGKILL');
    });
    const lines = createInterface({ input: parent.stdout });
    await once(lines, 'line');
    const silent = once(parent.stdout, 'close');
    parent.kill('SIGKILL');
    // The pipe ends when nobody holds it any more: the sleeper would for 1000 s.
    await silent;
  });
});
