// SPDX-License-Identifier: MIT
import { join } from 'node:path';
import type { RunFolder } from '../backend/run/run-folder.js';
import { writeInitramfs } from '../guest/initramfs.js';
import { packageFile } from '../host/package-root.js';
import { umlArguments } from '../host/uml/command-line.js';
import { umlKernel } from '../host/uml/kernel.js';
import { DeviceType } from '../protocols/virtio/index.js';
import { Program } from './program.js';

const INITRAMFS = 'initramfs';
const MEMORY = 64 * 1024 * 1024;
/** As in topologies/two-guests.yaml; the interface has no known MAC address, so init cannot set it up. */
const PINGS = 5000;
const SCRIPTS = [
  `ip link set eth0 up && ip addr add 10.0.0.1/24 dev eth0 && ping -q -c ${PINGS} -i 0.01 10.0.0.2`,
  // Up until the other has done.
  'ip link set eth0 up && ip addr add 10.0.0.2/24 dev eth0 && sleep 51',
] as const;

/** The two guests of the two-guest case, for a controller that is told nothing of them but its sockets. */
export const GUESTS = SCRIPTS.length;

/** Puts down what a guest is started from. @returns its folder */
export function prepareGuest(folder: RunFolder, place: number): string {
  const name = `guest${place}`;
  const path = folder.nodeFolder(name);
  const guest = { hostname: name, root: 'initramfs', interfaces: [], run: SCRIPTS[place] as string } as const;
  writeInitramfs(packageFile('build/base.cpio'), guest, join(path, INITRAMFS));
  return path;
}

/** Starts a guest whose controller has its sockets, `time` and `net`, in the folder above `folder`. */
export function startGuest(folder: string, place: number, limitMs: number): Program {
  const words = umlArguments({
    memory: MEMORY,
    seed: BigInt(place + 1),
    timeSocket: '../time',
    initramfs: INITRAMFS,
    devices: [{ socket: '../net', type: DeviceType.NET }],
  });
  // It has no virtio console; and controllers may tell their clients apart by identity.
  const own = [...words.filter((word) => !word.startsWith('time-travel=')), 'console=tty0'];
  return new Program(
    `guest ${place}`,
    [umlKernel(undefined), ...own, `time-travel=ext:${place + 1}:../time`],
    { cwd: folder, limitMs },
  );
}

/** @throws where not every ping was answered */
export function checkPings(stdout: string): void {
  if (stdout.includes(`${PINGS} packets transmitted, ${PINGS} packets received`)) return;
  throw new Error(`not every ping was answered; the guest ended with: ${stdout.trim().slice(-1000)}`);
}
