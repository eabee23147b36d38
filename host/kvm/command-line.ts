// SPDX-License-Identifier: MIT
import { MODULES_ARGUMENT } from '../../guest/initramfs.js';
import { Machine } from './machine.js';
import type { PlatformOptions } from './platform.js';

/** Whether it counts jiffies for others, or has another count them for it. */
export type JiffiesRole = 'source' | 'follow';

export interface KvmCommand {
  readonly clock: PlatformOptions['clock'];
  /** How many virtio devices it has. */
  readonly devices: number;
  readonly jiffies?: JiffiesRole | undefined;
  /** Whether its init inserts modules. */
  readonly modules?: boolean;
}

/** What an unmodified kernel has to be told: that nothing may be measured, and no time passes while it computes. */
const TIMERS = ['lpj=1000', 'notsc', 'nolapic', 'no_timer_check', 'nokaslr', 'cryptomgr.notests=1'];

/** The command line of a Linux kernel in a guest. The kernel mixes it into its random generator: nothing of this machine. */
export function kvmCommandLine({ clock, devices, jiffies, modules = false }: KvmCommand): string {
  return [
    // hvc0 is a virtio device; the serial port is for what comes before it.
    'earlycon=uart8250,io,0x3f8',
    'console=hvc0',
    // A panic or a reboot ends the guest.
    'panic=-1',
    'reboot=k',
    // The seed that it is given is all the randomness that it has.
    'random.trust_bootloader=on',
    // Interrupts for frames that have been sent would cost an activation each, and tell the guest nothing.
    'virtio_net.napi_tx=0',
    ...(clock === 'timers' ? TIMERS : []),
    ...(clock === 'timers' ? [] : deviceWords(devices)),
    ...(jiffies === undefined ? [] : [`oneclock.jiffies=${jiffies}`]),
    // For the guest's init, and behind all that is for the kernel.
    ...(modules ? [MODULES_ARGUMENT] : []),
  ].join(' ');
}

/** Where the virtio devices are, for a kernel with VIRTIO_MMIO_CMDLINE_DEVICES; others find them by ACPI. */
function deviceWords(devices: number): string[] {
  return Array.from({ length: devices }, (_, slot) => {
    const base = Machine.virtioBase(slot).toString(16);
    return `virtio_mmio.device=4K@0x${base}:${Machine.virtioLine(slot)}`;
  });
}
