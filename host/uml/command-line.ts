// SPDX-License-Identifier: MIT

/** Device identities of the virtio specification, section 5, that a guest is given here. */
export interface UmlDevice {
  /** The socket's name in the guest's own folder. */
  readonly socket: string;
  /** The virtio device type. */
  readonly type: number;
}

export interface UmlCommand {
  /** Bytes. */
  readonly memory: number;
  /** What the guest's randomness comes from; without one, this machine's. */
  readonly seed?: bigint;
  /** The time socket's name in the guest's own folder; without one, the guest is in real time. */
  readonly timeSocket?: string;
  /** The initial file system's name in the guest's own folder. */
  readonly initramfs: string;
  readonly devices: readonly UmlDevice[];
}

/**
 * The arguments of a UML kernel. The kernel mixes its command line into its random generator, so nothing here may
 * differ between two runs: every path is relative to the guest's own folder.
 */
export function umlArguments({ memory, seed, timeSocket, initramfs, devices }: UmlCommand): string[] {
  return [
    `mem=${memory / 1024}K`,
    `initrd=${initramfs}`,
    ...(seed === undefined ? [] : [`um_seed=${seed}`]),
    // The kernel makes a folder of its own for its control socket: within the guest's, and by a fixed name.
    'uml_dir=.',
    'umid=uml',
    // Console input reaches a guest at no exact time, so the classic consoles are off; hvc0 is a virtio device.
    'con=null',
    'con0=null,fd:1',
    'ssl=null',
    'console=hvc0',
    // A panic or a reboot ends the process.
    'panic=-1',
    'noreboot',
    // There is no disk; without a word on it the kernel would make one up.
    'root=/dev/ram0',
    // Interrupts for frames that have been sent would cost an activation each, and tell the guest nothing.
    'virtio_net.napi_tx=0',
    ...devices.map(({ socket, type }) => `virtio_uml.device=${socket}:${type}`),
    // Last, because the guest's time begins with the connection: what comes before is read by then.
    ...(timeSocket === undefined ? [] : [`time-travel=ext:1:${timeSocket}`]),
  ];
}
