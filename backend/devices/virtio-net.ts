// SPDX-License-Identifier: MIT
import {
  DeviceType,
  Feature,
  featureBit,
  hasFeature,
  NET_STATUS_LINK_UP,
  NetConfig,
  NetFeature,
  NetHeader,
  NetQueue,
} from '../../protocols/virtio/index.js';
import { invariant } from '../errors.js';
import { DescriptorChain } from './descriptor-chain.js';
import { DeviceError } from './device-error.js';
import { FrameArena } from './frame-arena.js';
import type { QueueRole, VirtioDevice, VirtioTransport } from './virtio-device.js';
import type { Virtqueue } from './virtqueue.js';

/** A frame's shortest form: an Ethernet header. */
export const MIN_FRAME_BYTES = 14;
/** A frame's longest form: an Ethernet header, a VLAN tag's two bytes of padding and the largest MTU. */
export const MAX_FRAME_BYTES = 65_550;
/** The least MTU a driver takes (virtio 1.2, 5.1.4.1). */
const MIN_MTU = 68;

/** Where the frames of a guest go. */
export interface NetPort {
  /** The guest sends `frame`, a copy that is the receiver's from now on. Called while the guest waits. */
  transmit(frame: Uint8Array): void;
}

export interface NetOptions {
  /** For errors and traces: `eth0 of a`. */
  readonly name: string;
  /** Six bytes. */
  readonly mac: Uint8Array;
  /** What the guest is told to use; its own choice where left out. */
  readonly mtu?: number;
  /** Offers MRG_RXBUF: a frame may fill several of the driver's buffers. */
  readonly mergeable?: boolean;
}

/** Frames so far; they survive a reset. */
export interface NetCounters {
  transmitted: number;
  received: number;
  /** Not received: the driver had given no buffer, or did not run. */
  noBuffer: number;
  /** Not received: longer than the driver's buffer. */
  tooLong: number;
}

const ROLES: readonly QueueRole[] = [
  { name: 'receive', fromDriver: false },
  { name: 'transmit', fromDriver: true },
];

/**
 * A network card with one pair of queues (virtio 1.2, 5.1). No offloads: every frame is whole, with its checksums,
 * as it would be on a wire.
 */
export class VirtioNet implements VirtioDevice {
  readonly type = DeviceType.NET;
  readonly name: string;
  readonly features: bigint;
  readonly queues = ROLES;
  readonly config = new Uint8Array(NetConfig.BYTES);
  readonly counters: NetCounters = { transmitted: 0, received: 0, noBuffer: 0, tooLong: 0 };
  readonly #port: NetPort;
  readonly #arena = new FrameArena();
  readonly #sent = new DescriptorChain();
  readonly #received = new DescriptorChain();
  readonly #sentHeader = new Uint8Array(NetHeader.BYTES);
  /** No offloads: all zero but the number of buffers. Its first bytes are the legacy header. */
  readonly #receivedHeader = new Uint8Array(NetHeader.BYTES);
  #transport: VirtioTransport | undefined;
  #headerBytes: number = NetHeader.BYTES;
  #mergeable = false;

  constructor(options: NetOptions, port: NetPort) {
    const { name, mac, mtu, mergeable } = options;
    invariant(mac.length === 6, () => `a MAC address of ${mac.length} bytes`);
    this.name = name;
    this.#port = port;
    const view = new DataView(this.config.buffer);
    this.config.set(mac, NetConfig.MAC);
    view.setUint16(NetConfig.STATUS, NET_STATUS_LINK_UP, true);
    view.setUint16(NetConfig.MAX_QUEUE_PAIRS, 1, true);
    let features =
      featureBit(Feature.VERSION_1) |
      featureBit(Feature.RING_INDIRECT_DESC) |
      featureBit(Feature.RING_EVENT_IDX) |
      featureBit(NetFeature.MAC) |
      featureBit(NetFeature.STATUS);
    if (mtu !== undefined) {
      invariant(mtu >= MIN_MTU && mtu <= 0xffff, () => `an MTU of ${mtu}`);
      view.setUint16(NetConfig.MTU, mtu, true);
      features |= featureBit(NetFeature.MTU);
    }
    if (mergeable) features |= featureBit(NetFeature.MRG_RXBUF);
    this.features = features;
  }

  activate(transport: VirtioTransport, features: bigint): void {
    this.#transport = transport;
    this.#mergeable = hasFeature(features, NetFeature.MRG_RXBUF);
    const modern = this.#mergeable || hasFeature(features, Feature.VERSION_1);
    this.#headerBytes = modern ? NetHeader.BYTES : NetHeader.LEGACY_BYTES;
  }

  reset(): void {
    this.#transport = undefined;
  }

  notify(index: number): boolean {
    const transport = this.#transport;
    const queue = transport?.queue(index);
    if (!transport || !queue) return false;
    if (index === NetQueue.TRANSMIT) return this.#transmit(transport, queue);
    // Buffers are looked for when there is a frame, so the driver need not say that it has added some.
    queue.suppressKicks();
    return false;
  }

