// SPDX-License-Identifier: MIT
import {
  DeviceType,
  Feature,
  featureBit,
  GPIO_IRQ_REQUEST_BYTES,
  GPIO_IRQ_RESPONSE_BYTES,
  GpioConfig,
  GpioDirection,
  GpioFeature,
  GpioIrqStatus,
  GpioIrqType,
  GpioMessage,
  GpioQueue,
  GpioRequest,
  GpioResponse,
  GpioStatus,
  hasFeature,
} from '../../protocols/virtio/index.js';
import { invariant } from '../errors.js';
import { DescriptorChain } from './descriptor-chain.js';
import { DeviceError } from './device-error.js';
import type { QueueRole, VirtioDevice, VirtioTransport } from './virtio-device.js';
import type { Virtqueue } from './virtqueue.js';

/** Low or high. */
export type GpioLevel = 0 | 1;

/** Where the lines of a guest lead. */
export interface GpioPins {
  /** From now on the guest drives `line` with `level`; undefined: not at all. Called while the guest waits. */
  drive(line: number, level: GpioLevel | undefined): void;
  /** The driver is gone: from now on no line is driven. */
  released(): void;
}

export interface GpioOptions {
  /** For errors and traces: `gpio of a`. */
  readonly name: string;
  /**
   * The lines' names by offset, each another one, in printable ASCII; empty: none. With some that are empty and others that
   * are not, Linux 6.12 cannot export the former in sysfs.
   */
  readonly lines: readonly string[];
}

const ROLES: readonly QueueRole[] = [
  { name: 'request', fromDriver: true },
  { name: 'event', fromDriver: false },
];

/** The pair of buffers with which the driver has unmasked an interrupt. */
interface Unmasked {
  /** The queue that it is in: where another is in its place, the pair is nobody's any more. */
  readonly queue: Virtqueue;
  readonly chain: DescriptorChain;
}

/** What the driver has made of a line, and what is sensed there. */
class Line {
  level: GpioLevel = 0;
  direction: GpioDirection = GpioDirection.NONE;
  /** What it drives as an output. */
  value: GpioLevel = 0;
  irqType: GpioIrqType = GpioIrqType.NONE;
  /** An edge that the driver has not been told of. */
  latched = false;
  unmasked: Unmasked | undefined;

  get drive(): GpioLevel | undefined {
    return this.direction === GpioDirection.OUT ? this.value : undefined;
  }

  get interrupts(): boolean {
    if (this.irqType === GpioIrqType.LEVEL_HIGH) return this.level === 1;
    if (this.irqType === GpioIrqType.LEVEL_LOW) return this.level === 0;
    return this.latched;
  }

  /** Whether the edge to `level` is one that interrupts. */
  isWatched(level: GpioLevel): boolean {
    if (this.irqType === GpioIrqType.EDGE_BOTH) return true;
    return this.irqType === (level === 1 ? GpioIrqType.EDGE_RISING : GpioIrqType.EDGE_FALLING);
  }
}

/**
 * A GPIO controller (virtio 1.2, 5.18). Each request is done and answered within its kick; the driver of Linux
 * (drivers/gpio/gpio-virtio.c) sleeps until the interrupt for the answer all the same.
 *
 * An edge is kept while its interrupt is masked, one for each line: of several, the driver is told once. A level is
 * looked at when the interrupt is unmasked. A request that is well-formed but makes no sense is answered with an error; a
 * malformed one fails the device.
 */
export class VirtioGpio implements VirtioDevice {
  readonly type = DeviceType.GPIO;
  readonly name: string;
  readonly features =
    featureBit(Feature.VERSION_1) |
    featureBit(Feature.RING_INDIRECT_DESC) |
    featureBit(Feature.RING_EVENT_IDX) |
    featureBit(GpioFeature.IRQ);
  readonly queues = ROLES;
  readonly config = new Uint8Array(GpioConfig.BYTES);
  readonly #pins: GpioPins;
  readonly #lines: readonly Line[];
  /** The answer to GET_LINE_NAMES; undefined where no line has a name. */
  readonly #names: Uint8Array | undefined;
  readonly #chain = new DescriptorChain();
  readonly #request = new Uint8Array(GpioRequest.BYTES);
  readonly #requestView = new DataView(this.#request.buffer);
  #transport: VirtioTransport | undefined;
  #hasIrq = false;

