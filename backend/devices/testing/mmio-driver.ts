// SPDX-License-Identifier: MIT
import {
  Feature,
  featureBit,
  hasFeature,
  MmioRegister as R,
  Status,
} from '../../../protocols/virtio/index.js';
import type { OneclockError } from '../../errors.js';
import type { VirtioDevice } from '../virtio-device.js';
import { VirtioMmio } from '../virtio-mmio.js';
import type { QueueIndices } from '../virtio-mmio-queue.js';
import { DriverQueue } from './driver-queue.js';

export const MEMORY_BYTES = 1024 * 1024;
/** Bytes before and after the guest's memory, which nobody may touch. */
const CANARY_BYTES = 8192;
const CANARY = 0xa5;
const QUEUES_AT = 0x1000;

/** A guest with one device behind registers, for tests: it does what drivers/virtio/virtio_mmio.c does, or anything else. */
export class MmioDriver {
  readonly #all = new Uint8Array(MEMORY_BYTES + 2 * CANARY_BYTES).fill(CANARY);
  readonly memory = this.#all.subarray(CANARY_BYTES, CANARY_BYTES + MEMORY_BYTES).fill(0);
  readonly queues: DriverQueue[] = [];
  readonly raised: number[] = [];
  /** Queues that the machine was told of, and where their indices are. */
  readonly ready: [queue: number, indices: QueueIndices | undefined][] = [];
  readonly failures: OneclockError[] = [];
  readonly mmio: VirtioMmio;
  features = 0n;

  constructor(device: VirtioDevice) {
    const memory = { bytes: this.memory, intact: () => true, close: () => undefined };
    this.mmio = new VirtioMmio(device, memory, {
      raise: (bits) => this.raised.push(bits),
      ready: (queue, indices) => this.ready.push([queue, indices]),
      failed: (error) => this.failures.push(error),
    });
  }

  /** Whether nothing has been written outside the guest's memory. */
  get canariesIntact(): boolean {
    const after = CANARY_BYTES + MEMORY_BYTES;
    return (
      this.#all.subarray(0, CANARY_BYTES).every((byte) => byte === CANARY) &&
      this.#all.subarray(after).every((byte) => byte === CANARY)
    );
  }

  get(register: number): number {
    return Number(this.mmio.read(register, 4));
  }

  set(register: number, value: number): void {
    this.mmio.write(register, 4, value);
  }

  /** Delivers what was raised. @returns the bits that it gets */
  interrupts(): number {
    return this.raised.splice(0).reduce((bits, bit) => bits | this.mmio.lower(bit), 0);
  }

  /** Up to where the driver knows whether its features were taken. @returns whether they were */
  negotiate(wanted: bigint): boolean {
    this.set(R.STATUS, 0);
    this.set(R.STATUS, Status.ACKNOWLEDGE);
    this.set(R.STATUS, Status.ACKNOWLEDGE | Status.DRIVER);
    this.set(R.DEVICE_FEATURES_SEL, 1);
    const high = this.get(R.DEVICE_FEATURES);
    this.set(R.DEVICE_FEATURES_SEL, 0);
    const offered = (BigInt(high) << 32n) | BigInt(this.get(R.DEVICE_FEATURES));
    const own =
      featureBit(Feature.RING_EVENT_IDX) |
      featureBit(Feature.RING_INDIRECT_DESC) |
      featureBit(Feature.VERSION_1);
    this.features = offered & (wanted | own);
    this.choose(this.features);
    this.set(R.STATUS, Status.ACKNOWLEDGE | Status.DRIVER | Status.FEATURES_OK);
    return (this.get(R.STATUS) & Status.FEATURES_OK) !== 0;
  }

  choose(features: bigint): void {
    this.set(R.DRIVER_FEATURES_SEL, 1);
    this.set(R.DRIVER_FEATURES, Number(features >> 32n));
    this.set(R.DRIVER_FEATURES_SEL, 0);
    this.set(R.DRIVER_FEATURES, Number(features & 0xffff_ffffn));
  }

  placeQueue(index: number, size: number): DriverQueue {
    const at = this.queues[index - 1]?.end ?? QUEUES_AT;
    const events = hasFeature(this.features, Feature.RING_EVENT_IDX);
    const queue = new DriverQueue(this.memory, 0, at, size, events);
    this.queues[index] = queue;
    this.set(R.QUEUE_SEL, index);
    this.set(R.QUEUE_NUM, size);
    this.set(R.QUEUE_DESC_LOW, queue.descriptorTable);
    this.set(R.QUEUE_DESC_HIGH, 0);
    this.set(R.QUEUE_AVAIL_LOW, queue.availableRing);
    this.set(R.QUEUE_AVAIL_HIGH, 0);
    this.set(R.QUEUE_USED_LOW, queue.usedRing);
    this.set(R.QUEUE_USED_HIGH, 0);
    this.set(R.QUEUE_READY, 1);
    return queue;
  }

  /** All until the device works. */
  start(queueCount: number, wanted = 0n, size = 16): void {
    this.negotiate(wanted);
    for (let index = 0; index < queueCount; index++) this.placeQueue(index, size).wantInterrupts(true);
    this.set(R.STATUS, this.get(R.STATUS) | Status.DRIVER_OK);
  }

  /** Kicks, if the device wants to know. @returns whether it did */
  kick(index: number): boolean {
    if (!this.queues[index]?.needsKick()) return false;
    this.set(R.QUEUE_NOTIFY, index);
    return true;
  }
}
