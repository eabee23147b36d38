// SPDX-License-Identifier: MIT
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readFileSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { describeEvent } from '../backend/trace/describe-event.js';
import { LogReader } from '../backend/trace/log-reader.js';
import { type StartedRun, Workspace } from './support/cli.js';
import { begin, beginShell, beginTerminal, shell, takesShells } from './support/shells.js';
import { until } from './support/wait.js';

const TOPOLOGY = `name: shells
until: 60s
nodes:
  a: { kind: uml, interfaces: { eth0: { address: 10.0.0.1/24 } } }
  b: { kind: uml, interfaces: { eth0: { address: 10.0.0.2/24 } } }
links:
  - { name: ab, between: [a.eth0, b.eth0], latency: 1ms }
`;

/** A run that takes shells, and what ends it. */
async function interactive(yaml = TOPOLOGY, args: readonly string[] = []) {
  const space = new Workspace();
  const run = space.startTopology(yaml, ['--interactive', ...args]);
  await takesShells(run);
  const end = async (status: number) => {
    run.child.kill('SIGINT');
    return (await space.outcome(run)).expectStatus(status);
  };
  return { space, run, out: run.out, end };
}

/** What persons did, by the run log. */
function acts(run: StartedRun | { out: string }): { at: bigint; text: string }[] {
  const log = new LogReader(run.out);
  const found = [...log].flatMap(({ at, node, event }) =>
    event.kind === 'act' ? [{ at, text: describeEvent(log.header, node, at, event) }] : [],
  );
  log.close();
  return found;
}

const INTERRUPTED = 130;

describe('a program', () => {
  test('has its input, both outputs apart, and its status is that of the command', async () => {
    const { out, end } = await interactive();
    expect(await shell(out, 'a', 'echo out; echo err >&2; exit 7')).toMatchObject({
      status: 7,
      stdout: 'out\n',
      stderr: 'err\n',
    });
    expect(await shell(out, 'b', 'cat; hostname', 'hello\n')).toMatchObject({
      status: 0,
      stdout: 'hello\nb\n',
    });
    expect(await shell(out, 'a', 'kill -TERM $$')).toMatchObject({ status: 128 + 15 });
    const words = beginShell(out, 'a', 'ls', '-d', '/bin');
    words.child.stdin?.end();
    expect(await words.finished).toMatchObject({ status: 0, stdout: '/bin\n' });
    const ping = await shell(out, 'a', 'ping -c 2 -i 0.1 10.0.0.2');
    expect(ping.stdout).toContain('2 packets received');
    await end(INTERRUPTED);
    expect(acts({ out }).map(({ text }) => text)).toEqual(
      expect.arrayContaining([
        expect.stringContaining('a person runs echo out; echo err >&2; exit 7'),
        expect.stringContaining('a person types 6 bytes'),
        expect.stringContaining('a person ends the input'),
      ]),
    );
  });

  test('has much input and output', async () => {
    const { out, end } = await interactive();
    const input = randomBytes(3_000_000);
    const hash = createHash('md5').update(input).digest('hex');
    expect((await shell(out, 'a', 'md5sum', input)).stdout).toBe(`${hash}  -\n`);
    const echo = await shell(out, 'a', 'cat', input);
    expect(createHash('md5').update(Buffer.from(echo.stdout, 'latin1')).digest('hex')).toBe(hash);
    await end(INTERRUPTED);
  });

  test('that writes on while nobody reads stands still, and the others go on', async () => {
    const { out, end } = await interactive();
    const yes = beginShell(out, 'a', 'yes');
    await until('yes writes', () => (yes.stdout.length > 0 ? true : undefined));
    yes.child.stdout?.pause();
    const times: number[] = [];
    for (let i = 0; i < 3; i++)
      times.push(
        Number((await shell(out, 'a', 'cut -d. -f1,2 /proc/uptime; sleep 0.3')).stdout.split(' ')[0]),
      );
    expect(times[2] as number).toBeGreaterThan((times[0] as number) + 0.5);
    yes.child.kill('SIGKILL');
    await end(INTERRUPTED);
  });

  test('is hung up on when its person has gone', async () => {
    const { run, out, end } = await interactive();
    const gone = beginShell(
      out,
      'a',
      "trap 'echo it hung up > /dev/console; exit' HUP; echo up; sleep 100 & wait",
    );
    await until('it is up', () => (gone.stdout.includes('up') ? true : undefined));
    gone.child.kill('SIGKILL');
    await until('it was told', () => (run.console('a').includes('it hung up') ? true : undefined));
    await end(INTERRUPTED);
    expect(acts({ out }).at(-1)?.text).toContain('a person has gone');
  });

  test('without a terminal gets the signals of the command', async () => {
    const { out, end } = await interactive();
    const program = beginShell(out, 'a', "trap 'exit 42' INT; echo up; while :; do sleep 0.1; done");
    await until('it is up', () => (program.stdout.includes('up') ? true : undefined));
    program.child.kill('SIGINT');
    expect(await program.finished).toMatchObject({ status: 42 });
    await end(INTERRUPTED);
  });
});

