// SPDX-License-Identifier: MIT
import type { Virtqueue } from './virtqueue.js';

/** A queue of a device, as its type defines it. */
export interface QueueRole {
  /** For errors: `transmit`. */
  readonly name: string;
  /**
   * Whether requests carry data out of the guest. Those of a disabled ring are taken and dropped; those that carry
   * data into the guest stay where they are ("Ring states" of vhost-user).
   */
  readonly fromDriver: boolean;
}

/** What a transport (vhost-user, virtio-mmio) does for its device. */
export interface VirtioTransport {
  /**
   * Whether the driver waits in its kick of queue `index` until `notify` has returned: it finds what was used by
   * then without an interrupt.
   */
  kickWaits(index: number): boolean;
  /** Queue `index`, while the driver runs it; undefined otherwise. Ask each time: it comes and goes. */
  queue(index: number): Virtqueue | undefined;
  /** The driver wants to know about queue `index`; told when the guest may be disturbed. */
  interrupt(index: number): void;
  /** The configuration space has changed; the driver is told like of an interrupt. */
  configChanged(): void;
  /**
   * Ends the device's use by this guest, for a fault of the driver's found outside `notify`. An error of another
   * kind is thrown again.
   */
  fail(error: unknown): void;
}

/** A virtio device, whatever the way by which the guest reaches it. */
export interface VirtioDevice {
  /** Virtio device type. */
  readonly type: number;
  /** For errors and traces: `eth0 of a`. */
  readonly name: string;
  /** Feature bits on offer. */
  readonly features: bigint;
  /** Queues by index. */
  readonly queues: readonly QueueRole[];
  /** The configuration space, little-endian. */
  readonly config: Uint8Array;
  /** The driver has negotiated `features` and uses the device from now on. */
  activate(transport: VirtioTransport, features: bigint): void;
  /** The driver is gone: `transport` is not to be used any more. Safe to call twice. */
  reset(): void;
  /**
   * The driver has added requests to queue `index`.
   *
   * @returns whether it stopped before the end, to be called again: no driver keeps a device busy for ever
   * @throws DeviceError
   */
  notify(index: number): boolean;
}