  /**
   * Gives `frame` to the guest.
   *
   * @returns false where it cannot take it, which the counters tell
   */
  receive(frame: Uint8Array): boolean {
    const transport = this.#transport;
    const queue = this.#receiveQueue(transport);
    if (!transport || !queue) {
      this.counters.noBuffer++;
      return false;
    }
    try {
      const taken = this.#receive(queue, frame);
      if (taken) this.counters.received++;
      if (queue.flush()) transport.interrupt(NetQueue.RECEIVE);
      return taken;
    } catch (error) {
      transport.fail(error);
      return false;
    }
  }

  /** Plugs the cable in or pulls it out, as far as the guest can see. */
  setLink(up: boolean): void {
    const status = up ? NET_STATUS_LINK_UP : 0;
    if (this.config[NetConfig.STATUS] === status) return;
    this.config[NetConfig.STATUS] = status;
    this.#transport?.configChanged();
  }

  #receiveQueue(transport: VirtioTransport | undefined): Virtqueue | undefined {
    try {
      return transport?.queue(NetQueue.RECEIVE);
    } catch (error) {
      transport?.fail(error);
      return undefined;
    }
  }

  #transmit(transport: VirtioTransport, queue: Virtqueue): boolean {
    const chain = this.#sent;
    let budget = 2 * queue.size;
    do {
      while (queue.pop(chain)) {
        this.#send(chain);
        queue.push(chain.head, 0);
        if (--budget === 0) break;
      }
    } while (budget > 0 && queue.enableKicks());
    if (queue.flush()) transport.interrupt(NetQueue.TRANSMIT);
    return budget === 0;
  }

  #send(chain: DescriptorChain): void {
    const length = chain.readableBytes - this.#headerBytes;
    if (length < MIN_FRAME_BYTES || length > MAX_FRAME_BYTES) {
      throw new DeviceError(
        `queue 1 (transmit) head ${chain.head} has a frame of ${length} bytes, where ${MIN_FRAME_BYTES} to ${MAX_FRAME_BYTES} are possible`,
      );
    }
    const header = this.#sentHeader;
    chain.gather(header);
    if (header[NetHeader.FLAGS] !== 0 || header[NetHeader.GSO_TYPE] !== 0) {
      throw new DeviceError(
        `queue 1 (transmit) head ${chain.head} asks for an offload (flags ${header[NetHeader.FLAGS]}, segmentation ${header[NetHeader.GSO_TYPE]}), which was not negotiated`,
      );
    }
    const frame = this.#arena.take(length);
    chain.gather(frame, this.#headerBytes);
    this.counters.transmitted++;
    this.#port.transmit(frame);
  }

  #receive(queue: Virtqueue, frame: Uint8Array): boolean {
    const chain = this.#received;
    if (!queue.pop(chain)) {
      // It is dropped all the same: what the driver adds from here on is for later frames.
      queue.enableKicks();
      this.counters.noBuffer++;
      return false;
    }
    const length = this.#headerBytes + frame.length;
    if (chain.writableBytes >= length) {
      this.#fill(queue, chain, frame, 0, 1);
      return true;
    }
    if (chain.writableBytes <= this.#headerBytes) {
      throw new DeviceError(
        `queue 0 (receive) head ${chain.head} has ${chain.writableBytes} bytes to write to, not even a header`,
      );
    }
    return this.#mergeable ? this.#receiveMerged(queue, frame) : this.#reject(queue);
  }

  /** Puts `frame` into as many buffers as it needs (5.1.6.4), having seen first that they are there. */
  #receiveMerged(queue: Virtqueue, frame: Uint8Array): boolean {
    const chain = this.#received;
    const length = this.#headerBytes + frame.length;
    let room = chain.writableBytes;
    let buffers = 1;
    while (room < length) {
      if (!queue.pop(chain)) {
        queue.rollback();
        queue.enableKicks();
        this.counters.noBuffer++;
        return false;
      }
      room += chain.writableBytes;
      buffers++;
    }
    queue.rollback();
    let done = 0;
    for (let i = 0; i < buffers; i++) {
      queue.pop(chain);
      done += this.#fill(queue, chain, frame, done, i === 0 ? buffers : 0);
    }
    return true;
  }

  /** @returns how much of `frame` went in from byte `from` on; a header goes first where `buffers` is not zero */
  #fill(queue: Virtqueue, chain: DescriptorChain, frame: Uint8Array, from: number, buffers: number): number {
    let at = 0;
    if (buffers > 0) {
      const header = this.#receivedHeader;
      header[NetHeader.NUM_BUFFERS] = buffers;
      header[NetHeader.NUM_BUFFERS + 1] = buffers >>> 8;
      at = this.#headerBytes;
      // The frame follows over whatever a legacy header has no room for.
      chain.scatter(header);
    }
    const count = chain.scatter(frame, at, from);
    queue.push(chain.head, at + count);
    return count;
  }

  #reject(queue: Virtqueue): boolean {
    queue.rollback();
    this.counters.tooLong++;
    return false;
  }
}
