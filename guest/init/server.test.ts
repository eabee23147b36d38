// SPDX-License-Identifier: MIT
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { AgentSession, type ExecOptions } from '../../backend/agent/index.js';
import type { OneclockError } from '../../backend/errors.js';
import {
  AGENT_STDIN_WINDOW,
  AGENT_WINDOW,
  AgentDecoder,
  type AgentEnd,
  encodeToGuest,
  type FromGuest,
  MAX_AGENT_OPERATIONS,
} from '../../protocols/agent/index.js';
import { until } from '../../tests/support/wait.js';

/** The server of the agent, compiled with the sanitizers, and the controller's end of it. */
const { CC: compiler = 'cc' } = process.env;
const hasCompiler = spawnSync(compiler, ['--version']).status === 0;
const skipped = hasCompiler ? '' : ` (skipped: needs a C compiler, ${compiler})`;

const HARNESS = `
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>
#include "report.h"
#include "server.h"

static size_t ended(uint8_t report[REPORT_MAX_SIZE], int status)
{
	return report_exited(report, (uint32_t)WEXITSTATUS(status));
}

int main(int count, char **words)
{
	struct server_watch watch = { -1, ended };
	uint8_t ready[REPORT_MAX_SIZE];
	size_t size = report_ready(ready);

	if (write(3, ready, size) != (ssize_t)size)
		return 2;
	if (count > 1) {
		watch.pid = fork();
		if (watch.pid == 0) {
			execl("/bin/sh", "sh", "-c", words[1], NULL);
			_exit(127);
		}
	}
	puts(server_serve(3, &watch));
	return 0;
}
`;

const SOURCES = ['wire', 'report', 'request', 'outbox', 'user', 'spawn', 'exec', 'file', 'strays', 'server'];

const directory = mkdtempSync(join(tmpdir(), 'oneclock-server-'));
const program = join(directory, 'harness');

/** How a program went. */
interface Outcome {
  pid: number;
  end: AgentEnd | undefined;
  error: string | undefined;
  errno: number;
  out: string;
  err: string;
  /** Bytes of both. */
  bytes: number;
}

class Agent {
  readonly session: AgentSession;
  readonly channel: Duplex;
  /** Its messages, in their order. */
  readonly heard: FromGuest[] = [];
  /** What it had to say at its end. */
  readonly words: Promise<string>;
  readonly process: ChildProcess;
  /** Whether the session hears what comes. */
  listens = true;

  constructor(run?: string) {
    this.process = spawn(program, run === undefined ? [] : [run], {
      stdio: ['ignore', 'pipe', 'inherit', 'pipe'],
    });
    onTestFinished(() => {
      this.process.kill('SIGKILL');
    });
    this.words = buffer(this.process.stdout as NodeJS.ReadableStream).then((words) =>
      words.toString().trim(),
    );
    this.channel = this.process.stdio[3] as Duplex;
    this.channel.on('error', () => undefined);
    this.session = new AgentSession('a', (bytes) => this.channel.write(bytes));
    const decoder = new AgentDecoder('a');
    this.channel.on('data', (bytes: Buffer) => {
      for (const message of decoder.push(Uint8Array.from(bytes))) {
        this.heard.push(message);
        if (this.listens) this.session.take(message);
      }
    });
  }

  start(options: ExecOptions): {
    handle: ReturnType<AgentSession['exec']>;
    outcome: Outcome;
    over: Promise<Outcome>;
  } {
    const outcome: Outcome = {
      pid: 0,
      end: undefined,
      error: undefined,
      errno: 0,
      out: '',
      err: '',
      bytes: 0,
    };
    let over: (outcome: Outcome) => void;
    const promise = new Promise<Outcome>((resolve) => {
      over = resolve;
    });
    const handle = this.session.exec(options, {
      started: (pid) => {
        outcome.pid = pid;
      },
      output: (stream, bytes) => {
        outcome[stream === 1 ? 'out' : 'err'] += Buffer.from(bytes).toString('latin1');
        outcome.bytes += bytes.length;
      },
      ended: (end) => {
        outcome.end = end;
        over(outcome);
      },
      failed: (error, errno) => {
        outcome.error = error.message;
        outcome.errno = errno;
        over(outcome);
      },
    });
    return { handle, outcome, over: promise };
  }

  /** Runs a program to its end, with this input. */
  async run(
    command: string | readonly string[],
    input = '',
    options: Partial<ExecOptions> = {},
  ): Promise<Outcome> {
    const { handle, over } = this.start({ command, ...options });
    handle.end(Buffer.from(input));
    return over;
  }

