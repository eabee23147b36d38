// SPDX-License-Identifier: MIT
import { Feature, hasFeature, usedRingBytes } from '../../protocols/virtio/index.js';
import { DeviceError } from './device-error.js';
import type { GuestMemory } from './guest-memory.js';
import { isQueueSize, Virtqueue } from './virtqueue.js';

/** The most descriptors of a queue, as User-Mode Linux has it. */
export const MMIO_QUEUE_SIZE = 256;
/** Where the index is in an available ring, behind its flags. */
const AVAILABLE_INDEX = 2;
/** Of the event index, at the end of a used ring. */
const EVENT_BYTES = 2;

/** Where the three parts of a queue are. */
export type QueuePart = 'descriptorTable' | 'availableRing' | 'usedRing';

/** Guest-physical addresses of what a driver and whoever takes its notifications look at. */
export interface QueueIndices {
  /** Of the available ring. */
  readonly available: number;
  /** For which index the driver is to notify; undefined: it does so for each. */
  readonly event: number | undefined;
}

/** What the driver has said about one queue, and the queue made of it (virtio 1.2, 4.2.3.2). */
export class MmioQueue {
  /** The queue, while it is ready. */
  queue: Virtqueue | undefined;
  readonly #name: string;
  #size = 0;
  #eventIndex = false;
  /** By part: the low word of its address, then the high one. */
  #addresses: Record<QueuePart, [number, number]> = nowhere();

  constructor(index: number, role: string) {
    this.#name = `queue ${index} (${role})`;
  }

  reset(): void {
    this.queue = undefined;
    this.#size = 0;
    this.#addresses = nowhere();
  }

  /** @throws DeviceError */
  setSize(size: number): void {
    this.#expectNotReady();
    if (!isQueueSize(size) || size > MMIO_QUEUE_SIZE) {
      throw this.error(
        `is to have ${size} descriptors, where it takes a power of two up to ${MMIO_QUEUE_SIZE}`,
      );
    }
    this.#size = size;
  }

  /** Sets word 0 (low) or 1 (high) of an address. @throws DeviceError */
  setAddress(part: QueuePart, word: 0 | 1, value: number): void {
    this.#expectNotReady();
    this.#addresses[part][word] = value;
  }

  /** @throws DeviceError */
  setReady(value: number, memory: GuestMemory, features: bigint | undefined): void {
    if (value > 1) throw this.error(`is made ready with ${value}`);
    if (value === 0) {
      this.queue = undefined;
      return;
    }
    if (features === undefined) throw this.error('is made ready before FEATURES_OK');
    this.#eventIndex = hasFeature(features, Feature.RING_EVENT_IDX);
    this.queue ??= new Virtqueue(memory, {
      name: this.#name,
      size: this.#size,
      next: 0,
      descriptorTable: this.#address('descriptorTable'),
      availableRing: this.#address('availableRing'),
      usedRing: this.#address('usedRing'),
      addresses: 'guest',
      indirect: hasFeature(features, Feature.RING_INDIRECT_DESC),
      eventIndex: this.#eventIndex,
    });
  }

  /** Where its indices are, while it is ready. */
  get indices(): QueueIndices | undefined {
    if (!this.queue) return undefined;
    const used = this.#address('usedRing');
    return {
      available: this.#address('availableRing') + AVAILABLE_INDEX,
      event: this.#eventIndex ? used + usedRingBytes(this.#size) - EVENT_BYTES : undefined,
    };
  }

  error(fault: string): DeviceError {
    return new DeviceError(`${this.#name} ${fault}`);
  }

  #address(part: QueuePart): number {
    const [low, high] = this.#addresses[part];
    if (high > 0x1fffff) throw this.error(`has its ${part} past every address`);
    return high * 0x1_0000_0000 + low;
  }

  #expectNotReady(): void {
    if (this.queue) throw this.error('is changed while it is ready');
  }
}

function nowhere(): Record<QueuePart, [number, number]> {
  return { descriptorTable: [0, 0], availableRing: [0, 0], usedRing: [0, 0] };
}
