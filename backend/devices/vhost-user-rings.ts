// SPDX-License-Identifier: MIT

import type { MapShared } from '../../host/native/memory.js';
import { F_PROTOCOL_FEATURES } from '../../protocols/vhost-user/index.js';
import { featureBit } from '../../protocols/virtio/index.js';
import { DescriptorChain } from './descriptor-chain.js';
import type { Descriptors } from './descriptors.js';
import { DeviceError } from './device-error.js';
import { GuestMemory } from './guest-memory.js';
import { Ring } from './vhost-user-ring.js';
import type { VirtioDevice, VirtioTransport } from './virtio-device.js';
import type { Virtqueue } from './virtqueue.js';

/** The line of a change of the configuration space; every other line is a queue's index. */
export const CONFIG_LINE = 0xffff;

/** How often a device is asked to go on within one kick before the driver is taken to be at fault. */
const MAX_ROUNDS = 16;

/** What the rings ask of their session. */
export interface RingsOwner {
  /** Kicks and interrupts are messages. */
  readonly inBand: boolean;
  /** The front-end can be told of a changed configuration. */
  readonly tellsConfig: boolean;
  /** The session is over, or will be as soon as the message at hand is done. */
  readonly over: boolean;
  raise(line: number): void;
  fail(error: unknown): void;
}

/** The rings of a session with the memory they lie in: what the device sees of vhost-user. */
export class VhostUserRings implements VirtioTransport {
  readonly memory: GuestMemory;
  readonly #device: VirtioDevice;
  readonly #descriptors: Descriptors;
  readonly #owner: RingsOwner;
  readonly #rings: readonly Ring[];
  /** By queue: the queue of a ring that is started and enabled, once it was asked for. */
  readonly #running: (Virtqueue | undefined)[];
  /** By queue, and the configuration last: raised and not delivered yet. */
  readonly #raised: boolean[];
  readonly #dropped = new DescriptorChain();
  #features: bigint | undefined;
  #active = false;

  constructor(device: VirtioDevice, map: MapShared, descriptors: Descriptors, owner: RingsOwner) {
    this.memory = new GuestMemory(map);
    this.#device = device;
    this.#descriptors = descriptors;
    this.#owner = owner;
    this.#rings = device.queues.map((role, index) => new Ring(index, role.name));
    this.#running = device.queues.map(() => undefined);
    this.#raised = [...device.queues.map(() => false), false];
  }

  get count(): number {
    return this.#rings.length;
  }

  /** @throws DeviceError where the device has no such queue */
  ring(index: number): Ring {
    const ring = this.#rings[index];
    if (ring) return ring;
    const names = this.#device.queues.map((role) => role.name).join(', ');
    throw new DeviceError(`queue ${index} of a device that has ${this.count} queues (${names})`);
  }

  /** Takes note that `line` is delivered now. @returns false where it is not raised any more */
  lower(line: number): boolean {
    const slot = line === CONFIG_LINE ? this.count : line;
    const raised = this.#raised[slot] === true;
    if (raised) this.#raised[slot] = false;
    return raised;
  }

  /** What the driver has chosen of the features on offer. */
  setFeatures(features: bigint): void {
    if (this.#features !== undefined && this.#features !== features) this.resetDevice();
    this.#features = features;
    // "Ring states": without protocol features there is no message to enable them. User-Mode Linux leaves the
    // bit out of its second SET_FEATURES, which follows where a driver takes a feature back.
    if ((features & featureBit(F_PROTOCOL_FEATURES)) !== 0n) return;
    for (const ring of this.#rings) ring.enabled = true;
  }

  setEnabled(index: number, enabled: boolean): void {
    this.ring(index).enabled = enabled;
    if (!enabled) this.halt(index);
  }

  disableAll(): void {
    for (let index = 0; index < this.count; index++) this.setEnabled(index, false);
  }

  /** Takes queue `index` from the device; an interrupt that is not delivered yet is for nobody. */
  halt(index: number): void {
    this.#running[index] = undefined;
    this.#raised[index] = false;
  }

  /** Queue `index` has moved. */
  forget(index: number): void {
    this.#running[index] = undefined;
  }

  /** The memory is about to change: every queue is looked up again when it is next used. */
  parkAll(): void {
    this.#rings.forEach((ring, index) => {
      ring.park();
      this.#running[index] = undefined;
    });
  }

  /** Back to before the driver was there; rings keep what was said about them and wait for a kick. */
  resetDevice(): void {
    this.#rings.forEach((ring, index) => {
      this.halt(index);
      ring.stop();
    });
    this.#raised[this.count] = false;
    if (!this.#active) return;
    this.#active = false;
    this.#device.reset();
  }

  /**
   * The driver has kicked queue `index`: the device does all there is to do.
   *
   * @param available the queue's available index by then, where the driver has gone on since
   * @throws DeviceError
   */
  kicked(index: number, available?: number): void {
    const ring = this.ring(index);
    const features = this.#features;
    if (features === undefined) throw new DeviceError(`${ring.name} is kicked before SET_FEATURES`);
    ring.started = true;
    if (!ring.enabled) {
      if (this.#device.queues[index]?.fromDriver) this.#drop(ring, features);
      return;
    }
    if (!this.#active) {
      this.#active = true;
      this.#device.activate(this, features);
    }
    const queue = available === undefined ? undefined : this.queue(index);
    queue?.limit(available);
    for (let round = 0; this.#device.notify(index); round++) {
      if (this.#owner.over) return;
      // By eventfd, the guest runs on and may well go on adding: others get their turn first.
      if (ring.kick && this.#descriptors.signal(ring.kickDescriptor)) return;
      if (round === MAX_ROUNDS) throw new DeviceError(`${ring.name} has requests without end`);
    }
    queue?.limit(undefined);
  }

  /** Gives back everything; the device forgets the driver. */
  close(): void {
    this.#active = false;
    this.#device.reset();
    for (const ring of this.#rings) {
      ring.queue = undefined;
      ring.release(this.#descriptors);
    }
    this.#running.fill(undefined);
    this.memory.close();
  }

  // VirtioTransport

  kickWaits(index: number): boolean {
    return this.#owner.inBand && this.#rings[index]?.kick === undefined;
  }

  queue(index: number): Virtqueue | undefined {
    return this.#running[index] ?? this.#start(index);
  }

  interrupt(index: number): void {
    if (this.#raised[index] || this.#owner.over) return;
    // Without either way of telling it, the driver looks by itself.
    if (!this.#owner.inBand && this.#rings[index]?.call === undefined) return;
    this.#raised[index] = true;
    this.#owner.raise(index);
  }

  configChanged(): void {
    if (this.#raised[this.count] || this.#owner.over || !this.#owner.tellsConfig) return;
    this.#raised[this.count] = true;
    this.#owner.raise(CONFIG_LINE);
  }

  fail(error: unknown): void {
    this.#owner.fail(error);
  }

  #start(index: number): Virtqueue | undefined {
    const ring = this.#rings[index];
    if (!ring?.started || !ring.enabled) return undefined;
    const queue = ring.run(this.memory, this.#features ?? 0n);
    this.#running[index] = queue;
    return queue;
  }

  /** Takes the requests of a disabled ring and does nothing about them. */
  #drop(ring: Ring, features: bigint): void {
    const queue = ring.run(this.memory, features);
    for (let left = 2 * queue.size; left > 0 && queue.pop(this.#dropped); left--) {
      queue.push(this.#dropped.head, 0);
    }
    queue.enableKicks();
    queue.flush();
  }
}
