// SPDX-License-Identifier: MIT
import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { packageFile } from '../../host/package-root.js';
import { useBatch } from '../support/kvm-batch.js';

/** The package is fetched once. */
const FETCH_MS = 300_000;

/** The kernel as Debian built it: it knows nothing of virtual time, and has its drivers in modules. */
const topology = (folder: string) => `
name: debian
until: 60s
nodes:
  d:
    kind: kvm
    clock: emulated
    kernel: ${folder}/kernel
    modules: ${folder}/modules
    memory: 256M
    interfaces: { eth0: { address: 10.0.0.1/24 } }
    run: uname -r; ip -4 addr show eth0; a=$(date +%s); sleep 2; echo slept $(($(date +%s) - a)); exit 7
    expect: { exit: 7 }
`;

const batch = useBatch(() => {
  const script = packageFile('host/kvm/debian.sh');
  const { status, stdout, stderr } = spawnSync(script, ['6.12'], { encoding: 'utf8', timeout: FETCH_MS });
  if (status !== 0) throw new Error(`${script} ended with ${status}: ${stderr}`);
  return [{ name: 'debian', topology: topology(stdout.trim()), args: ['--hang', '60s'] }];
}, 720_000);

describe('a KVM guest with an unmodified kernel', () => {
  test('boots, has its interfaces, and says how its command ended', () => {
    const run = batch.outcome('debian').expectStatus(0);
    expect(run.node('d')).toMatchObject({ state: 'exited', exit: 7 });
    expect(run.console('d')).toMatch(/ 6\.12\.\d+\+deb12-amd64$/m);
    expect(run.console('d')).toMatch(/inet 10\.0\.0\.1\/24 .*eth0$/m);
  });

  test('lives in virtual time', () => {
    const run = batch.outcome('debian');
    expect(run.console('d')).toMatch(/ slept 2$/m);
    expect(BigInt(run.result.virtualNs)).toBeGreaterThan(2_000_000_000n);
    expect(BigInt(run.result.virtualNs)).toBeLessThan(5_000_000_000n);
  });

  test('leaves nothing', () => {
    expect(batch.left).toEqual([]);
  });
});
