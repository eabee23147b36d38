// SPDX-License-Identifier: MIT
import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Run } from '../backend/run/index.js';
import { readTopology } from '../backend/topology/index.js';
import { type Span, watchGuests } from './guest-watch.js';
import { withFolder } from './scratch.js';

const MAX_WALL_MS = 200_000;
/** How long a guest is quiet that does not get through its boot, on a KVM that runs small guests only. */
const TRIAL_MS = 10_000;

type Kind = 'kvm' | 'uml';

/** What one run took. */
export interface LinuxRun {
  /** From the first guest's start to the end. */
  readonly wallMs: number;
  /** Of all KVM guests; 0 where there are none. */
  readonly exits: number;
  /** The part of it that is measured. */
  readonly span: Span;
  readonly activations: number;
  readonly traceHash: string;
}

/** Every run of one turn. */
export interface LinuxTurn {
  /** One KVM guest that starts, sleeps for a thousand seconds, which is the span, and ends. */
  readonly sleep: LinuxRun;
  readonly pings: number;
  /** Two guests, one of which pings the other, from the first packet to the last. */
  readonly kvm: LinuxRun;
  readonly uml: LinuxRun;
}

/** Whether this machine's KVM runs Linux. Some run small guests only. */
export async function linuxRuns(): Promise<boolean> {
  return (await tryRun(oneGuest('true'), TRIAL_MS)).status === 'ok';
}

export async function measureLinux(pings: number, progress: (text: string) => void): Promise<LinuxTurn> {
  progress('sleep 1000');
  const sleep = await run(oneGuest('sleep 1000'), 'late');
  progress(`${pings} pings of KVM guests`);
  const kvm = await run(pairOf('kvm', pings), 'traffic');
  progress(`${pings} pings of User-Mode Linux`);
  const uml = await run(pairOf('uml', pings), 'traffic');
  return { sleep, pings, kvm, uml };
}

function oneGuest(command: string): object {
  return { name: 'one', seed: 1, until: '2000s', nodes: { a: node('kvm', command) } };
}

function pairOf(kind: Kind, pings: number): object {
  const command = `ping -q -c ${pings} -i 0.01 10.0.0.2`;
  const address = (last: number) => ({ interfaces: { eth0: { address: `10.0.0.${last}/24` } } });
  return {
    name: 'pair',
    seed: 1,
    until: '2000s',
    nodes: { a: { ...node(kind, command), ...address(1) }, b: { kind, memory: '64M', ...address(2) } },
    links: [{ name: 'ab', between: ['a.eth0', 'b.eth0'], latency: '1ms' }],
  };
}

function node(kind: Kind, command: string): object {
  return { kind, memory: '64M', run: command, expect: { exit: 0 } };
}

async function run(topology: object, part: 'late' | 'traffic'): Promise<LinuxRun> {
  const [result, watched] = await watchGuests(() => tryRun(topology, MAX_WALL_MS));
  if (result.status !== 'ok') throw new Error(`a run of Linux guests failed: ${result.reason}`);
  const span = watched[part];
  if (!span) throw new Error(`a run of Linux guests has no part "${part}"`);
  const { wallMs, activations, traceHash } = result;
  return { wallMs, exits: watched.exits, span, activations, traceHash };
}

function tryRun(topology: object, hangMs: number) {
  return withFolder(async (folder) => {
    const file = join(folder, 'topology.yaml');
    // YAML holds JSON.
    writeFileSync(file, JSON.stringify(topology));
    const run = new Run(readTopology(file), {
      out: undefined,
      jobs: availableParallelism(),
      sharedMemory: true,
      maxWallMs: MAX_WALL_MS,
      hangMs,
    });
    const dispose = () => run.dispose();
    process.once('exit', dispose);
    try {
      return await run.execute();
    } finally {
      process.off('exit', dispose);
    }
  });
}
