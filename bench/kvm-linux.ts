// SPDX-License-Identifier: MIT
import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Run } from '../backend/run/index.js';
import { readTopology } from '../backend/topology/index.js';
import { Machine } from '../host/kvm/index.js';
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
  readonly activations: number;
  readonly traceHash: string;
}

/** Every run of one turn. */
export interface LinuxTurn {
  /** One KVM guest that starts and ends. */
  readonly start: LinuxRun;
  /** The same with a thousand seconds in between. */
  readonly sleep: LinuxRun;
  readonly pings: number;
  /** Two guests that start and end, and the same with pings. */
  readonly kvm: { readonly start: LinuxRun; readonly ping: LinuxRun };
  readonly uml: { readonly start: LinuxRun; readonly ping: LinuxRun };
}

/** Whether this machine's KVM runs Linux. Some run small guests only. */
export async function linuxRuns(): Promise<boolean> {
  return (await tryRun(oneGuest('true'), TRIAL_MS)).status === 'ok';
}

export async function measureLinux(pings: number): Promise<LinuxTurn> {
  const ping = `ping -q -c ${pings} -i 0.01 10.0.0.2`;
  const pair = async (kind: Kind) => ({ start: await run(pairOf(kind, 'true')), ping: await run(pairOf(kind, ping)) });
  return {
    start: await run(oneGuest('true')),
    sleep: await run(oneGuest('sleep 1000')),
    pings,
    kvm: await pair('kvm'),
    uml: await pair('uml'),
  };
}

function oneGuest(command: string): object {
  return { name: 'one', seed: 1, until: '2000s', nodes: { a: node('kvm', command) } };
}

function pairOf(kind: Kind, command: string): object {
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

async function run(topology: object): Promise<LinuxRun> {
  const [result, exits] = await countExits(() => tryRun(topology, MAX_WALL_MS));
  if (result.status !== 'ok') throw new Error(`a run of Linux guests failed: ${result.reason}`);
  const { wallMs, activations, traceHash } = result;
  return { wallMs, exits, activations, traceHash };
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

/** Counts the exits of all guests that end while `action` runs: machines are looked at when they are stopped. */
async function countExits<T>(action: () => Promise<T>): Promise<[T, number]> {
  const machine = Machine.prototype;
  const { stop } = machine;
  const seen = new Map<Machine, number>();
  machine.stop = function (this: Machine) {
    seen.set(this, Number(this.exits));
    stop.call(this);
  };
  try {
    const result = await action();
    return [result, [...seen.values()].reduce((sum, exits) => sum + exits, 0)];
  } finally {
    machine.stop = stop;
  }
}