describe('virtual time', () => {
  test('goes no faster than wall time, and what is typed is there at the time at which it came', async () => {
    const { out, end } = await interactive();
    const clock = beginShell(out, 'a', 'while read x; do cut -d" " -f1 /proc/uptime; done');
    const seen: { wall: number; virtual: number }[] = [];
    for (let i = 1; i <= 5; i++) {
      clock.child.stdin?.write('x\n');
      await until('an answer', () => (clock.stdout.split('\n').length > i ? true : undefined));
      seen.push({ wall: performance.now(), virtual: Number(clock.stdout.trim().split('\n').at(-1)) * 1000 });
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    clock.child.stdin?.end();
    await clock.finished;
    const [first, last] = [seen[0], seen.at(-1)] as [(typeof seen)[0], (typeof seen)[0]];
    const [wall, virtual] = [last.wall - first.wall, last.virtual - first.virtual];
    expect(virtual).toBeGreaterThan(500);
    // /proc/uptime counts hundredths, and a guest may be 10 ms ahead.
    expect(virtual).toBeLessThan(wall + 50);
    await end(INTERRUPTED);
    const typed = acts({ out }).filter(({ text }) => text.includes('types 2 bytes'));
    expect(typed).toHaveLength(5);
    seen.forEach(({ virtual: at }, place) => {
      expect(Number((typed[place]?.at ?? 0n) / 1_000_000n)).toBeLessThanOrEqual(at + 10);
      expect(Number((typed[place]?.at ?? 0n) / 1_000_000n)).toBeGreaterThan(at - 30);
    });
  });
});

describe('a terminal', () => {
  test('has the size of the person’s, and changes with it; ~. leaves it', async () => {
    const { out, end, run } = await interactive();
    const terminal = beginTerminal(out, 'a', [30, 100]);
    const { stdin } = terminal.child;
    const shows = (what: RegExp) =>
      until(
        `${what} in ${terminal.stdout}`,
        () => (what.test(terminal.stdout) ? true : undefined),
        10_000,
      ).catch(() => expect(terminal.stdout).toMatch(what));
    await shows(/# /);
    stdin?.write('stty size\r');
    await shows(/30 100/);
    const tty = readFileSync(`${out}.tty`, 'utf8').trim();
    stdin?.write('sh -c \'trap "stty size; exit" WINCH; echo wai""ting; while :; do sleep 0.1; done\'\r');
    await shows(/waiting/);
    await begin('stty', ['-F', tty, 'rows', '40', 'cols', '120']).finished;
    await shows(/40 120/);
    stdin?.write('echo sle""eping; sleep 100\r');
    await shows(/sleeping/);
    stdin?.write('\x03');
    stdin?.write('echo $((6*7)) it goes on\r');
    await shows(/42 it goes on/);
    stdin?.write(
      'sh -c \'trap "echo gone > /dev/console; exit" HUP; echo in si""de; while :; do sleep 0.1; done\'\r',
    );
    await shows(/in side/);
    stdin?.write('~.');
    expect(await terminal.finished).toMatchObject({ status: 129 });
    await until('the shell was told', () => (run.console('a').includes('gone') ? true : undefined));
    await end(INTERRUPTED);
    expect(acts({ out }).map(({ text }) => text)).toContainEqual(
      expect.stringContaining('a terminal of 40 by 120'),
    );
  });

  test('ends with the status of the shell', async () => {
    const { out, end } = await interactive();
    const terminal = beginTerminal(out, 'a', [24, 80]);
    await until('a prompt', () => (/# /.test(terminal.stdout) ? true : undefined));
    terminal.child.stdin?.write('exit 9\r');
    expect(await terminal.finished).toMatchObject({ status: 9 });
    await end(INTERRUPTED);
  });
});

describe('what cannot be', () => {
  test('is said, with what there is', async () => {
    const { space, out, end } = await interactive();
    expect(await shell(out, 'c', 'true')).toMatchObject({
      status: 2,
      stderr: 'oneclock: there is no node c in this run; it has a, b\n',
    });
    expect(await shell(join(space.path, 'nothing'), 'a', 'true')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('there is no run'),
    });
    const running = beginShell(out, 'a', 'echo up; sleep 100');
    await until('it is up', () => (running.stdout.includes('up') ? true : undefined));
    await end(INTERRUPTED);
    expect(await running.finished).toMatchObject({
      status: 3,
      stderr: expect.stringContaining('the run has ended'),
    });
    expect(await shell(out, 'a', 'true')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('is over'),
    });
  });

  test('a run without --interactive takes none, and says so', async () => {
    const space = new Workspace();
    const run = space.startTopology(
      'name: t\nuntil: 60s\nnodes: { a: { kind: uml, run: "while :; do :; done" } }\n',
      ['--max-wall', '5s'],
    );
    await until('its log', () => {
      try {
        return statSync(join(run.out, 'trace')).size > 0 ? true : undefined;
      } catch {
        return undefined;
      }
    });
    expect(await shell(run.out, 'a', 'true')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('--interactive'),
    });
    run.child.kill('SIGINT');
    await space.outcome(run);
  });

  test('a run that was killed is over, whatever it has left', async () => {
    const { space, run, out } = await interactive();
    const running = beginShell(out, 'a', 'echo up; sleep 100');
    await until('it is up', () => (running.stdout.includes('up') ? true : undefined));
    run.child.kill('SIGKILL');
    await run.finished;
    expect(await running.finished).toMatchObject({ status: 3, stderr: expect.stringContaining('has gone') });
    await space.expectNothingLeft();
    expect(await shell(out, 'a', 'true')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('killed'),
    });
  });

  test('an interactive run needs a folder, and guests', async () => {
    const space = new Workspace();
    const file = space.write('t.yaml', TOPOLOGY);
    expect(await space.run(['run', file, '--interactive'])).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('--out'),
    });
    const script = space.write(
      's.ts',
      "import { scenario } from 'oneclock';\nexport default scenario(() => 1);\n",
    );
    mkdirSync(join(space.path, 'o'));
    expect(await space.run(['run', script, '--interactive', '--out', join(space.path, 'o')])).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('no guests'),
    });
  });
});

