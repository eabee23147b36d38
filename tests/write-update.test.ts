// SPDX-License-Identifier: MIT
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { build } from 'esbuild';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { numbers } from '../backend/calendar/testing/model.js';
import { packageFile } from '../host/package-root.js';
import type { Command, Report } from './support/write-update-program.js';

const LIMIT_MS = 20_000;
const PROGRAM = packageFile('build/e2e/write-update-program.mjs');
const VARIABLES = [
  [1, 8],
  [2, 1],
  [3, 3],
] as const;

type Stored = Extract<Report, { is: 'stored' }>;

/** A controller in a process of its own. */
class Controller {
  readonly reports: Report[] = [];
  readonly ended: Promise<unknown>;
  readonly #child: ChildProcess;
  #heard = () => {};
  #errors = '';

  constructor(...words: readonly string[]) {
    this.#child = spawn(process.execPath, [PROGRAM, ...words], { stdio: 'pipe' });
    this.ended = once(this.#child, 'close');
    if (!this.#child.stdout) throw new Error('no standard output');
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      this.reports.push(JSON.parse(line) as Report);
      this.#heard();
    });
    // It may be gone before it has read everything.
    this.#child.stdin?.on('error', () => undefined);
    this.#child.stderr?.on('data', (text) => {
      this.#errors += text;
    });
    onTestFinished(async () => {
      this.#child.kill('SIGKILL');
      await this.ended;
      expect(this.#errors).toBe('');
    });
  }

  say(command: Command): void {
    this.#child.stdin?.write(`${JSON.stringify(command)}\n`);
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  async until(what: string, is: () => boolean): Promise<void> {
    const end = AbortSignal.timeout(LIMIT_MS);
    while (!is()) {
      const heard = new Promise<void>((done) => {
        this.#heard = done;
      });
      const late = new Promise<never>((_, fail) => {
        end.onabort = () => {
          fail(new Error(`not within ${LIMIT_MS} ms: ${what}; last: ${JSON.stringify(this.reports.at(-1))}`));
        };
        if (end.aborted) end.onabort(new Event('abort'));
      });
      await Promise.race([heard, late]);
    }
  }

  async seen<K extends Report['is']>(kind: K): Promise<Extract<Report, { is: K }>> {
    const find = () =>
      this.reports.find((report): report is Extract<Report, { is: K }> => report.is === kind);
    await this.until(kind, () => find() !== undefined);
    return find() as Extract<Report, { is: K }>;
  }

  /** Until it has obeyed all that it was told. */
  async settled(): Promise<void> {
    const text = `${Math.random()}`;
    this.say({ do: 'echo', text });
    await this.until('an echo', () => this.reports.some((each) => each.is === 'echo' && each.text === text));
  }

  stores(member: number): Stored[] {
    return this.reports.filter(
      (report): report is Stored => report.is === 'stored' && report.member === member,
    );
  }
}

