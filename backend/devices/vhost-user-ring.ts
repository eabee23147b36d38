// SPDX-License-Identifier: MIT
import type { Channel } from '../../host/native/hub.js';
import type { VringAddress } from '../../protocols/vhost-user/index.js';
import { Feature, hasFeature } from '../../protocols/virtio/index.js';
import type { Descriptors } from './descriptors.js';
import { DeviceError } from './device-error.js';
import type { GuestMemory } from './guest-memory.js';
import { isQueueSize, Virtqueue } from './virtqueue.js';

/**
 * What a front-end has said about one ring, and the queue made of it. The two states are those of "Ring states" in
 * vhost-user.rst: a ring starts with its first kick and stops with GET_VRING_BASE, and it is enabled and disabled
 * apart from that.
 */
export class Ring {
  readonly name: string;
  enabled = false;
  started = false;
  /** The queue, while there is one; made by {@link run}. */
  queue: Virtqueue | undefined;
  /** Kicks by eventfd. */
  kick: Channel | undefined;
  /** The descriptor behind `kick`, which belongs to the hub. */
  kickDescriptor = -1;
  /** Interrupts by eventfd. */
  call: number | undefined;
  /** Errors by eventfd; kept open and never used, since an error ends the session. */
  error: number | undefined;
  #size = 0;
  #next = 0;
  #address: VringAddress | undefined;

  constructor(index: number, role: string) {
    this.name = `queue ${index} (${role})`;
  }

  /** The available index of the next request. */
  get next(): number {
    return this.queue ? this.queue.next : this.#next;
  }

  /** @throws DeviceError */
  setSize(size: number): void {
    if (!isQueueSize(size)) throw new DeviceError(`${this.name} cannot have ${size} descriptors`);
    this.stop();
    this.#size = size;
  }

  /** @throws DeviceError */
  setNext(next: number): void {
    if (next > 0xffff) throw new DeviceError(`${this.name} cannot start at available index ${next}`);
    this.stop();
    this.#next = next;
  }

  setAddress(address: VringAddress): void {
    this.park();
    this.#address = address;
  }

  /**
   * The queue as it was last described.
   *
   * @throws DeviceError
   */
  run(memory: GuestMemory, features: bigint): Virtqueue {
    if (this.queue) return this.queue;
    const address = this.#address;
    if (!address) throw new DeviceError(`${this.name} is used before SET_VRING_ADDR`);
    this.queue = new Virtqueue(memory, {
      name: this.name,
      size: this.#size,
      next: this.#next,
      descriptorTable: address.descriptor,
      availableRing: address.available,
      usedRing: address.used,
      addresses: 'user',
      indirect: hasFeature(features, Feature.RING_INDIRECT_DESC),
      eventIndex: hasFeature(features, Feature.RING_EVENT_IDX),
    });
    return this.queue;
  }

  /** Lets go of the queue, whose memory or place is about to change, and goes on from the same index. */
  park(): void {
    this.#next = this.next;
    this.queue = undefined;
  }

  /** Nothing is done with it until the next kick. */
  stop(): void {
    this.park();
    this.started = false;
  }

  /** Gives its descriptors back. */
  release(descriptors: Descriptors): void {
    this.kick?.close();
    this.kick = undefined;
    this.kickDescriptor = -1;
    if (this.call !== undefined) descriptors.close(this.call);
    this.call = undefined;
    if (this.error !== undefined) descriptors.close(this.error);
    this.error = undefined;
  }
}
