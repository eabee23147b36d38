// SPDX-License-Identifier: MIT
import type { SharedMemory } from '../../host/native/memory.js';
import {
  Feature,
  hasFeature,
  MMIO_MAGIC,
  MMIO_VERSION,
  MmioInterrupt,
  MmioRegister as R,
  Status,
} from '../../protocols/virtio/index.js';
import { OneclockError } from '../errors.js';
import { DeviceError } from './device-error.js';
import { GuestMemory } from './guest-memory.js';
import type { VirtioDevice, VirtioTransport } from './virtio-device.js';
import { MMIO_QUEUE_SIZE, MmioQueue, type QueueIndices, type QueuePart } from './virtio-mmio-queue.js';
import type { Virtqueue } from './virtqueue.js';

/** "oclk". */
const VENDOR = 0x6b6c_636f;
/** What the driver may set in the device status. */
const DRIVER_STATUS =
  Status.ACKNOWLEDGE | Status.DRIVER | Status.DRIVER_OK | Status.FEATURES_OK | Status.FAILED;
/** In which order it does; FAILED comes at any time. */
const STATUS_ORDER = [Status.ACKNOWLEDGE, Status.DRIVER, Status.FEATURES_OK, Status.DRIVER_OK];
/** How often a device is asked to go on within one kick before the driver is taken to be at fault. */
const MAX_ROUNDS = 16;
const ALL_ONES = 0xffff_ffff;

/** By register: the address that it is a word of, and which. */
const QUEUE_ADDRESSES: ReadonlyMap<number, readonly [QueuePart, 0 | 1]> = new Map([
  [R.QUEUE_DESC_LOW, ['descriptorTable', 0]],
  [R.QUEUE_DESC_HIGH, ['descriptorTable', 1]],
  [R.QUEUE_AVAIL_LOW, ['availableRing', 0]],
  [R.QUEUE_AVAIL_HIGH, ['availableRing', 1]],
  [R.QUEUE_USED_LOW, ['usedRing', 0]],
  [R.QUEUE_USED_HIGH, ['usedRing', 1]],
]);

/** What a page of registers needs of the machine that it is in. */
export interface MmioHost {
  /**
   * The device wants `bits` of {@link MmioInterrupt} in the guest's InterruptStatus: give what {@link VirtioMmio.lower}
   * leaves of them when the guest may be disturbed. Told once for each bit until then, however often the device wants it.
   */
  raise(bits: number): void;
  /** Queue `index` is ready; with undefined, it is not any more. Its notifications may come by {@link VirtioMmio.notified}. */
  ready?(index: number, indices: QueueIndices | undefined): void;
  /** The driver broke the rules. The device is of no use to this guest any more, and nothing else follows. */
  failed(error: DeviceError): void;
}

/**
 * The page of registers of one device (virtio 1.2, 4.2.2; version 2, no legacy). The guest stands still during each
 * access, so it also waits in its kicks.
 *
 * Whatever the driver must not do ends the device's use, but for reading: a register that cannot be read is zero.
 * InterruptStatus and InterruptACK are the machine's, which also has to clear the former when the driver resets the
 * device by writing 0 to the status.
 */
export class VirtioMmio implements VirtioTransport {
  readonly #device: VirtioDevice;
  readonly #memory: GuestMemory;
  readonly #host: MmioHost;
  readonly #queues: readonly MmioQueue[];
  #status = 0;
  #deviceFeaturesSelected = 0;
  #driverFeaturesSelected = 0;
  #queueSelected = 0;
  /** What the driver has written, low word first. */
  #driverFeatures: [number, number] = [0, 0];
  /** The features, once FEATURES_OK is set. */
  #features: bigint | undefined;
  #generation = 0;
  /** Bits of {@link MmioInterrupt}: raised and not delivered yet. */
  #raised = 0;
  /** The last write, for errors. */
  #last: readonly [offset: number, value: number] | undefined;
  #closed = false;
  /** Accesses under way: the end is put off until they are done, since the device is at work. */
  #depth = 0;
  #report: (() => void) | undefined;

  /** @param memory the guest's from address 0 on; it stays the caller's to close, after {@link close} */
  constructor(device: VirtioDevice, memory: SharedMemory, host: MmioHost) {
    this.#device = device;
    this.#memory = lent(memory);
    this.#host = host;
    this.#queues = device.queues.map((role, index) => new MmioQueue(index, role.name));
  }

