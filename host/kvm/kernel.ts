// SPDX-License-Identifier: MIT
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { OneclockError } from '../../backend/errors.js';
import { packageFile } from '../package-root.js';

const LOOK_MS = 10_000;

/** The command that builds the kernel: make's where there is a checkout, else the script of the installed package. */
export function kvmKernelBuildCommand(): string {
  return existsSync(packageFile('Makefile'))
    ? 'make kvm-kernel'
    : `${packageFile('host/kvm/kernel.sh')} build`;
}

/** Where this package's kernel is: what make has linked, else what the script has built into the user's cache. */
function builtKernel(): string {
  const linked = packageFile('build/kvm-linux');
  if (existsSync(linked)) return linked;
  const { status, stdout } = spawnSync(packageFile('host/kvm/kernel.sh'), ['path'], {
    encoding: 'utf8',
    timeout: LOOK_MS,
  });
  return status === 0 ? join(stdout.trim(), 'vmlinux') : linked;
}

/**
 * The kernel for KVM nodes that name none: `ONECLOCK_KVM_KERNEL`, else the one that was built.
 *
 * @param named the topology's own
 * @throws OneclockError `MACHINE` where it is missing or may not be read
 */
export function kvmKernel(named: string | undefined): string {
  const path = named ?? process.env.ONECLOCK_KVM_KERNEL ?? builtKernel();
  try {
    accessSync(path, constants.R_OK);
    return realpathSync(path);
  } catch (cause) {
    const advice =
      named === undefined ? `run "${kvmKernelBuildCommand()}"` : 'correct `kernel:` in the topology';
    throw new OneclockError('MACHINE', `there is no kernel for KVM guests at ${path}: ${advice}`, { cause });
  }
}