  constructor({ name, lines }: GpioOptions, pins: GpioPins) {
    invariant(lines.length > 0 && lines.length <= 0xffff, () => `a GPIO device with ${lines.length} lines`);
    this.name = name;
    this.#pins = pins;
    this.#lines = lines.map(() => new Line());
    if (lines.some((each) => each !== '')) {
      const names = lines.map((each) => Buffer.from(`${each}\0`, 'latin1'));
      this.#names = Buffer.concat([Uint8Array.of(GpioStatus.OK), ...names]);
    }
    const view = new DataView(this.config.buffer);
    view.setUint16(GpioConfig.LINES, lines.length, true);
    view.setUint32(GpioConfig.NAMES_SIZE, this.#names ? this.#names.length - 1 : 0, true);
  }

  activate(transport: VirtioTransport, features: bigint): void {
    this.#transport = transport;
    this.#hasIrq = hasFeature(features, GpioFeature.IRQ);
  }

  reset(): void {
    this.#transport = undefined;
    const driven = this.#lines.some(({ drive }) => drive !== undefined);
    for (const line of this.#lines) forget(line);
    if (driven) this.#pins.released();
  }

  notify(index: number): boolean {
    const transport = this.#transport;
    const queue = transport?.queue(index);
    if (!transport || !queue) return false;
    let budget = 2 * queue.size;
    do {
      while (this.#next(index, queue)) if (--budget === 0) break;
    } while (budget > 0 && queue.enableKicks());
    if (queue.flush()) transport.interrupt(index);
    return budget === 0;
  }

  /** From now on `level` is sensed at line `offset`. */
  sense(offset: number, level: GpioLevel): void {
    const line = this.#lines[offset] as Line;
    if (line.level === level) return;
    line.level = level;
    if (line.isWatched(level)) line.latched = true;
    this.#interrupt(line);
  }

  /** Whether the driver has handled every interrupt that line `offset` has had: it waits for the next, or for none. */
  isSettled(offset: number): boolean {
    const { irqType, unmasked, latched } = this.#lines[offset] as Line;
    return irqType === GpioIrqType.NONE || (unmasked !== undefined && !latched);
  }

  /** Serves the driver's next request in queue `index`. @returns false where there is none */
  #next(index: number, queue: Virtqueue): boolean {
    if (index === GpioQueue.REQUEST) {
      if (!queue.pop(this.#chain)) return false;
      queue.push(this.#chain.head, this.#serve(this.#chain));
      return true;
    }
    // It is kept for as long as the interrupt is unmasked.
    const chain = new DescriptorChain();
    if (!queue.pop(chain)) return false;
    this.#unmask(queue, chain);
    return true;
  }

  /** @returns how many bytes the answer has */
  #serve(chain: DescriptorChain): number {
    if (chain.readableBytes !== GpioRequest.BYTES || chain.writableBytes < GpioResponse.BYTES) {
      throw malformed(GpioQueue.REQUEST, chain, GpioRequest.BYTES, GpioResponse.BYTES);
    }
    chain.gather(this.#request);
    const type = this.#requestView.getUint16(GpioRequest.TYPE, true);
    const offset = this.#requestView.getUint16(GpioRequest.LINE, true);
    const value = this.#requestView.getUint32(GpioRequest.VALUE, true);
    const names = this.#names;
    if (type === GpioMessage.GET_LINE_NAMES && offset === 0 && value === 0) {
      if (names && chain.writableBytes >= names.length) return chain.scatter(names);
    }
    const line = this.#lines[offset];
    const answer = line && this.#handle(type, offset, line, value);
    const status = answer === undefined ? GpioStatus.ERROR : GpioStatus.OK;
    return chain.scatter(Uint8Array.of(status, answer ?? 0));
  }

  /** @returns the answer's value; undefined: the request makes no sense */
  #handle(type: number, offset: number, line: Line, value: number): number | undefined {
    switch (type) {
      case GpioMessage.GET_DIRECTION:
        return value === 0 ? line.direction : undefined;
      case GpioMessage.GET_VALUE:
        return value === 0 ? line.level : undefined;
      case GpioMessage.SET_VALUE:
        if (value !== 0 && value !== 1) return undefined;
        this.#change(offset, line, () => {
          line.value = value;
        });
        return 0;
      case GpioMessage.SET_DIRECTION:
        return this.#setDirection(offset, line, value);
      case GpioMessage.SET_IRQ_TYPE:
        return this.#setIrqType(line, value);
      default:
        return undefined;
    }
  }

  #setDirection(offset: number, line: Line, value: number): number | undefined {
    if (!isOneOf(GpioDirection, value)) return undefined;
    // No interrupts come from an output: the driver has to switch them off before.
    if (value === GpioDirection.OUT && line.irqType !== GpioIrqType.NONE) return undefined;
    this.#change(offset, line, () => {
      if (value === GpioDirection.NONE) {
        this.#mask(line, GpioIrqStatus.INVALID);
        forget(line);
      }
      line.direction = value;
    });
    return 0;
  }

  #setIrqType(line: Line, value: number): number | undefined {
    if (!this.#hasIrq || !isOneOf(GpioIrqType, value)) return undefined;
    if (value !== GpioIrqType.NONE && line.direction === GpioDirection.OUT) return undefined;
    line.irqType = value;
    line.latched = false;
    if (value === GpioIrqType.NONE) this.#mask(line, GpioIrqStatus.INVALID);
    else this.#interrupt(line);
    return 0;
  }

  /** Does something to a line, and tells what it drives then, if that is another level. */
  #change(offset: number, line: Line, act: () => void): void {
    const before = line.drive;
    act();
    if (line.drive !== before) this.#pins.drive(offset, line.drive);
  }

  #unmask(queue: Virtqueue, chain: DescriptorChain): void {
    if (chain.readableBytes !== GPIO_IRQ_REQUEST_BYTES || chain.writableBytes < GPIO_IRQ_RESPONSE_BYTES) {
      throw malformed(GpioQueue.EVENT, chain, GPIO_IRQ_REQUEST_BYTES, GPIO_IRQ_RESPONSE_BYTES);
    }
    const request = this.#request.subarray(0, GPIO_IRQ_REQUEST_BYTES);
    chain.gather(request);
    const offset = this.#requestView.getUint16(0, true);
    const line = this.#lines[offset];
    if (!line) {
      throw new DeviceError(
        `queue 1 (event) head ${chain.head} unmasks line ${offset} of ${this.#lines.length}`,
      );
    }
    if (line.unmasked?.queue === queue) {
      throw new DeviceError(`queue 1 (event) head ${chain.head} unmasks line ${offset}, which is not masked`);
    }
    line.unmasked = { queue, chain };
    if (line.irqType === GpioIrqType.NONE) this.#mask(line, GpioIrqStatus.INVALID);
    else if (line.interrupts) this.#mask(line, GpioIrqStatus.VALID);
  }

  /** Interrupts for `line`, if there is a reason to and the driver has unmasked it. */
  #interrupt(line: Line): void {
    if (line.interrupts) this.#mask(line, GpioIrqStatus.VALID);
  }

  /** Gives the driver back what it has unmasked `line` with, if it has. */
  #mask(line: Line, status: number): void {
    const transport = this.#transport;
    const { unmasked } = line;
    if (!transport || !unmasked) return;
    line.unmasked = undefined;
    try {
      const queue = transport.queue(GpioQueue.EVENT);
      if (!queue || queue !== unmasked.queue) return;
      if (status === GpioIrqStatus.VALID) line.latched = false;
      queue.push(unmasked.chain.head, unmasked.chain.scatter(Uint8Array.of(status)));
      if (queue.flush()) transport.interrupt(GpioQueue.EVENT);
    } catch (error) {
      transport.fail(error);
    }
  }
}

/** A line that nobody uses; what is sensed there stays. */
function forget(line: Line): void {
  line.direction = GpioDirection.NONE;
  line.value = 0;
  line.irqType = GpioIrqType.NONE;
  line.latched = false;
  line.unmasked = undefined;
}

function isOneOf<T extends number>(values: Readonly<Record<string, T>>, value: number): value is T {
  return Object.values<number>(values).includes(value);
}

function malformed(index: number, chain: DescriptorChain, request: number, response: number): DeviceError {
  return new DeviceError(
    `queue ${index} (${ROLES[index]?.name}) head ${chain.head} has ${chain.readableBytes} bytes to read and ` +
      `${chain.writableBytes} to write to, where ${request} and at least ${response} are expected`,
  );
}
