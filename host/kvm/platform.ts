// SPDX-License-Identifier: MIT

/** `ClockKind` in src/platform.hh. */
export const CLOCKS = { page: 0, timers: 1, real: 2 } as const;

/** How a guest has ended by itself, in the order of ONECLOCK_HC_END_*. */
export const POWER = ['off', 'reboot', 'panic'] as const;
export type Power = (typeof POWER)[number];

/** `machine.request` of a guest that waits for nothing but an interrupt. */
export const NO_REQUEST = 0xffff_ffff_ffff_ffffn;
/** The last instant that there is. */
export const LAST_INSTANT = 0x7fff_ffff_ffff_ffffn;

/**
 * What a guest has around its processor: a clock in virtual time, the devices of a PC, and pages of virtio devices. Then
 * no unknown port and no unknown address comes to JavaScript.
 */
export interface PlatformOptions {
  /**
   * `page`: one that the guest knows of, see protocols/hypercall/hypercall.h. `timers`: those of a PC (PIT, and the PM
   * timer of ACPI at port 0x608), for a kernel that knows of nothing; a halt with interrupts off is how it ends. `real`:
   * the page with ONECLOCK_HC_FEATURE_REAL; the guest runs until it is frozen, and never waits.
   */
  readonly clock: keyof typeof CLOCKS;
  /** At virtual time 0, in nanoseconds since 1970. */
  readonly timeOfDay: bigint;
  /** What the guest may use: bits of `Feature` in protocols/hypercall. HYPERCALL goes where the host has it not. */
  readonly features: number;
  /** How many virtio devices there are. */
  readonly devices: number;
}
