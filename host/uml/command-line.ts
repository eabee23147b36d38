// SPDX-License-Identifier: MIT

/** Device identities of the virtio specification, section 5, that a guest is given here. */
export interface UmlDevice {
  /** The socket's name in the guest's own folder. */
  readonly socket: string;
  /** The virtio device type. */
  readonly type: number;
}

/** The first descriptor that the kernel's process has for its serial lines. */
const FIRST_SERIAL = 3;

/** A serial line or console that is more than a name. */
export interface UmlSerialLine {
  /** ttyS0, ttyS1 …, or tty1, tty2 … */
  readonly name: string;
  /** 3: input, output and acknowledgements; 2: without the last. */
  readonly channels: number;
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
  /** The process has their channels from descriptor 3 on, in order. */
  readonly serial?: readonly UmlSerialLine[];
}

/**
 * The arguments of a UML kernel. The kernel mixes its command line into its random generator, so nothing here may
 * differ between two runs: every path is relative to the guest's own folder.
 */
export function umlArguments({
  memory,
  seed,
  timeSocket,
  initramfs,
  devices,
  serial = [],
}: UmlCommand): string[] {
  return [
    `mem=${memory / 1024}K`,
    `initrd=${initramfs}`,
    ...(seed === undefined ? [] : [`um_seed=${seed}`]),
    // The kernel makes a folder of its own for its control socket: within the guest's, and by a fixed name.
    'uml_dir=.',
    'umid=uml',
    // The classic consoles and lines are off, but those that the topology asks for; hvc0 is a virtio device.
    'con=null',
    'con0=null,fd:1',
    'ssl=null',
    ...serialArguments(serial),
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

function serialArguments(lines: readonly UmlSerialLine[]): string[] {
  let descriptor = FIRST_SERIAL;
  return lines.map(({ name, channels }) => {
    const driver = name.replace(/^ttyS/, 'ssl').replace(/^tty/, 'con');
    return `${driver}=${Array.from({ length: channels }, () => `fd:${descriptor++}`).join(',')}`;
  });
}