/** Two controllers, with the hub and the members 1 and 2 in the first, and 10 and 11 in the second. */
async function twoControllers(method: string) {
  const folder = mkdtempSync(join(tmpdir(), 'write-update-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const socket = join(folder, 'group');
  const hub = new Controller('hub', method, socket);
  await hub.seen('ready');
  const remote = new Controller('remote', method, socket);
  await remote.seen('ready');
  const home = (member: number) => (member >= 10 ? remote : hub);
  const join_ = (member: number) => home(member).say({ do: 'join', member, variables: VARIABLES });
  for (const member of [1, 2, 10, 11]) join_(member);
  const change = (member: number, variable: number, value: bigint, at: number) =>
    home(member).say({ do: 'change', member, variable, value: `${value}`, at });
  /** Until `member` has got `value` from another, or has made it its own by a store of the group. */
  const has = (member: number, variable: number, value: bigint) =>
    home(member).until(`${value} at ${member}`, () => last(member, variable) === `${value}`);
  const last = (member: number, variable: number) =>
    home(member)
      .stores(member)
      .filter((store) => store.variable === variable)
      .at(-1)?.value;
  return { hub, remote, socket, change, has, last, join: join_, home };
}

beforeAll(async () => {
  await build({
    entryPoints: [packageFile('tests/support/write-update-program.ts')],
    outfile: PROGRAM,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    logLevel: 'error',
    banner: {
      js: "import { createRequire as requireFor } from 'node:module'; const require = requireFor(import.meta.url);",
    },
  });
});

describe.each(['ordered', 'local-first'] as const)('%s, between two controllers', (method) => {
  test('all agree after every update, whoever makes it', async () => {
    const { change, has } = await twoControllers(method);
    const random = numbers(7);
    for (let at = 1; at <= 150; at++) {
      const sender = [1, 2, 10, 11][random(4)] as number;
      const [variable, size] = VARIABLES[random(3)] as (typeof VARIABLES)[number];
      // No value twice in a row.
      const value = (BigInt(at) * 0x9e3779b97f4a7c15n) & ((1n << BigInt(8 * size)) - 1n);
      change(sender, variable, value, at);
      for (const member of [1, 2, 10, 11]) await has(member, variable, value);
    }
  });

  test('updates that cross each other, some lost, some sent twice: all agree in the end', async () => {
    const { hub, remote, change, has, home, last } = await twoControllers(method);
    // So that all have joined: who joins later gets the last of the updates before only.
    change(1, 2, 1n, 0);
    for (const member of [2, 10, 11]) await has(member, 2, 1n);
    hub.say({ do: 'spoil', lose: 7, repeat: 5, seed: 1 });
    remote.say({ do: 'spoil', lose: 5, repeat: 3, seed: 2 });
    const each = 100;
    for (let at = 1; at <= each; at++) {
      for (const member of [1, 2, 10, 11]) change(member, 1, BigInt(at * 100 + member), at);
    }
    await Promise.all([hub.settled(), remote.settled()]);
    const values = () => new Set([1, 2, 10, 11].map((member) => last(member, 1)));
    // Local first: what is not everywhere yet, its sender at least has.
    const complete = () =>
      method === 'ordered'
        ? [1, 2, 10, 11].every((member) => home(member).stores(member).length === 1 + 4 * each)
        : values().size === 1;
    const broken = () =>
      [hub, remote].flatMap(({ reports }) => reports.filter(({ is }) => is === 'gone' || is === 'lost'));
    const end = performance.now() + LIMIT_MS;
    while (!complete() && broken().length === 0 && performance.now() < end) {
      for (const side of [hub, remote]) side.say({ do: 'resend' });
      await Promise.all([hub.settled(), remote.settled()]);
    }
    expect(broken()).toEqual([]);
    expect(complete()).toBe(true);
    if (method === 'ordered') {
      const order = hub.stores(1).map(({ sequence, value }) => [sequence, value]);
      for (const member of [2, 10, 11]) {
        expect(
          home(member)
            .stores(member)
            .map(({ sequence, value }) => [sequence, value]),
        ).toEqual(order);
      }
      expect(order.map(([sequence]) => sequence)).toEqual(
        Array.from({ length: 1 + 4 * each }, (_, place) => place + 1),
      );
    } else {
      // Whichever of those of the last instant: that depends on who knew of whom.
      expect([1, 2, 10, 11].map((member) => `${each * 100 + member}`)).toContain([...values()][0]);
    }
    expect(broken()).toEqual([]);
  });

  test('a late joiner gets what there is, and then the updates', async () => {
    const { change, has, join, remote } = await twoControllers(method);
    change(1, 1, 77n, 1);
    for (const member of [2, 10, 11]) await has(member, 1, 77n);
    join(12);
    await has(12, 1, 77n);
    change(2, 1, 78n, 2);
    await has(12, 1, 78n);
    expect(remote.stores(12).map(({ value }) => value)).toEqual(['77', '78']);
    change(12, 1, 79n, 3);
    for (const member of [1, 2, 10, 11]) await has(member, 1, 79n);
  });

  test('a guest that dies in either controller: the others go on', async () => {
    const { hub, remote, change, has } = await twoControllers(method);
    change(1, 1, 5n, 1);
    for (const member of [2, 10, 11]) await has(member, 1, 5n);
    hub.say({ do: 'remove', member: 1 });
    remote.say({ do: 'remove', member: 10 });
    await hub.until('both are gone', () => hub.reports.filter(({ is }) => is === 'gone').length === 2);
    change(11, 1, 6n, 2);
    await has(2, 1, 6n);
    change(2, 1, 7n, 3);
    await has(11, 1, 7n);
    expect(remote.stores(10).map(({ value }) => value)).toEqual(['5']);
    // Which of them the hub hears of first is nobody's rule.
    const gone = hub.reports.filter((report) => report.is === 'gone');
    expect(gone.map(({ member }) => member).sort()).toEqual([1, 10]);
    expect(gone.every(({ error }) => error === undefined)).toBe(true);
  });

  test.each([
    ['is killed', (remote: Controller) => remote.kill()],
    // It lives, and may make changes, but nobody hears of them.
    ['loses the connection', (remote: Controller) => remote.say({ do: 'disconnect' })],
  ])('the other controller %s: what the hub has got stands, its members are gone', async (_, fail) => {
    const { hub, remote, change, has, last } = await twoControllers(method);
    change(10, 1, 1n, 1);
    for (const member of [1, 2, 11]) await has(member, 1, 1n);
    fail(remote);
    await hub.until('both are gone', () => hub.reports.filter(({ is }) => is === 'gone').length === 2);
    for (const report of hub.reports) {
      if (report.is === 'gone') expect(report.error).toMatch(/^controller 1 at .*: the connection is lost: /);
    }
    change(10, 1, 2n, 2);
    change(1, 1, 3n, 3);
    await has(2, 1, 3n);
    expect(last(1, 1)).toBe('3');
  });

  test('the controller with the hub is killed: the other one is told', async () => {
    const { hub, remote } = await twoControllers(method);
    hub.kill();
    expect((await remote.seen('lost')).error).toMatch(/^the hub: the connection is lost: /);
  });
});

test('two controllers of different methods: neither takes the other, both live', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'write-update-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const hub = new Controller('hub', 'ordered', join(folder, 'group'));
  await hub.seen('ready');
  const remote = new Controller('remote', 'local-first', join(folder, 'group'));
  expect((await remote.seen('lost')).error).toMatch(/^the hub: /);
  await hub.settled();
  await remote.settled();
});