test('what comes to the socket and is no shell ends that connection, and nothing else', async () => {
  const { out, end } = await interactive();
  const path = readFileSync(join(out, 'control'), 'utf8').trim();
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(statSync(join(out, 'control')).mode & 0o777).toBe(0o600);
  for (const bytes of [
    randomBytes(5000),
    Uint8Array.from([0xff, 0xff, 0xff, 0xff]),
    Uint8Array.from([2, 0x12, 0]),
  ]) {
    const socket = connect(path);
    socket.on('error', () => undefined).resume();
    socket.write(bytes);
    await once(socket, 'close');
  }
  expect(await shell(out, 'a', 'echo fine')).toMatchObject({ status: 0, stdout: 'fine\n' });
  await end(INTERRUPTED);
});

test('a script goes on beside a person', async () => {
  const space = new Workspace();
  const script = space.write(
    'script.ts',
    `import { scenario } from 'oneclock';
export default scenario({ topology: { name: 't', nodes: { a: { kind: 'uml' } } }, until: '20s' }, async ({ sim, nodes }: any) => {
  await nodes.a.console.waitFor('from a person');
  await sim.sleep('1s');
});
`,
  );
  const run = space.startFile(script, ['--interactive']);
  await takesShells(run);
  expect(await shell(run.out, 'a', 'echo from a person > /dev/console')).toMatchObject({ status: 0 });
  const outcome = (await space.outcome(run)).expectStatus(0);
  expect(outcome.result.script?.state).toBe('ended');
});
