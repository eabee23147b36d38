// SPDX-License-Identifier: MIT
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { RunFolder } from '../backend/run/run-folder.js';
import { checkPings, GUESTS, prepareGuest, startGuest } from './peer-guest.js';
import { Program } from './program.js';
import { oneclock, takeSample } from './sample.js';
import { formatSpread, type Spread, spread } from './spread.js';
import type { TableFormat } from './table.js';

const SOCKETS_MS = 10_000;
const LIMIT_MS = 120_000;
const LOOK_MS = 2;

/** Another controller, and how it is told a delay of one millisecond. */
export interface Peer {
  readonly path: string;
  readonly delay: string;
}

interface PeerSample {
  readonly wallMs: number;
  readonly guestCpuMs: number;
  readonly controllerCpuMs: number;
}

/** How the two-guest case went with one controller. */
export interface ControllerResult {
  readonly controller: string;
  readonly wallMs: Spread;
  readonly guestCpuMs: Spread;
  readonly controllerCpuMs: Spread;
  /** Of the peer's wall time; each repetition is compared with the peer's of the same turn. */
  readonly wallRatio: Spread;
  /** Of the peer's CPU time, guests and controller together. */
  readonly cpuRatio: Spread;
}

interface Contender {
  readonly name: string;
  readonly run: () => Promise<PeerSample>;
  readonly samples: PeerSample[];
}

/** Runs the two-guest case with `peer`, with our `serve` and with our `run`, in turn. */
export async function comparePeer(
  peer: Peer,
  repetitions: number,
  progress: (text: string) => void,
): Promise<ControllerResult[]> {
  const contenders: Contender[] = [
    { name: 'peer', run: () => serveGuests([resolve(peer.path)], peer.delay), samples: [] },
    { name: 'oneclock serve', run: () => serveGuests(oneclock('serve'), '1ms'), samples: [] },
    { name: 'oneclock run', run: runGuests, samples: [] },
  ];
  for (let repetition = 1; repetition <= repetitions; repetition++) {
    for (const { name, run, samples } of contenders) {
      progress(`peer comparison ${repetition} of ${repetitions}: ${name}`);
      samples.push(await run());
    }
  }
  const [reference] = contenders as [Contender];
  return contenders.map(({ name, samples }) => {
    const over = (figure: (sample: PeerSample) => number) => spread(samples.map(figure));
    const ratio = (figure: (sample: PeerSample) => number) =>
      spread(samples.map((sample, turn) => figure(sample) / figure(reference.samples[turn] as PeerSample)));
    return {
      controller: name,
      wallMs: over(({ wallMs }) => wallMs),
      guestCpuMs: over(({ guestCpuMs }) => guestCpuMs),
      controllerCpuMs: over(({ controllerCpuMs }) => controllerCpuMs),
      wallRatio: ratio(({ wallMs }) => wallMs),
      cpuRatio: ratio(({ guestCpuMs, controllerCpuMs }) => guestCpuMs + controllerCpuMs),
    };
  });
}

export function formatComparison(results: readonly ControllerResult[], table: TableFormat): string {
  return table([
    ['', ...results.map(({ controller }) => controller)],
    ['wall ms', ...results.map(({ wallMs }) => formatSpread(wallMs, 0))],
    ['CPU ms of guests', ...results.map(({ guestCpuMs }) => formatSpread(guestCpuMs, 0))],
    ['CPU ms of controller', ...results.map(({ controllerCpuMs }) => formatSpread(controllerCpuMs, 0))],
    ['wall time / peer', ...results.map(({ wallRatio }) => formatSpread(wallRatio, 2))],
    ['CPU time / peer', ...results.map(({ cpuRatio }) => formatSpread(cpuRatio, 2))],
  ]);
}

async function runGuests(): Promise<PeerSample> {
  const { wallMs, guestCpuMs, ownCpuMs } = await takeSample('two-guests');
  return { wallMs, guestCpuMs, controllerCpuMs: ownCpuMs };
}

/** Starts a controller, and guests for it; wall time is from its start until the pinging guest has ended. */
async function serveGuests(command: readonly string[], delay: string): Promise<PeerSample> {
  const folder = new RunFolder();
  const removeFolder = () => folder.remove();
  process.once('exit', removeFolder);
  const programs: Program[] = [];
  try {
    const guests = Array.from({ length: GUESTS }, (_, place) => prepareGuest(folder, place));
    const begun = performance.now();
    const options = ['--time', 'time', '--net', 'net', '--clients', `${GUESTS}`, '--net-delay', delay];
    const controller = new Program('controller', [...command, ...options], {
      cwd: folder.path,
      limitMs: LIMIT_MS,
    });
    programs.push(controller);
    await waitForSockets(folder.path, controller);
    programs.push(...guests.map((path, place) => startGuest(path, place, LIMIT_MS)));
    const [, first, ...others] = programs as [Program, Program, ...Program[]];
    const pinging = await first.ended;
    const wallMs = performance.now() - begun;
    checkPings(pinging.stdout);
    const rest = await Promise.all(others.map(({ ended }) => ended));
    const { status, stderr, cpuMs } = await controller.ended;
    if (status !== 0) throw new Error(`the controller ended with status ${status}: ${stderr.trim()}`);
    const guestCpuMs = [pinging, ...rest].reduce((sum, guest) => sum + guest.cpuMs, 0);
    return { wallMs, guestCpuMs, controllerCpuMs: cpuMs };
  } finally {
    for (const program of programs) program.kill('SIGKILL');
    await Promise.allSettled(programs.map(({ ended }) => ended));
    process.off('exit', removeFolder);
    folder.remove();
  }
}

async function waitForSockets(folder: string, controller: Program): Promise<void> {
  const end = performance.now() + SOCKETS_MS;
  while (!['time', 'net'].every((name) => existsSync(join(folder, name)))) {
    if (controller.over) {
      const { status, stderr } = await controller.ended;
      throw new Error(`the controller ended with status ${status} before its sockets: ${stderr.trim()}`);
    }
    if (performance.now() > end) throw new Error(`the controller made no sockets in ${SOCKETS_MS / 1000} s`);
    await sleep(LOOK_MS);
  }
}
