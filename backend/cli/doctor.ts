// SPDX-License-Identifier: MIT
import { spawnSync } from 'node:child_process';
import { existsSync, statfsSync } from 'node:fs';
import { whyNoKvm } from '../../host/kvm/index.js';
import { kvmKernel, kvmKernelBuildCommand } from '../../host/kvm/kernel.js';
import { packageFile } from '../../host/package-root.js';
import { kernelBuildCommand, umlKernel } from '../../host/uml/kernel.js';
import { Run } from '../run/index.js';
import { loadTopology } from '../topology/index.js';

/** One thing that was looked at. */
interface Finding {
  readonly what: string;
  readonly ok: boolean;
  /** Whether topologies of UML guests need it. */
  readonly needed: boolean;
  readonly detail: string;
  readonly remedy: string | undefined;
}

const SMALLEST_SHM = 256 * 1024 * 1024;
const KVM = '/dev/kvm';
const KVM_KERNEL = 'kernel of KVM guests';
const PTRACE = 'ptrace has to be allowed (kernel.yama.ptrace_scope at most 1; no seccomp filter against it)';
const OTHER_KVM =
  'the KVM of this machine runs small guests and does not run Linux: take another one, or run within host/kvm/nested/run.sh';
const TRIAL_WALL_MS = 20_000;
/** How long a guest is quiet that does not get through its boot, on a KVM that runs small guests only. */
const TRIAL_HANG_MS = 10_000;
/** A guest that starts, says so, and ends: what every topology needs of this machine. */
const trial = (kind: 'uml' | 'kvm') => `
name: doctor
until: 10s
nodes: { trial: { kind: ${kind}, run: 'exit 7', expect: { exit: 7 } } }
`;

/** `oneclock doctor`. @returns the exit status */
export async function doctor(options: { readonly json?: boolean }): Promise<number> {
  const findings = [
    addonFinding(),
    baseFinding(),
    kernelFinding(),
    seedFinding(),
    sharedMemoryFinding(),
    kvmFinding(),
    kvmKernelFinding(),
    virtualTimeFinding(),
  ];
  const ready = () => findings.every(({ ok, needed }) => ok || !needed);
  const has = (finding: string) => findings.some(({ what, ok }) => what === finding && ok);
  if (ready()) findings.push(await trialFinding('a guest', trial('uml'), true, PTRACE));
  if (has('guest files') && has(KVM) && has(KVM_KERNEL)) {
    findings.push(await trialFinding('a KVM guest', trial('kvm'), false, OTHER_KVM));
  }
  if (options.json) {
    process.stdout.write(`${JSON.stringify({ ok: ready(), findings }, null, 2)}\n`);
  } else {
    for (const { what, ok, needed, detail, remedy } of findings) {
      process.stdout.write(`${ok ? 'ok     ' : needed ? 'MISSING' : 'absent '}  ${what}: ${detail}\n`);
      if (!ok && remedy) process.stdout.write(`         ${remedy}\n`);
    }
  }
  return ready() ? 0 : 4;
}

/** `look` gives the detail where the thing is there, and throws what is wrong where it is not. */
function finding(what: string, needed: boolean, remedy: string, look: () => string): Finding {
  try {
    return { what, ok: true, needed, detail: look(), remedy: undefined };
  } catch (error) {
    return { what, ok: false, needed, detail: (error as Error).message, remedy };
  }
}

function file(path: string): string {
  if (!existsSync(path)) throw new Error(`${path} is not there`);
  return path;
}

function addonFinding(): Finding {
  return finding('native addon', true, 'run: make addon', () => file(packageFile('build/oneclock.node')));
}

function baseFinding(): Finding {
  return finding('guest files', true, 'run: make build', () => file(packageFile('build/base.cpio')));
}

function kernelFinding(): Finding {
  return finding('User-Mode Linux kernel', true, `run: ${kernelBuildCommand()}`, () => {
    const path = umlKernel(undefined);
    const { stdout } = spawnSync(path, ['--version'], { encoding: 'utf8', timeout: 5000 });
    return `${stdout.trim() || 'of unknown version'} at ${path}`;
  });
}

function seedFinding(): Finding {
  const remedy = 'use the kernel of this project (make kernel): with this one, two runs may differ';
  return finding('deterministic randomness', false, remedy, () => {
    const { stdout } = spawnSync(umlKernel(undefined), ['--help'], { encoding: 'utf8', timeout: 5000 });
    if (!stdout.includes('um_seed=')) throw new Error('the kernel does not know um_seed=');
    return 'the kernel knows um_seed=';
  });
}

function sharedMemoryFinding(): Finding {
  const remedy = 'mount a larger tmpfs there: guests have their memory in it';
  return finding('/dev/shm', true, remedy, () => {
    const { bavail, bsize } = statfsSync('/dev/shm');
    const free = bavail * bsize;
    if (free < SMALLEST_SHM) throw new Error(`${free >> 20} MiB are free`);
    return `${Math.floor(free / 2 ** 20)} MiB are free`;
  });
}

/** What only a machine that is a board needs. */
function virtualTimeFinding(): Finding {
  const remedy =
    'only for a physical board: run a kernel with kernel-patches/vt and CONFIG_VIRTUAL_TIME there';
  return finding('virtual time', false, remedy, () => {
    if (!existsSync('/proc/self/dilation')) {
      throw new Error(
        'as a board, this machine would freeze its processes, but they would see the frozen time pass (clock: visible)',
      );
    }
    return 'as a board, this machine hides frozen time from its processes (clock: hidden)';
  });
}

function kvmFinding(): Finding {
  const remedy = 'only for nodes of kind kvm and partition';
  return finding(KVM, false, remedy, () => {
    const reason = whyNoKvm();
    if (reason !== undefined) throw new Error(reason);
    return 'it runs 64-bit guests';
  });
}

function kvmKernelFinding(): Finding {
  return finding(KVM_KERNEL, false, `run: ${kvmKernelBuildCommand()}`, () => kvmKernel(undefined));
}

/** Starts a real guest: only that shows that this machine lets one run. */
async function trialFinding(what: string, text: string, needed: boolean, remedy: string): Promise<Finding> {
  try {
    const { topology } = loadTopology(text, 'doctor.yaml');
    if (topology === undefined) throw new Error('the trial topology is not valid');
    const run = new Run(topology, {
      out: undefined,
      jobs: 1,
      sharedMemory: true,
      maxWallMs: TRIAL_WALL_MS,
      hangMs: TRIAL_HANG_MS,
    });
    const result = await run.execute();
    if (result.status !== 'ok') {
      throw new Error(result.nodes.trial?.reason ?? result.reason ?? result.status);
    }
    return {
      what,
      ok: true,
      needed,
      detail: `ran and ended in ${result.wallMs} ms`,
      remedy: undefined,
    };
  } catch (error) {
    // Its name is not the user's, and its registers are of no use to whoever looks for another machine.
    const [detail = ''] = (error as Error).message.replace(/^guest trial: /, '').split('; last exit');
    return { what, ok: false, needed, detail, remedy };
  }
}
