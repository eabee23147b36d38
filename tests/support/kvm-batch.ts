// SPDX-License-Identifier: MIT
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import { packageFile } from '../../host/package-root.js';
import { RunOutcome } from './cli.js';
import { nested } from './nested.js';

/** Seconds that all runs of a batch may take together, in a machine that is emulated. */
const LIMIT_S = 400;
/** Seconds that one run may take. Then it says for what each of its threads waits, and is ended. */
const RUN_LIMIT_S = 300;
/** Shell: a command, for so long at most. */
const BOUNDED = `
bounded() {
	"$@" &
	pid=$!
	(
		sleep ${RUN_LIMIT_S} &
		trap "kill $!; exit" TERM
		wait
		echo "not done after ${RUN_LIMIT_S} s; its threads:"
		for task in /proc/$pid/task/*; do
			echo "$(cat $task/comm): $(cat $task/wchan), system call $(cat $task/syscall)"
			cat $task/stack
		done
		kill -KILL $pid
	) >&2 &
	watch=$!
	wait $pid
	status=$?
	kill $watch 2>/dev/null
	return $status
}`;
const CLI = packageFile('dist/backend/cli/main.js');

/** The run of a topology, or of a script. */
export interface BatchRun {
  readonly name: string;
  readonly topology?: string;
  readonly script?: string;
  readonly args?: readonly string[];
}

/** Where KVM guests with Linux ran: this machine, or one in QEMU's software emulation. */
export type Way = 'here' | 'nested in QEMU';

/** Whether a KVM guest with Linux runs on this machine: `oneclock doctor` finds out by trying one. */
function linuxRunsHere(): boolean {
  const { stdout } = spawnSync(CLI, ['doctor', '--json'], { encoding: 'utf8', timeout: 60_000 });
  const { findings } = JSON.parse(stdout) as { findings: { what: string; ok: boolean }[] };
  return findings.some(({ what, ok }) => what === 'a KVM guest' && ok);
}

/** Runs of topologies with KVM guests, all in one machine that is emulated where this one cannot run them. */
export class KvmBatch {
  readonly #folder = mkdtempSync(join(tmpdir(), 'kvm-batch-'));
  readonly #outcomes = new Map<string, RunOutcome>();
  /** What the runs left behind, a line each. */
  left: string[] = [];

  #way: Way = 'here';

  get way(): Way {
    return this.#way;
  }

  /** Finds out where to, and runs them there, one after another. Bounded. */
  async execute(runs: readonly BatchRun[]): Promise<void> {
    this.#way = linuxRunsHere() ? 'here' : 'nested in QEMU';
    const script = [
      '#!/bin/sh',
      BOUNDED,
      // Sockets cannot be in a folder that is shared with another machine.
      `cd '${this.#folder}' && TMPDIR=$(mktemp -d) && export TMPDIR || exit`,
      ...runs.map(({ name, topology, script, args = [] }) => {
        const input = script === undefined ? `${name}.yaml` : `${name}.ts`;
        writeFileSync(join(this.#folder, input), script ?? topology ?? '');
        const command = `bounded '${CLI}' run ${input} --out ${name} --json ${args.join(' ')}`;
        return `${command} >${name}.stdout 2>${name}.stderr; echo $? >${name}.status`;
      }),
      'ls "$TMPDIR" >left',
      'rm -rf "$TMPDIR"',
      '',
    ].join('\n');
    const file = join(this.#folder, 'batch.sh');
    writeFileSync(file, script);
    chmodSync(file, 0o755);
    if (this.#way === 'here') {
      execFileSync(file, { timeout: LIMIT_S * 1000, stdio: 'inherit' });
    } else {
      const { status, stderr } = await nested([file], { share: [this.#folder], limitS: LIMIT_S });
      if (status !== 0) throw new Error(`the nested machine ended with ${status}: ${stderr}`);
    }
    const read = (name: string) => readFileSync(join(this.#folder, name), 'utf8');
    for (const { name } of runs) {
      const finished = {
        status: Number(read(`${name}.status`)),
        signal: null,
        stdout: read(`${name}.stdout`),
        stderr: read(`${name}.stderr`),
        wallMs: 0,
      };
      this.#outcomes.set(name, new RunOutcome(finished, join(this.#folder, name)));
    }
    this.left = read('left').split('\n').filter(Boolean);
  }

  outcome(name: string): RunOutcome {
    const outcome = this.#outcomes.get(name);
    if (!outcome) throw new Error(`there was no run ${name}`);
    return outcome;
  }

  close(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/**
 * A batch that runs before the tests of a file and goes with them.
 *
 * @param limitMs how long that may take, with what `runs` does and the wait for another machine
 */
export function useBatch(runs: () => readonly BatchRun[], limitMs = 840_000): KvmBatch {
  const batch = new KvmBatch();
  beforeAll(() => batch.execute(runs()), limitMs);
  afterAll(() => batch.close());
  beforeEach(({ task }) => {
    task.meta.kvm = batch.way;
  });
  return batch;
}
