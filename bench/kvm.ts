// SPDX-License-Identifier: MIT
import { join } from 'node:path';
import { whyNoKvm } from '../host/kvm/index.js';
import { kvmKernel } from '../host/kvm/kernel.js';
import { packageFile } from '../host/package-root.js';
import { type ExitResult, summarizeExits } from './kvm-exit-results.js';
import type { KvmFigures, KvmOrder, Part } from './kvm-figures.js';
import { type LinuxResult, summarizeLinux } from './kvm-linux-results.js';
import { summarizeUpdates, type UpdateResult } from './kvm-update-results.js';
import { Program } from './program.js';
import { withFolder } from './scratch.js';

/** In a machine that is emulated everything takes ten times as long. */
const HERE = { exits: 20_000, updates: 20_000, pings: 1000 };
const NESTED = { exits: 2_000, updates: 2_000, pings: 100 };
/** So many turns at most, there. */
const NESTED_TURNS = 3;
const COMPILE_MS = 60_000;
const TRIAL_MS = 60_000;
const HERE_MS = 900_000;
const NESTED_S = 900;
/** Exit status of run.sh where it needs what this machine has not. */
const MISSING = 4;

const MAIN = packageFile('dist/bench/kvm-main.js');
const NESTED_SCRIPT = packageFile('host/kvm/nested/run.sh');

/** Where figures were taken. */
export type Place = 'here' | 'nested in QEMU';

/** What was measured in one place. A part that was not measured there is null. */
export interface KvmPlace {
  readonly place: Place;
  readonly exits: ExitResult | null;
  readonly updates: readonly UpdateResult[] | null;
  readonly linux: LinuxResult | null;
}

export interface KvmResult {
  readonly places: readonly KvmPlace[];
  /** What could not be measured, and why. */
  readonly missing: readonly string[];
}

/**
 * Measures on this machine what its KVM can do; all of it once more in a machine that is emulated, where this one runs no
 * Linux.
 */
export function measureKvm(repetitions: number, progress: (text: string) => void): Promise<KvmResult> {
  return withFolder(async (folder) => {
    const missing: string[] = [];
    const places: KvmPlace[] = [];
    const bareExits = await compileBareExits(join(folder, 'bare-exits'));
    const without = whyNoKvm();
    const kernel = kernelMissing();
    progress('kvm: trying a guest with Linux');
    const linuxHere = without === undefined && kernel === undefined && (await tryLinux());
    if (without !== undefined) missing.push(`here: ${without}`);
    else {
      const parts: Part[] = ['exits', 'updates', ...(linuxHere ? (['linux'] as const) : [])];
      places.push(await measureIn('here', { ...HERE, parts, repetitions, bareExits }));
    }
    if (!linuxHere) {
      const parts: Part[] = ['exits', 'updates', ...(kernel === undefined ? (['linux'] as const) : [])];
      const order = { ...NESTED, parts, repetitions: Math.min(repetitions, NESTED_TURNS), bareExits };
      progress('kvm: the same in a machine that QEMU emulates');
      const found = await measureIn('nested in QEMU', order).catch((error) => {
        if (!(error instanceof MissingError)) throw error;
        missing.push(`nested in QEMU: ${error.message}`);
      });
      if (found) places.push(found);
    }
    if (kernel !== undefined) missing.push(`guests with Linux: ${kernel}`);
    return { places, missing };
  });
}

/** This machine cannot do it, which is nobody's fault. */
class MissingError extends Error {}

function kernelMissing(): string | undefined {
  try {
    kvmKernel(undefined);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

async function compileBareExits(program: string): Promise<string> {
  const sources = [
    'bench/bare-exits.cc',
    ...['long_mode', 'guest_memory', 'cpuid'].map((name) => `host/kvm/src/${name}.cc`),
  ];
  const folders = ['.', 'host', 'host/native/src'].map((folder) => `-I${packageFile(folder)}`);
  await output(
    'bare-exits',
    ['c++', '-std=c++17', '-O2', ...folders, '-o', program, ...sources.map(packageFile)],
    COMPILE_MS,
  );
  return program;
}

async function tryLinux(): Promise<boolean> {
  const found = await output('kvm-trial', [process.execPath, MAIN, 'trial'], TRIAL_MS);
  return (JSON.parse(found) as { linux: boolean }).linux;
}

async function measureIn(place: Place, order: KvmOrder): Promise<KvmPlace> {
  const command = [process.execPath, MAIN, JSON.stringify(order)];
  const found =
    place === 'here'
      ? await output('kvm-main', command, HERE_MS)
      : await output('kvm-main, nested', nested(command), 2000 * NESTED_S);
  const { exits, updates, linux } = JSON.parse(found) as KvmFigures;
  return {
    place,
    exits: exits && summarizeExits(exits),
    updates: updates && summarizeUpdates(updates),
    linux: linux && summarizeLinux(linux),
  };
}

/** One machine at a time, as with tests: the lock is theirs. */
function nested(command: readonly string[]): string[] {
  const wait = ['flock', '--no-fork', '--timeout', `${NESTED_S}`, NESTED_SCRIPT];
  return [...wait, NESTED_SCRIPT, '--timeout', `${NESTED_S}`, '--', ...command];
}

async function output(name: string, command: readonly string[], limitMs: number): Promise<string> {
  const { status, stdout, stderr } = await new Program(name, command, { limitMs }).ended;
  if (status === MISSING) throw new MissingError(stderr.trim());
  if (status !== 0) throw new Error(`${name} ended with status ${status}: ${stderr.trim()}`);
  return stdout;
}
