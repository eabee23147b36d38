// SPDX-License-Identifier: MIT
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { whyNoKvm } from '../../host/kvm/index.js';
import { packageFile } from '../../host/package-root.js';
import { Workspace } from '../support/cli.js';

const COMMANDS = ['run', 'check', 'serve', 'diff', 'export', 'view', 'doctor'];

/** Faults in several parts of the file: each has its own line. */
const BAD = `name: bad
seed: -1
nodes:
  a:
    kind: uml
    memory: 64
    interfaces: { eth0: { address: 10.0.0.1/24 } }
    runn: 'true'
  b: { kind: uml, interfaces: { eth0: { address: 10.0.0.300/24 } } }
links:
  - { name: ab, between: [a.eth0, c.eth0], latency: 1 }
`;

describe('help', () => {
  test('oneclock --help names every command and every exit status', async () => {
    const { status, stdout, stderr } = await new Workspace().run(['--help']);
    expect(status).toBe(0);
    expect(stderr).toBe('');
    for (const command of COMMANDS) expect(stdout).toMatch(new RegExp(`^ {2}${command}\\b`, 'm'));
    for (const code of [0, 1, 2, 3, 4]) expect(stdout).toMatch(new RegExp(`^ {2}${code} {2}`, 'm'));
  });

  test.each(COMMANDS)(
    'oneclock %s --help says what it is for, its options and its exit status',
    async (command) => {
      const { status, stdout } = await new Workspace().run([command, '--help']);
      expect(status).toBe(0);
      expect(stdout).toMatch(new RegExp(`^Usage: oneclock ${command} `));
      expect(stdout).toContain('Options:');
      expect(stdout).toContain('Exit status:');
    },
  );

  test('oneclock run --help has every option of the contract', async () => {
    const { stdout } = await new Workspace().run(['run', '--help']);
    for (const option of [
      '--out',
      '--seed',
      '--serial',
      '--until',
      '--max-wall',
      '--json',
      '--no-shm',
      '--hang',
    ]) {
      expect(stdout).toContain(`  ${option}`);
    }
  });

  test('--version is that of the package', async () => {
    const { status, stdout } = await new Workspace().run(['--version']);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

describe('mistakes on the command line end with 2, and with a word about them', () => {
  const file = packageFile('examples/two-nodes.yaml');

  test.each([
    ['an unknown command', ['walk'], /unknown command 'walk'/],
    ['an unknown option', ['run', file, '--fast'], /unknown option '--fast'/],
    ['an unknown option of check', ['check', file, '--fast'], /unknown option '--fast'/],
    ['no file', ['run'], /missing required argument 'FILE'/],
    ['too many files', ['run', file, file], /too many arguments/],
    ['a duration without a unit', ['run', file, '--until', '5'], /a duration with a unit is expected/],
    ['a seed that is none', ['run', file, '--seed', '-1'], /a whole number from 0 to 18446744073709551615/],
    ['no job at all', ['run', file, '--jobs', '0'], /a whole number from 1 to 4096/],
    ['a file that is not there', ['run', '/nowhere.yaml'], /\/nowhere\.yaml/],
    ['serve without a socket', ['serve'], /--time/],
    ['diff with one run', ['diff', '/nowhere'], /missing required argument 'OTHER'/],
    ['a port that is none', ['view', '/nowhere', '--port', '70000'], /a port from 0 to 65535/],
    ['diff of what is no run', ['diff', '/nowhere', '/nowhere'], /\/nowhere/],
  ])('%s', async (_what, args, message) => {
    const { status, stdout, stderr } = await new Workspace().run(args);
    expect(stderr).toMatch(message);
    expect(stdout).toBe('');
    expect(status).toBe(2);
  });

  test('a run directory that holds something else', async () => {
    const space = new Workspace();
    space.write('precious', 'do not touch');
    const { status, stderr } = await space.run(['run', file, '--out', space.path]);
    expect(status).toBe(2);
    expect(stderr).toContain('--out');
    expect(existsSync(join(space.path, 'precious'))).toBe(true);
    expect(existsSync(join(space.path, 'trace'))).toBe(false);
  });
});

describe('a topology with mistakes', () => {
  test.each(['run', 'check'])('%s says every one, with its place, and starts nothing', async (command) => {
    const space = new Workspace();
    const file = space.write('bad.yaml', BAD);
    const out = join(space.path, 'out');
    const { status, stdout, stderr } = await space.run([
      command,
      file,
      ...(command === 'run' ? ['--out', out] : []),
    ]);
    expect(status).toBe(2);
    expect(stdout).toBe('');
    // Wrong values by the place of the value, an unknown key by its own.
    for (const place of ['2:7', '6:13', '8:5', '9:', '11:']) expect(stderr).toContain(`${file}:${place}`);
    expect(stderr).toMatch(/11:\d+: .*c\b/);
    expect(stderr).toContain('did you mean');
    const places = stderr.match(/bad\.yaml:\d+:\d+: /g) ?? [];
    expect(places.length).toBeGreaterThanOrEqual(6);
    expect(existsSync(out)).toBe(false);
    expect(readdirSync(space.temporary)).toEqual([]);
  });

  test('what is no YAML at all', async () => {
    const space = new Workspace();
    const file = space.write('bad.yaml', 'name: [\n');
    const { status, stderr } = await space.run(['run', file]);
    expect(status).toBe(2);
    expect(stderr).toMatch(/bad\.yaml:\d+:\d+: /);
  });

  test('check --json gives the same as data', async () => {
    const space = new Workspace();
    const { status, stdout } = await space.run(['check', '--json', space.write('bad.yaml', BAD)]);
    expect(status).toBe(2);
    const { ok, problems } = JSON.parse(stdout);
    expect(ok).toBe(false);
    expect(problems.length).toBeGreaterThanOrEqual(6);
  });
});

describe('check', () => {
  test('says what a good topology comes to', async () => {
    const { status, stdout } = await new Workspace().run(['check', packageFile('examples/two-nodes.yaml')]);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^ {2}2 nodes, 1 link, 0 switches$/m);
    expect(stdout).toMatch(/^ {2}.*lookahead: 1ms, .*\bthrough ab$/m);
  });
});

/** Without a kernel for it, no KVM guest is tried, which takes long on a machine that cannot run one. */
const NO_KVM_GUEST = { ONECLOCK_KVM_KERNEL: '/nowhere/vmlinux' };

describe('doctor', () => {
  test('finds that this machine can do all that these tests do, by trying a guest', async () => {
    const { status, stdout } = await new Workspace().run(['doctor'], NO_KVM_GUEST);
    expect(stdout).toMatch(/^ok +a guest: ran and ended in /m);
    expect(stdout).not.toContain('MISSING');
    expect(status).toBe(0);
  });

  test('says whether this machine, as a board, could hide frozen time', async () => {
    const { stdout } = await new Workspace().run(['doctor'], NO_KVM_GUEST);
    const line = existsSync('/proc/self/dilation')
      ? /^ok +virtual time: as a board, this machine hides frozen time/m
      : /^absent +virtual time: .* would see the frozen time pass .*\n +only for a physical board: /m;
    expect(stdout).toMatch(line);
  });

  test('--json gives the same as data', async () => {
    const { status, stdout } = await new Workspace().run(['doctor', '--json'], NO_KVM_GUEST);
    expect(status).toBe(0);
    expect(JSON.parse(stdout).ok).toBe(true);
  });

  test('without a kernel: 4, and the command that mends it', async () => {
    const { status, stdout } = await new Workspace().run(['doctor'], {
      ...NO_KVM_GUEST,
      ONECLOCK_UML_KERNEL: '/nowhere/linux',
    });
    expect(status).toBe(4);
    expect(stdout).toMatch(/^MISSING +User-Mode Linux kernel: .*\/nowhere\/linux/m);
    expect(stdout).toContain('make kernel');
  });

  describe('on KVM', () => {
    const line = (stdout: string, what: string) =>
      stdout.split('\n').find((each) => each.slice(9).startsWith(`${what}: `)) ?? '';

    test('says whether guests run here, by trying one, and why Linux does not', async () => {
      const { status, stdout } = await new Workspace().run(['doctor']);
      expect(status).toBe(0);
      const found = ['/dev/kvm', 'kernel of KVM guests', 'a KVM guest'].map((what) => line(stdout, what));
      const [device, kernel, guest] = found as [string, string, string];
      const here = whyNoKvm() === undefined;
      expect(device).toMatch(here ? /: it runs 64-bit guests$/ : /^absent +/);
      if (!here || !kernel.startsWith('ok')) expect(guest).toBe('');
      else if (guest.startsWith('ok')) expect(guest).toMatch(/: ran and ended in /);
      else {
        expect(guest).toMatch(/^absent +a KVM guest: \w/);
        // One line, without the registers.
        expect(guest.length).toBeLessThan(200);
        expect(guest).not.toContain('rip=');
        expect(stdout).toContain('host/kvm/nested/run.sh');
      }
    });

    test('without its kernel: fit for all else, and the command that mends it', async () => {
      const { status, stdout } = await new Workspace().run(['doctor'], NO_KVM_GUEST);
      expect(status).toBe(0);
      expect(line(stdout, 'kernel of KVM guests')).toMatch(/^absent .*\/nowhere\/vmlinux/);
      expect(stdout).toContain('run: make kvm-kernel');
      expect(line(stdout, 'a KVM guest')).toBe('');
    });
  });
});

/** A process that sees something else in place of /dev/kvm, and may do that as any user. */
const HIDING = ['-rm', 'sh', '-c', 'mount --bind /dev/null /dev/kvm && exec "$@"', 'sh'];
const hides = existsSync('/dev/kvm') && spawnSync('unshare', [...HIDING, 'true']).status === 0;

test.skipIf(!hides)(
  `a KVM guest without KVM: 4, and what is missing${hides ? '' : ' (skipped: /dev/kvm cannot be hidden)'}`,
  () => {
    const workspace = new Workspace();
    const file = workspace.write('kvm.yaml', 'name: kvm\nuntil: 1s\nnodes: { k: { kind: kvm } }\n');
    const cli = packageFile('dist/backend/cli/main.js');
    const { status, stderr } = spawnSync('unshare', [...HIDING, cli, 'run', file], {
      encoding: 'utf8',
      timeout: 60_000,
      // Any file will do for a kernel: there is no machine that could boot it.
      env: { ...process.env, TMPDIR: workspace.temporary, ONECLOCK_KVM_KERNEL: file },
    });
    expect(stderr).toMatch(/^oneclock: \/dev\/kvm: .*: KVM of Linux 4\.12 or later .* is needed\n$/);
    expect(status).toBe(4);
    expect(readdirSync(workspace.temporary)).toEqual([]);
  },
);
