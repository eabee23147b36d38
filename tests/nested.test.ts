// SPDX-License-Identifier: MIT
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { whyNoKvm } from '../host/kvm/index.js';
import { packageFile } from '../host/package-root.js';
import { nested } from './support/nested.js';

/** A machine starts and ends within some seconds; the others of the file are behind it. */
const LIMIT_MS = 120_000;

/**
 * Tests that need KVM and no Linux guest: where this machine has KVM, they run on it. Those of host/kvm/write-update.test.ts
 * are not among them, since their guests wait for each other in loops, and a nested machine has one processor.
 */
const BARE_METAL = [
  ...['clock-page', 'hypercall', 'machine', 'notifications', 'platform', 'real-time', 'timers'].map(
    (name) => `host/kvm/${name}`,
  ),
  'backend/participants/kvm.test.ts',
];
const BARE_METAL_LIMIT_S = 600;

describe('a nested machine', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'nested-test-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test(
    'passes output, status, folder and environment on, and keeps what is written to a shared folder only',
    async () => {
      const shared = join(folder, 'sha red');
      spawnSync('mkdir', [shared]);
      writeFileSync(join(folder, 'kept'), 'before');
      const script = 'echo "$PWD $WORD"; echo problem >&2; echo after | tee kept > "sha red/new"; exit 3';
      const result = await nested(['bash', '-c', script], {
        folder,
        share: [shared],
        environment: { WORD: 'two\nlines' },
      });
      expect(result).toEqual({ status: 3, stdout: `${folder} two\nlines\n`, stderr: 'problem\n' });
      expect(readFileSync(join(shared, 'new'), 'utf8')).toBe('after\n');
      expect(readFileSync(join(folder, 'kept'), 'utf8')).toBe('before');
    },
    LIMIT_MS,
  );

  test(
    'is ended in time, and leaves nothing',
    async () => {
      const before = readdirSync(tmpdir());
      await expect(nested(['sleep', '1000'], { limitS: 8 })).rejects.toThrow('not done after 8 s');
      const left = readdirSync(tmpdir()).filter((name) => name.startsWith('oneclock-nested'));
      expect(left.filter((name) => !before.includes(name))).toEqual([]);
    },
    LIMIT_MS,
  );

  test('says what it cannot do', async () => {
    await expect(nested(['true'], { memory: 'plenty' })).rejects.toThrow(
      '--memory wants a size such as 512M',
    );
    await expect(nested(['true'], { environment: { PATH: '/usr/bin/none' } })).rejects.toThrow();
  });
});

test(
  'a hypercall reaches user space with our patches, and is unknown to Debian',
  () => {
    const { status, stdout, stderr } = spawnSync(packageFile('kernel-patches/kvm/host/test.sh'), {
      encoding: 'utf8',
      timeout: LIMIT_MS,
    });
    const said = `${stdout}\n${stderr}`;
    expect(stdout.match(/^not ok.*|^ok.*SKIP.*/gm) ?? [], said).toEqual([]);
    expect(stdout.match(/^ok \d+ /gm), said).toHaveLength(15);
    expect(status, said).toBe(0);
  },
  LIMIT_MS,
);

test(
  'hypercalls of guests reach our machine monitor there',
  async ({ task }) => {
    task.meta.kvm = 'nested in QEMU';
    const command = ['npx', '--no-install', 'vitest', 'run', '--project', 'unit', '--testTimeout', '60000'];
    const { stdout, stderr } = await nested([...command, 'host/kvm/hypercall'], { folder: packageFile('.') });
    // This machine skips them, unless it has our patch.
    expect(stdout, stderr).toMatch(/^2 passed, 0 failed, 0 skipped$/m);
  },
  LIMIT_MS,
);

// Nothing is left out where this machine cannot have such guests.
if (whyNoKvm() !== undefined) {
  test(
    'runs the tests of bare-metal guests, which this machine cannot',
    async ({ task }) => {
      task.meta.kvm = 'nested in QEMU';
      const command = ['npx', '--no-install', 'vitest', 'run', '--project', 'unit', '--no-file-parallelism'];
      const { status, stdout, stderr } = await nested(
        [...command, '--testTimeout', '120000', ...BARE_METAL],
        {
          folder: packageFile('.'),
          limitS: BARE_METAL_LIMIT_S,
        },
      );
      const said = `${stdout}\n${stderr}`;
      expect(stdout, said).toMatch(/^KVM: [1-9]\d\d tests ran on \/dev\/kvm$/m);
      expect(stdout, said).toMatch(/^\d+ passed, 0 failed, /m);
      expect(status, said).toBe(0);
    },
    2 * BARE_METAL_LIMIT_S * 1000,
  );
}
