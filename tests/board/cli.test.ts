// SPDX-License-Identifier: MIT
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type Started, Workspace } from '../support/cli.js';
import { processesOf } from '../support/processes.js';
import { until } from '../support/wait.js';
import { TestLink } from './support.js';

const KEY = randomBytes(32);

/** The files of the module that an agent writes or reads without being asked. */
const FILES = {
  mode: 'freeze',
  pids: '',
  syncpause: '0',
  pauses: '0',
  resumes: '0',
  frozen_ns: '0',
  paused_at_ns: '0',
  resumed_at_ns: '0',
  pause_latency_ns: '0',
  pause_spread_ns: '0',
  resume_latency_ns: '0',
  watchdog_releases: '0',
};

/** The agent as a process, on a folder in the place of the module's. */
class AgentProcess {
  readonly space = new Workspace();
  readonly folder = join(this.space.path, 'vt', 'VT7');
  readonly started: Started;
  stderr = '';

  constructor(args: readonly string[] = []) {
    mkdirSync(this.folder, { recursive: true });
    for (const [name, text] of Object.entries(FILES)) writeFileSync(join(this.folder, name), `${text}\n`);
    const key = this.space.write('key', KEY.toString('hex'), 0o600);
    this.started = this.space.start(['board-agent', '--listen', '127.0.0.1:0', '--key', key, ...args], {
      ONECLOCK_VT_ROOT: join(this.space.path, 'vt'),
    });
    this.started.child.stderr?.on('data', (text: string) => {
      this.stderr += text;
    });
    onTestFinished(() => {
      this.started.child.kill('SIGKILL');
    });
  }

  async link(): Promise<TestLink> {
    const port = await until('it listens', () => /listening at 127\.0\.0\.1:(\d+)/.exec(this.stderr)?.[1]);
    return TestLink.open({ at: { host: '127.0.0.1', port: Number(port) }, key: KEY, name: 'bp1' });
  }

  file(name: keyof typeof FILES): string {
    return readFileSync(join(this.folder, name), 'latin1');
  }
}

function alive(command: string): boolean {
  return processesOf('', '/').some((process) => process.command === command);
}

describe('oneclock board-agent', () => {
  test('--help says what it is for, its options and its exit status', async () => {
    const { status, stdout } = await new Workspace().run(['board-agent', '--help']);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^Usage: oneclock board-agent /);
    for (const option of ['--listen', '--key', '--vt', '--module', '--release-after']) {
      expect(stdout).toContain(`  ${option} `);
    }
    expect(stdout).toContain('Exit status:');
  });

  test.each<[string, (key: string) => string[], RegExp]>([
    ['no address', (key) => ['--key', key], /required option '--listen/],
    ['no key', () => ['--listen', '127.0.0.1:0'], /required option '--key/],
    [
      'an address without a port',
      (key) => ['--listen', '127.0.0.1', '--key', key],
      /--listen: an address and a port/,
    ],
    [
      'a port that is none',
      (key) => ['--listen', '127.0.0.1:70000', '--key', key],
      /--listen: an address and a port/,
    ],
    [
      'an address of another machine',
      (key) => ['--listen', '192.0.2.1:0', '--key', key],
      /an address of this machine/,
    ],
    [
      'a folder that is none',
      (key) => ['--listen', '127.0.0.1:0', '--key', key, '--vt', 'x'],
      /a whole number/,
    ],
    [
      'a time without a unit',
      (key) => ['--listen', '127.0.0.1:0', '--key', key, '--release-after', '10'],
      /a duration with a unit/,
    ],
    [
      'more time than a timer has',
      (key) => ['--listen', '127.0.0.1:0', '--key', key, '--release-after', '600h'],
      /--release-after: at most 24 days/,
    ],
    [
      'a key file that is not there',
      () => ['--listen', '127.0.0.1:0', '--key', '/nowhere'],
      /key file \/nowhere: /,
    ],
  ])('%s: 2, and a word about it', async (_, args, message) => {
    const space = new Workspace();
    const key = space.write('key', KEY.toString('base64'), 0o600);
    const { status, stdout, stderr } = await space.run(['board-agent', ...args(key)]);
    expect(stderr).toMatch(message);
    expect(stdout).toBe('');
    expect(status).toBe(2);
  });

  test.each<[string, string, number, RegExp]>([
    ['that others can read', KEY.toString('hex'), 0o644, /for its owner only \(mode 0600\), found mode 0644/],
    ['that is too short', KEY.toString('hex').slice(2), 0o600, /a key of 32 to 256 bytes, found 31/],
    ['that is no text of bytes', 'secret!', 0o600, /hexadecimal or base64 text/],
  ])('a key %s: 2, and how to make one', async (_, text, mode, message) => {
    const space = new Workspace();
    const key = space.write('key', text, mode);
    const { status, stderr } = await space.run(['board-agent', '--listen', '127.0.0.1:0', '--key', key]);
    expect(stderr).toMatch(message);
    expect(stderr).toContain('openssl rand -hex 32');
    expect(stderr).not.toContain(text);
    expect(status).toBe(2);
  });

  test.each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const)('%s releases the board, kills what was started, and ends it', async (signal, status) => {
    const agent = new AgentProcess();
    const test = await agent.link();
    const command = `sleep 98765.${status}`;
    await test.link.start(`exec ${command}`);
    await until('it runs', () => (alive(command) ? true : undefined));
    agent.started.child.kill(signal);
    const finished = await agent.started.finished;
    expect(finished).toMatchObject({ status, signal: null });
    expect(finished.stderr).toContain('the board is released: the agent ends');
    expect(agent.file('mode')).toBe('unfreeze\n');
    await until('nothing runs', () => (alive(command) ? undefined : true));
    await agent.space.expectNothingLeft();
  });

  test('SIGKILL: its guard does the same', async () => {
    const agent = new AgentProcess();
    const test = await agent.link();
    const { pid } = await test.link.start('setsid sleep 98765.5 & exec sleep 98765.5');
    await until('it runs', () => (alive('sleep 98765.5') ? true : undefined));
    expect(agent.file('pids')).toBe(`+${pid}/tree\n`);
    agent.started.child.kill('SIGKILL');
    await agent.started.finished;
    await until('nothing runs', () => (alive('sleep 98765.5') ? undefined : true));
    await until('the line is low', () => (agent.file('mode') === 'unfreeze\n' ? true : undefined));
    await until('it is off the list', () => (agent.file('pids').startsWith(`-${pid}\n`) ? true : undefined));
    await agent.space.expectNothingLeft();
  });

  test('it goes on when a controller has gone', async () => {
    const agent = new AgentProcess(['--release-after', '1ms']);
    for (let times = 0; times < 3; times++) {
      const test = await agent.link();
      const { run } = await test.link.start('echo hello');
      await test.event('exited');
      expect(test.console(run)).toBe('hello\n');
      test.link.close();
      const released = () => agent.stderr.match(/is released/g)?.length ?? 0;
      await until('the board is free', () => (released() > times ? true : undefined));
    }
  });
});
