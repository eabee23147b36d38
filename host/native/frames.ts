// SPDX-License-Identifier: MIT
import { constants } from 'node:os';
import { OneclockError } from '../../backend/errors.js';

/** Called by the hub's `poll`; may send on and close the channel. */
export interface FrameHandler {
  /** A frame that came in, with its VLAN tag. @param frame valid only until the handler returns */
  onFrame(frame: Uint8Array): void;
  /** A frame came in that was longer than the interface's MTU allows: several that the kernel has made one of. */
  onLost(): void;
  /** The interface is down or gone; the channel is closed already. Called at most once. */
  onClose(reason: string): void;
}

/** A network interface of this machine, with the frames of everybody on its cable. */
export interface FrameChannel {
  /** @returns whether the interface took it: not where it is longer than the MTU, or where its queue is full */
  send(frame: Uint8Array): boolean;
  /** How many frames came in and found no room since this was asked last. */
  missed(): number;
  /** Safe to call twice. */
  close(): void;
}

/** What hears Ethernet interfaces of this machine. */
export interface FrameHub {
  /** @throws OneclockError `MACHINE` where there is no such interface, or no right to hear it */
  openPacket(name: string, handler: FrameHandler): FrameChannel;
}

const { EPERM, ENODEV, EPROTOTYPE, ENETDOWN, EOPNOTSUPP } = constants.errno;

/** What keeps the interface `name` from being heard, and how to mend it. */
export function packetError(name: string, cause: Error & { readonly errno?: number }): OneclockError {
  const what = new Map([
    [
      EPERM,
      'frames of network interfaces are for root: run oneclock as root, or with the capability CAP_NET_RAW',
    ],
    [ENODEV, `this machine has no network interface ${name}: "ip link" shows which there are`],
    [EPROTOTYPE, `the network interface ${name} is none of Ethernet: take another one`],
    [ENETDOWN, `the network interface ${name} is down: run "ip link set ${name} up"`],
    [
      EOPNOTSUPP,
      `the network interface ${name} makes one of several packets: run "ethtool -K ${name} gro off lro off"`,
    ],
  ]).get(cause.errno ?? 0);
  const message = what ?? `the network interface ${name} cannot be heard: ${cause.message}`;
  return new OneclockError('MACHINE', message, { cause });
}