  put(path: string, content: Uint8Array, mode?: number): Promise<string> {
    return new Promise((resolve) => {
      const failed = (error: OneclockError, errno: number) => resolve(`${errno} ${error.message}`);
      this.session.put(
        path,
        content,
        { done: () => resolve('done'), failed },
        mode === undefined ? {} : { mode },
      );
    });
  }

  get(path: string, limit?: number): Promise<{ content: Uint8Array; mode: number } | string> {
    return new Promise((resolve) => {
      const failed = (error: OneclockError, errno: number) => resolve(`${errno} ${error.message}`);
      const done = (content: Uint8Array, mode: number) => resolve({ content, mode });
      this.session.get(path, { done, failed }, limit === undefined ? {} : { limit });
    });
  }
}

function sameBytes(found: Uint8Array, expected: Uint8Array): void {
  expect(Buffer.compare(found, expected)).toBe(0);
}

describe.skipIf(!hasCompiler)(`the server of the agent${skipped}`, () => {
  beforeAll(() => {
    const sanitize = ['-fsanitize=address,undefined', '-fno-sanitize-recover=all'];
    const flags = ['-std=gnu11', '-D_GNU_SOURCE', '-O1', '-Wall', '-Wextra', '-Werror', '-I.', ...sanitize];
    const sources = SOURCES.map((name) => `${name}.c`);
    const built = spawnSync(compiler, [...flags, '-o', program, '-x', 'c', '-', ...sources], {
      cwd: import.meta.dirname,
      input: HARNESS,
    });
    expect(built.stderr.toString()).toBe('');
    expect(built.status).toBe(0);
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  describe('programs', () => {
    test('have their input, both outputs and an exit status', async () => {
      const outcome = await new Agent().run('read word; echo "out $word"; echo err >&2; exit 7', 'hello\n');
      expect(outcome).toMatchObject({ out: 'out hello\n', err: 'err\n', end: { code: 7 } });
    });

    test('are found in PATH and have their arguments as they are', async () => {
      const outcome = await new Agent().run(['printf', '<%s>', 'a b', '', '$HOME', 'ü']);
      expect(outcome.end).toEqual({ code: 0 });
      expect(Buffer.from(outcome.out, 'latin1').toString()).toBe('<a b><><$HOME><ü>');
    });

    test('have an environment, a folder and a session of their own', async () => {
      const agent = new Agent();
      const environment = { HOME: '/else', NAME: 'a=b' };
      const { out } = await agent.run('pwd; env | sort', '', { cwd: directory, environment });
      expect(out.split('\n')[0]).toBe(directory);
      expect(out).toMatch(/^HOME=\/else$/m);
      expect(out).toMatch(/^NAME=a=b$/m);
      expect(out).toMatch(/^TERM=linux$/m);
      expect(out.match(/^HOME=/gm)).toHaveLength(1);
      const outcome = await agent.run('ps -o sid= -p $$; ps -o pgid= -p $$; echo $$');
      const ids = outcome.out.trim().split(/\s+/).map(Number);
      expect(ids).toEqual([outcome.pid, outcome.pid, outcome.pid]);
    });

    test.runIf(process.getuid?.() === 0)('run as another user', async () => {
      const agent = new Agent();
      const { out } = await agent.run('id -un; id -gn; echo $USER', '', { user: 'nobody' });
      expect(out).toBe('nobody\nnogroup\nnobody\n');
      expect((await agent.run('id', '', { user: 'no-such' })).error).toBe('a: there is no user no-such');
    });

    test.each<[string, ExecOptions, string, number]>([
      [
        'a program that is not there',
        { command: ['no-such'] },
        'cannot run no-such: No such file or directory',
        2,
      ],
      ['a folder as a program', { command: ['/tmp'] }, 'cannot run /tmp: Permission denied', 13],
      ['a folder that is not there', { command: 'true', cwd: '/no' }, 'cannot go to /no: No such file', 2],
    ])('%s is refused with the reason', async (_, options, text, errno) => {
      const agent = new Agent();
      const outcome = await agent.start(options).over;
      expect(outcome.error).toContain(text);
      expect(outcome).toMatchObject({ errno, end: undefined });
      expect((await agent.run('echo on')).out).toBe('on\n');
    });

    test('end by signals that go to their whole group', async () => {
      const agent = new Agent();
      const { handle, outcome, over } = agent.start({ command: 'sleep 1000 & echo $!; wait' });
      const child = await until('its child', () => Number(outcome.out) || undefined);
      handle.signal(15);
      expect(await over).toMatchObject({ end: { signal: 15 } });
      await until('its child ends', () => (existsSync(`/proc/${child}`) ? undefined : true));
    });

    test('get much input and give much output at once', async () => {
      const content = randomBytes(3_000_017);
      const agent = new Agent();
      const { handle, outcome, over } = agent.start({ command: 'cat; echo end >&2' });
      handle.end(content);
      expect(await over).toMatchObject({ end: { code: 0 }, err: 'end\n' });
      sameBytes(Buffer.from(outcome.out, 'latin1'), content);
    });

    test('wait with their output for whoever takes it, and no others do', async () => {
      const agent = new Agent();
      const window = 100_000;
      const { handle, outcome, over } = agent.start({ command: 'yes', window });
      handle.pause();
      await until('the window is full', () => (outcome.bytes >= window ? true : undefined));
      expect((await agent.run('echo other')).out).toBe('other\n');
      expect(outcome.bytes).toBe(window);
      handle.resume();
      await until('more comes', () => (outcome.bytes > 10 * window ? true : undefined));
      handle.pause();
      handle.signal(9);
      expect((await agent.run('echo other')).out).toBe('other\n');
      handle.resume();
      expect(await over).toMatchObject({ end: { signal: 9 } });
    });

    test('say nothing before somebody wants to hear it', async () => {
      const agent = new Agent();
      const { handle, outcome, over } = agent.start({ command: 'echo hello', paused: true });
      await until('it runs', () => (outcome.pid > 0 ? true : undefined));
      expect((await agent.run('sleep 0.1; echo other')).out).toBe('other\n');
      expect(outcome).toMatchObject({ out: '', end: undefined });
      handle.resume();
      expect(await over).toMatchObject({ out: 'hello\n', end: { code: 0 } });
    });

    test('that do not read let their input wait, and no other', async () => {
      const agent = new Agent();
      const { handle, over } = agent.start({ command: 'sleep 1000' });
      const drained = handle.write(new Uint8Array(10 * AGENT_WINDOW));
      expect(drained).toBe(false);
      expect((await agent.run('cat', 'other')).out).toBe('other');
      handle.signal(9);
      expect(await over).toMatchObject({ end: { signal: 9 } });
      const sent = agent.heard.filter(({ type }) => type === 'taken');
      expect(sent.length).toBeLessThanOrEqual((2 * AGENT_STDIN_WINDOW) / (AGENT_WINDOW / 4) + 1);
    });

    test('that close their input are not stopped by it', async () => {
      const { handle, over } = new Agent().start({ command: 'exec <&-; sleep 0.1; echo on' });
      handle.end(new Uint8Array(20 * AGENT_STDIN_WINDOW));
      expect(await over).toMatchObject({ out: 'on\n', end: { code: 0 } });
    });

    test('have ended when they have, though a child of theirs goes on, which does not die of it', async () => {
      const agent = new Agent();
      const mark = join(directory, 'mark');
      const outcome = await agent.run(`(sleep 0.2; yes | head -c 1000000; touch ${mark}) & echo begun`);
      expect(outcome).toMatchObject({ out: 'begun\n', end: { code: 0 } });
      expect(existsSync(mark)).toBe(false);
      await until('the child has written', () => (existsSync(mark) ? true : undefined));
      expect(outcome.out).toBe('begun\n');
    });

    test('have ended though a child of theirs writes for ever', async () => {
      const agent = new Agent();
      const { over } = agent.start({ command: 'yes & echo $!; sleep 0.1' });
      const outcome = await over;
      expect(outcome.end).toEqual({ code: 0 });
      process.kill(Number(/\d+/.exec(outcome.out)?.[0]), 'SIGKILL');
    });

    test('have all of their output told before their end', async () => {
      const agent = new Agent();
      const outcomes = await Promise.all(
        Array.from({ length: 100 }, (_, index) => agent.run(`seq ${index} ${index + 5000}; exit ${index}`)),
      );
      outcomes.forEach(({ out, end }, index) => {
        expect(out.split('\n')).toHaveLength(5002);
        expect(end).toEqual({ code: index });
      });
    });
  });

  describe('terminals', () => {
    const terminal = { rows: 24, columns: 80 };

    test('are those of their programs, and have a size', async () => {
      const agent = new Agent();
      const { out, end } = await agent.run('tty; stty size; test -t 0 -a -t 1 -a -t 2', '', { terminal });
      expect(out).toMatch(/^\/dev\/pts\/\d+\r\n24 80\r\n/);
      expect(end).toEqual({ code: 0 });
    });

    test('carry what a person types, and its end', async () => {
      const { handle, outcome, over } = new Agent().start({ command: 'cat; echo over', terminal });
      handle.write(Buffer.from('hello\n'));
      await until('the echo and the answer', () => (outcome.out === 'hello\r\nhello\r\n' ? true : undefined));
      handle.end();
      expect(await over).toMatchObject({ out: 'hello\r\nhello\r\nover\r\n', end: { code: 0 } });
    });

    test('tell of a new size, and of keys that are signals', async () => {
      const { handle, outcome, over } = new Agent().start({
        command: 'trap "stty size" WINCH; trap "echo int; exit 3" INT; echo on; while :; do sleep 0.05; done',
        terminal,
      });
      await until('it is on', () => (outcome.out.includes('on') ? true : undefined));
      handle.resize({ rows: 50, columns: 132 });
      await until('it knows', () => (outcome.out.includes('50 132') ? true : undefined));
      handle.write(Uint8Array.of(3));
      expect(await over).toMatchObject({ end: { code: 3 } });
    });

    test('end with their programs, whoever else has them and whether or not somebody takes output', async () => {
      const agent = new Agent();
      expect(await agent.start({ command: 'exit 5', terminal, paused: true }).over).toMatchObject({
        end: { code: 5 },
      });
      // One that hangs up would end the other process too: it is told not to mind.
      const command = 'trap "" HUP; (sleep 0.3; echo late) & echo early';
      expect(await agent.run(command, '', { terminal })).toMatchObject({
        out: 'early\r\n',
        end: { code: 0 },
      });
      const { handle, outcome, over } = agent.start({ command: 'echo on', terminal, paused: true });
      expect((await agent.run('sleep 0.1; echo other')).out).toBe('other\n');
      expect(outcome).toMatchObject({ out: '', end: undefined });
      handle.resume();
      expect(await over).toMatchObject({ out: 'on\r\n', end: { code: 0 } });
    });

    test('give all that was written, to the end', async () => {
      const { out } = await new Agent().run('seq 100000', '', { terminal });
      expect(out.split('\r\n').slice(-2)).toEqual(['100000', '']);
      expect(out.split('\r\n')).toHaveLength(100_001);
    });
  });

  describe('files', () => {
    test('go in and come out as they are', async () => {
      const agent = new Agent();
      const content = randomBytes(1_234_567);
      const path = join(directory, 'there');
      expect(await agent.put(path, content, 0o751)).toBe('done');
      sameBytes(readFileSync(path), content);
      expect(statSync(path).mode & 0o7777).toBe(0o751);
      const got = await agent.get(path);
      if (typeof got === 'string') throw new Error(got);
      expect(got.mode).toBe(0o751);
      sameBytes(got.content, content);
    });

    test('may be empty, or of the kernel, which tells no size', async () => {
      const agent = new Agent();
      const path = join(directory, 'empty');
      expect(await agent.put(path, new Uint8Array())).toBe('done');
      expect(await agent.get(path)).toMatchObject({ content: Buffer.alloc(0), mode: 0o644 });
      const version = await agent.get('/proc/version');
      if (typeof version === 'string') throw new Error(version);
      expect(Buffer.from(version.content).toString()).toMatch(/^Linux version/);
    });

    test('are put behind the links that lead to them, and leave no other name', async () => {
      const agent = new Agent();
      const folder = join(directory, 'links');
      mkdirSync(folder);
      writeFileSync(join(folder, 'target'), 'old');
      symlinkSync('target', join(folder, 'link'));
      expect(await agent.put(join(folder, 'link'), Buffer.from('new'))).toBe('done');
      expect(readFileSync(join(folder, 'target'), 'utf8')).toBe('new');
      expect(lstatSync(join(folder, 'link')).isSymbolicLink()).toBe(true);
      expect(readdirSync(folder).sort()).toEqual(['link', 'target']);
    });

    test.each([
      ['/tmp', '0 a: cannot get /tmp: it is a directory'],
      ['/dev/zero', '0 a: cannot get /dev/zero: it is a device'],
      ['/no/such', '2 a: cannot get /no/such: No such file or directory'],
    ])('%s cannot be got', async (path, text) => {
      expect(await new Agent().get(path)).toBe(text);
    });

    test('a pipe cannot be got, and nobody waits for it', async () => {
      const path = join(directory, 'pipe');
      expect(spawnSync('mkfifo', [path]).status).toBe(0);
      expect(await new Agent().get(path)).toBe(`0 a: cannot get ${path}: it is a pipe`);
      expect(await new Agent().put(path, Buffer.from('x'))).toBe(`0 a: cannot put ${path}: it is a pipe`);
    });

    test.each([
      ['/tmp', '0 a: cannot put /tmp: it is a directory'],
      ['/dev/null', '0 a: cannot put /dev/null: it is a device'],
      ['/no/such', '2 a: cannot put /no/such: No such file or directory'],
      ['/proc/nothing', '2 a: cannot put /proc/nothing: No such file or directory'],
    ])('%s cannot be put', async (path, text) => {
      const agent = new Agent();
      expect(await agent.put(path, randomBytes(1_000_000))).toBe(text);
      expect((await agent.run('echo on')).out).toBe('on\n');
    });

    test('that have more than is wanted, or are given up, are not kept', async () => {
      const agent = new Agent();
      const path = join(directory, 'large');
      writeFileSync(path, randomBytes(2_000_000));
      expect(await agent.get(path, 1_000_000)).toBe(
        `125 a: cannot get ${path}: it has more than 1000000 bytes`,
      );
      const other = join(directory, 'given-up');
      const text = await new Promise((resolve) => {
        const failed = (error: OneclockError) => resolve(error.message);
        agent.session.put(other, randomBytes(50_000_000), { done: () => resolve('done'), failed }).cancel();
      });
      expect(text).toBe('a: given up: Operation canceled');
      expect(
        readdirSync(directory).filter((name) => name.includes('given-up') || name.startsWith('.')),
      ).toEqual([]);
    });
  });

  test('the end of `run` is told beside everything else', async () => {
    const agent = new Agent('sleep 0.1; exit 5');
    const outcomes = Promise.all(Array.from({ length: 40 }, () => agent.run('head -c 100000 /dev/zero')));
    await until('the report', () => agent.heard.find(({ type }) => type === 'exited'));
    expect(agent.heard[0]).toEqual({ type: 'ready' });
    expect(agent.heard.filter(({ type }) => type === 'exited')).toEqual([{ type: 'exited', code: 5 }]);
    for (const { bytes } of await outcomes) expect(bytes).toBe(100_000);
    expect((await agent.run('echo on')).out).toBe('on\n');
  });

  test('costs nothing while there is nothing to do', async () => {
    const agent = new Agent();
    const { over, handle } = agent.start({ command: 'sleep 1000', paused: true });
    await agent.run('yes | head -c 1000000');
    await agent.run('exec >/dev/null 2>&1; sleep 1000 &');
    const status = () => readFileSync(`/proc/${agent.process.pid}/status`, 'utf8');
    const switches = () =>
      status()
        .match(/ctxt_switches:\t\d+/g)
        ?.join(' ');
    let last: string | undefined;
    await until('it has come to rest', () => {
      const resting = /^State:\tS/m.test(status()) && switches() === last;
      last = switches();
      return resting || undefined;
    });
    const before = switches();
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(switches()).toBe(before);
    handle.signal(9);
    handle.resume();
    await over;
    spawnSync('sh', ['-c', `kill $(ps -o pid= --ppid ${agent.process.pid})`]);
  });

  describe('a controller that breaks the protocol', () => {
    /** A message with one field of ToGuest, whose message has these bytes. */
    const framed = (field: number, ...bytes: number[]) => [
      bytes.length + 2,
      (field << 3) | 2,
      bytes.length,
      ...bytes,
    ];
    const exec = [...encodeToGuest({ type: 'exec', id: 1, credit: 9, command: 'sleep 5' })];
    const stdin = (bytes: Uint8Array, end = false) => [
      ...encodeToGuest({ type: 'stdin', id: 1, bytes, end }),
    ];
    const full = new Uint8Array(16384);
    test.each<[string, number[], string]>([
      ['a message too long', [0x81, 0x80, 0x04], 'a message is too long'],
      ['a size that does not end', [0x80, 0x80, 0x80], 'the size of a message takes too many bytes'],
      ['an empty message', [0], 'it asks for nothing that is known'],
      ['no protobuf', [1, 0xff], 'it is no message'],
      ['a field cut short', [2, 0x0a, 5], 'it is no message'],
      ['a field of another type', [2, 0x08, 5], 'a field is of another type'],
      ['no id', framed(9), 'it has no id'],
      ['an id as text', framed(9, 0x0a, 1, 0x31), 'a field is of another type'],
      ['an id of 33 bits', framed(9, 0x08, 0x80, 0x80, 0x80, 0x80, 0x10), 'it is no message'],
      ['neither argv nor command', framed(1, 0x08, 1), 'there is not one of argv and command'],
      ['both', framed(1, 0x08, 1, 0x12, 1, 0x61, 0x1a, 1, 0x61), 'there is not one of argv and command'],
      ['a zero byte', framed(1, 0x08, 1, 0x1a, 1, 0), 'a text has a zero byte'],
      ['a variable without =', framed(1, 0x08, 1, 0x1a, 1, 0x61, 0x2a, 1, 0x61), 'is not NAME=VALUE'],
      ['a huge terminal', framed(4, 0x08, 1, 0x12, 4, 0x08, 0x80, 0x80, 4), 'the size of a terminal'],
      ['signal 65', framed(3, 0x08, 1, 0x10, 65), 'a signal is not from 1 to 64'],
      ['no path', framed(8, 0x08, 1), 'there is no path'],
      ['an id in use', [...exec, ...exec], 'an operation has the id of another'],
      ['too much input', [...exec, ...Array(10).fill(stdin(full)).flat()], 'more input than there is room'],
      ['input behind its end', [...exec, ...stdin(full, true), ...stdin(full)], 'input behind its end'],
      ['too much in a message', [...stdin(new Uint8Array(16385))], 'more bytes than a message may carry'],
      ['content for a program', [...exec, ...framed(7, 0x08, 1)], 'content for what is no file'],
      ['cancelling a program', [...exec, ...framed(9, 0x08, 1)], 'a program cannot be cancelled'],
      [
        'too much credit',
        [...exec, ...encodeToGuest({ type: 'credit', id: 1, bytes: 1073741824 })],
        'there is too much credit',
      ],
      [
        'too many operations',
        Array.from({ length: MAX_AGENT_OPERATIONS + 1 }, (_, id) => [
          ...encodeToGuest({ type: 'exec', id: id + 1, credit: 0, command: 'sleep 5' }),
        ]).flat(),
        'there are too many operations',
      ],
    ])('by %s ends it with the reason', async (_, bytes, text) => {
      const agent = new Agent();
      agent.listens = false;
      agent.channel.write(Uint8Array.from(bytes));
      expect(await agent.words).toContain(text);
    });

    test('and one that closes the port', async () => {
      const agent = new Agent();
      await until('it is ready', () => agent.heard[0]);
      agent.channel.destroy();
      expect(await agent.words).toMatch(/closed the port|reset/);
    });

    test('messages for what has ended are none of it', async () => {
      const agent = new Agent();
      for (const field of [2, 7, 9]) agent.channel.write(Uint8Array.from(framed(field, 0x08, 77)));
      agent.channel.write(encodeToGuest({ type: 'signal', id: 77, number: 9 }));
      // The session does not know of these; that the agent still answers is enough.
      expect((await agent.run('echo on')).out).toBe('on\n');
    });

    test('random bytes end it, or are messages, and nothing else happens', async () => {
      const message = fc.uint8Array({ maxLength: 30 }).map((bytes) => Uint8Array.of(bytes.length, ...bytes));
      // Neither programs nor files that are put: they would be done.
      const field = fc
        .tuple(fc.constantFrom(2, 3, 4, 5, 7, 9), fc.uint8Array({ maxLength: 20 }))
        .map(([type, bytes]) => Uint8Array.from(framed(type, ...bytes)));
      const harmless = message.filter((bytes) => ![0x0a, 0x32, 0x42].includes(bytes[1] ?? 0));
      await fc.assert(
        fc.asyncProperty(fc.array(fc.oneof(harmless, field), { maxLength: 20 }), async (messages) => {
          const agent = new Agent();
          agent.channel.end(Buffer.concat(messages));
          // A sanitizer's report would have another end.
          const status = await new Promise((resolve) => agent.process.once('exit', resolve));
          expect(status).toBe(0);
          expect((await agent.words).length).toBeGreaterThan(0);
        }),
        { numRuns: 100 },
      );
    });
  });
});