  /** @param size 1 to 8 bytes */
  read(offset: number, size: number): bigint {
    if (offset >= R.CONFIG) return this.#readConfig(offset - R.CONFIG, size);
    return size === 4 ? BigInt(this.#readRegister(offset)) : 0n;
  }

  /** @param size 1 to 8 bytes */
  write(offset: number, size: number, value: number): void {
    this.#access(offset, value, () => {
      if (offset >= R.CONFIG) throw new DeviceError('the configuration space is not to be written to');
      if (size !== 4) throw new DeviceError(`a write of ${size} bytes, where registers have 4`);
      this.#writeRegister(offset, value);
    });
  }

  /** The driver has notified queue `index`, when its available index was `available`, and has gone on since. */
  notified(index: number, available: number): void {
    this.#access(R.QUEUE_NOTIFY, index, () => this.#kicked(index, available));
  }

  /** Takes note that `bits` are delivered now. @returns those that the device still wants, for InterruptStatus */
  lower(bits: number): number {
    const due = this.#raised & bits;
    this.#raised &= ~due;
    return due;
  }

  /** The guest is gone: the device forgets its driver. Safe to call twice. */
  close(): void {
    this.#end(() => {});
  }

  // VirtioTransport

  kickWaits(): boolean {
    return true;
  }

  queue(index: number): Virtqueue | undefined {
    return this.#queues[index]?.queue;
  }

  interrupt(): void {
    this.#raise(MmioInterrupt.USED_BUFFER);
  }

  configChanged(): void {
    this.#generation = (this.#generation + 1) >>> 0;
    this.#raise(MmioInterrupt.CONFIG_CHANGE);
  }

  fail(error: unknown): void {
    if (!(error instanceof OneclockError) || error.code !== 'PARTICIPANT') throw error;
    const last = this.#last ? `0x${this.#last[1].toString(16)} to 0x${this.#last[0].toString(16)}` : 'none';
    const message = `${this.#device.name}: ${error.message} (last write: ${last})`;
    const failure = new DeviceError(message, { cause: error });
    this.#end(() => {
      this.#status |= Status.NEEDS_RESET;
      this.#host.failed(failure);
    });
  }

  #access(offset: number, value: number, action: () => void): void {
    if (this.#over) return;
    this.#depth++;
    this.#last = [offset, value];
    try {
      action();
    } catch (error) {
      this.fail(error);
    } finally {
      this.#leave();
    }
  }

  get #over(): boolean {
    return this.#closed || this.#report !== undefined;
  }

  #readRegister(offset: number): number {
    switch (offset) {
      case R.MAGIC_VALUE:
        return MMIO_MAGIC;
      case R.VERSION:
        return MMIO_VERSION;
      case R.DEVICE_ID:
        return this.#device.type;
      case R.VENDOR_ID:
        return VENDOR;
      case R.DEVICE_FEATURES:
        return word(this.#device.features, this.#deviceFeaturesSelected);
      case R.QUEUE_NUM_MAX:
        return this.#queues[this.#queueSelected] ? MMIO_QUEUE_SIZE : 0;
      case R.QUEUE_READY:
        return this.#queues[this.#queueSelected]?.queue ? 1 : 0;
      case R.STATUS:
        return this.#status;
      case R.SHM_LEN_LOW:
      case R.SHM_LEN_HIGH:
      case R.SHM_BASE_LOW:
      case R.SHM_BASE_HIGH:
        return ALL_ONES; // there is no such region
      case R.CONFIG_GENERATION:
        return this.#generation;
      default:
        return 0;
    }
  }

  /** What lies past the device's own configuration reads as zero. */
  #readConfig(from: number, size: number): bigint {
    let value = 0n;
    for (let i = size - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.#device.config[from + i] ?? 0);
    return value;
  }

  #writeRegister(offset: number, value: number): void {
    switch (offset) {
      case R.DEVICE_FEATURES_SEL:
        this.#deviceFeaturesSelected = value;
        return;
      case R.DRIVER_FEATURES_SEL:
        this.#driverFeaturesSelected = value;
        return;
      case R.DRIVER_FEATURES:
        return this.#setDriverFeatures(value);
      case R.QUEUE_SEL:
        this.#queueSelected = value;
        return;
      case R.QUEUE_NUM:
        return this.#queue(this.#queueSelected).setSize(value);
      case R.QUEUE_READY:
        return this.#setReady(value);
      case R.QUEUE_NOTIFY:
        return this.#kicked(value);
      case R.STATUS:
        return this.#setStatus(value);
      case R.INTERRUPT_ACK:
      case R.SHM_SEL:
        return;
    }
    const address = QUEUE_ADDRESSES.get(offset);
    if (!address) throw new DeviceError('no register that can be written to');
    this.#queue(this.#queueSelected).setAddress(...address, value);
  }

  /** @throws DeviceError where the device has no such queue */
  #queue(index: number): MmioQueue {
    const queue = this.#queues[index];
    if (queue) return queue;
    const names = this.#device.queues.map((role) => role.name).join(', ');
    throw new DeviceError(`queue ${index} of a device that has ${this.#queues.length} queues (${names})`);
  }

  #setReady(value: number): void {
    const queue = this.#queue(this.#queueSelected);
    queue.setReady(value, this.#memory, this.#features);
    this.#host.ready?.(this.#queueSelected, queue.indices);
  }

  #setDriverFeatures(value: number): void {
    if (this.#features !== undefined) throw new DeviceError('features are chosen after FEATURES_OK');
    const place = this.#driverFeaturesSelected;
    if (place === 0 || place === 1) this.#driverFeatures[place] = value;
    else if (value !== 0) throw new DeviceError('features past bit 63 were not on offer');
  }

  /** Virtio 1.2, 2.1 and 3.1. */
  #setStatus(value: number): void {
    if (value === 0) {
      this.#reset();
      return;
    }
    const before = this.#status;
    const text = `device status 0x${value.toString(16)} after 0x${before.toString(16)}`;
    if ((value & ~DRIVER_STATUS) !== 0) throw new DeviceError(`${text} has unknown bits`);
    if ((before & ~value) !== 0) throw new DeviceError(`${text} takes bits back`);
    const steps = STATUS_ORDER.map((bit) => (value & bit) !== 0);
    if (steps.some((set, step) => set && steps[step - 1] === false)) {
      throw new DeviceError(`${text} leaves out a step`);
    }
    const set = value & ~before;
    this.#status = value;
    if ((set & Status.FEATURES_OK) !== 0) this.#acceptFeatures();
    if ((set & Status.DRIVER_OK) !== 0) {
      if (this.#features === undefined) throw new DeviceError(`${text}, whose features were refused`);
      this.#device.activate(this, this.#features);
    }
  }

  /** Where they will not do, FEATURES_OK stays unset, which the driver looks at. */
  #acceptFeatures(): void {
    const [low, high] = this.#driverFeatures;
    const features = (BigInt(high) << 32n) | BigInt(low);
    const offered = (features & ~this.#device.features) === 0n;
    if (offered && hasFeature(features, Feature.VERSION_1)) this.#features = features;
    else this.#status &= ~Status.FEATURES_OK;
  }

  /** Back to before the driver was there. */
  #reset(): void {
    const active = (this.#status & Status.DRIVER_OK) !== 0;
    this.#status = this.#raised = 0;
    this.#deviceFeaturesSelected = this.#driverFeaturesSelected = this.#queueSelected = 0;
    this.#driverFeatures = [0, 0];
    this.#features = undefined;
    this.#queues.forEach((queue, index) => {
      queue.reset();
      this.#host.ready?.(index, undefined);
    });
    if (active) this.#device.reset();
  }

  /** The device does all there is to do in queue `index`. */
  #kicked(index: number, available?: number): void {
    const queue = this.#queue(index);
    if ((this.#status & Status.DRIVER_OK) === 0) throw queue.error('is kicked before DRIVER_OK');
    if (!queue.queue) throw queue.error('is kicked while it is not ready');
    queue.queue.limit(available);
    for (let round = 0; this.#device.notify(index) && !this.#over; round++) {
      if (round === MAX_ROUNDS) throw queue.error('has requests without end');
    }
    queue.queue?.limit(undefined);
  }

  #raise(bit: number): void {
    if ((this.#raised & bit) !== 0 || this.#over) return;
    this.#raised |= bit;
    this.#host.raise(bit);
  }

  #leave(): void {
    if (--this.#depth === 0 && this.#report) this.#finish(this.#report);
  }

  #end(report: () => void): void {
    if (this.#over) return;
    if (this.#depth > 0) this.#report = report;
    else this.#finish(report);
  }

  #finish(report: () => void): void {
    this.#closed = true;
    this.#report = undefined;
    this.#raised = 0;
    for (const queue of this.#queues) queue.reset();
    this.#device.reset();
    report();
  }
}

/** Word `place` of `features`, low ones first. */
function word(features: bigint, place: number): number {
  return place < 2 ? Number((features >> BigInt(32 * place)) & 0xffff_ffffn) : 0;
}

/** The memory of a machine as devices see it; closing it is the machine's affair. */
function lent({ bytes }: SharedMemory): GuestMemory {
  const memory = new GuestMemory(() => {
    throw new OneclockError('INTERNAL', 'the memory of a machine is not to be mapped again');
  });
  memory.adopt(0, { bytes, intact: () => true, close: () => undefined });
  return memory;
}
