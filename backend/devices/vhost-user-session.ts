// SPDX-License-Identifier: MIT
import type { Channel, ChannelHandler } from '../../host/native/hub.js';
import {
  checkPayloadSize,
  encodeConfig,
  encodeEmpty,
  encodeU64,
  encodeVringState,
  F_PROTOCOL_FEATURES,
  Flag,
  HEADER_BYTES,
  MAX_CONFIG_BYTES,
  MAX_REGIONS,
  type MessageHandler,
  MessageStream,
  ProtocolFeature,
  FrontEndRequest as R,
  readConfigAccess,
  readMemoryTable,
  readSingleRegion,
  readU32,
  readU64,
  readVringAddress,
  readVringState,
  requestName,
  VRING_FLAG_LOG,
  VringDescriptor,
  writeHeader,
  writeU32,
} from '../../protocols/vhost-user/index.js';
import { featureBit, hasFeature } from '../../protocols/virtio/index.js';
import { OneclockError } from '../errors.js';
import { BackEndChannel, type Delivered } from './backend-channel.js';
import { DeviceError } from './device-error.js';
import { expectDescriptors, expectOffered, expectReserved } from './vhost-user-checks.js';
import type { SessionEvents, SessionOptions, VhostUserHost } from './vhost-user-host.js';
import { CONFIG_LINE, type RingsOwner, VhostUserRings } from './vhost-user-rings.js';
import type { VirtioDevice } from './virtio-device.js';

const PROTOCOL_FEATURES =
  featureBit(ProtocolFeature.REPLY_ACK) |
  featureBit(ProtocolFeature.BACKEND_REQ) |
  featureBit(ProtocolFeature.CONFIG) |
  featureBit(ProtocolFeature.CONFIGURE_MEM_SLOTS) |
  featureBit(ProtocolFeature.STATUS);

/** In-band notifications need both: "In-band notifications" in vhost-user.rst. */
const INBAND_NEEDS = featureBit(ProtocolFeature.REPLY_ACK) | featureBit(ProtocolFeature.BACKEND_REQ);

/** How a request was served. */
const Served = {
  /** An acknowledgement is all that it may want. */
  DONE: 0,
  /** Its own reply has been sent. */
  REPLIED: 1,
  /** It is not known or not on offer. */
  REFUSED: 2,
} as const;
type Served = (typeof Served)[keyof typeof Served];

/**
 * One connection of a front-end to a device: the back-end of the vhost-user protocol. Source:
 * docs/interop/vhost-user.rst of QEMU, arch/um/drivers/virtio_uml.c of Linux.
 *
 * An in-band kick is answered after the device has done all it does for it, so the guest stands still meanwhile.
 * The other direction never disturbs the guest by itself (rule T4): see {@link SessionEvents.raise}.
 */
export class VhostUserSession implements ChannelHandler, MessageHandler, RingsOwner {
  readonly #host: VhostUserHost;
  readonly #device: VirtioDevice;
  readonly #events: SessionEvents;
  readonly #channel: Channel;
  readonly #stream: MessageStream;
  readonly #rings: VhostUserRings;
  readonly #offeredProtocol: bigint;
  readonly #reply = new Uint8Array(HEADER_BYTES + 8);
  #backEnd: BackEndChannel | undefined;
  #protocolFeatures = 0n;
  #inBand = false;
  #status = 0;
  /** The last request, or minus one and the queue of the last kick that was none. */
  #last = 0;
  #ended = false;
  /** Messages are being handled: the end is put off until that is done. */
  #depth = 0;
  #report: (() => void) | undefined;
  /** The handler has taken the message's descriptor over. */
  #taken = false;

  /** @param descriptor a connected socket, which the session takes over */
  constructor(
    host: VhostUserHost,
    descriptor: number,
    device: VirtioDevice,
    events: SessionEvents,
    { inBand = true }: SessionOptions = {},
  ) {
    this.#offeredProtocol =
      PROTOCOL_FEATURES | (inBand ? featureBit(ProtocolFeature.INBAND_NOTIFICATIONS) : 0n);
    this.#host = host;
    this.#device = device;
    this.#events = events;
    this.#rings = new VhostUserRings(device, host.mapShared, host.descriptors, this);
    this.#stream = new MessageStream(this, host.descriptors.close);
    this.#channel = host.hub.open(descriptor, this);
  }

  /** The last thing the front-end sent, for errors. */
  get lastMessage(): string {
    if (this.#last === 0) return 'none';
    return this.#last > 0 ? requestName(this.#last) : `kick of queue ${-1 - this.#last}`;
  }

  /**
   * Interrupts the guest on `line`, which was raised. One delivery at a time.
   *
   * @param done called once: true when the guest has it, false where there is nobody or nothing to tell
   */
  deliver(line: number, done: Delivered): void {
    if (this.over || !this.#rings.lower(line)) {
      done(false);
      return;
    }
    const call = line === CONFIG_LINE ? undefined : this.#rings.ring(line).call;
    if (call !== undefined) {
      done(this.#host.descriptors.signal(call));
    } else if (line !== CONFIG_LINE && this.#events.call?.(line)) {
      done(true);
    } else if (!this.#backEnd?.isOpen) {
      done(false);
      this.fail(new DeviceError('an interrupt is due and there is no back-end channel'));
    } else if (line === CONFIG_LINE) {
      this.#backEnd.configChange(this.#hasProtocol(ProtocolFeature.REPLY_ACK), done);
    } else {
      this.#backEnd.vringCall(line, done);
    }
  }

  /** The driver has kicked queue `index` by another way, when the queue's available index was `available`. */
  kicked(index: number, available: number): void {
    if (this.over) return;
    this.#last = -1 - index;
    this.#depth++;
    try {
      this.#rings.kicked(index, available);
    } catch (error) {
      this.fail(error);
    } finally {
      this.#leave();
    }
  }

  /** Ends the session; no event follows. Safe to call twice. */
  close(): void {
    this.#end(() => {});
  }

  // RingsOwner

  get inBand(): boolean {
    return this.#inBand;
  }

  get tellsConfig(): boolean {
    return this.#backEnd !== undefined && this.#hasProtocol(ProtocolFeature.CONFIG);
  }

  get over(): boolean {
    return this.#ended || this.#report !== undefined;
  }

  raise(line: number): void {
    this.#events.raise(line);
  }

  fail(error: unknown): void {
    if (!(error instanceof OneclockError) || error.code !== 'PARTICIPANT') throw error;
    const cut = this.#rings.memory.intact ? '' : '; the guest has cut the memory it shares shorter';
    const message = `${this.#device.name}: ${error.message} (last message: ${this.lastMessage})${cut}`;
    const failure = new DeviceError(message, { cause: error });
    this.#end(() => this.#events.onFailed(failure));
  }

  // ChannelHandler

  onData(bytes: Uint8Array, descriptors: readonly number[]): void {
    this.#depth++;
    try {
      this.#stream.push(bytes, descriptors);
    } catch (error) {
      this.fail(error);
    } finally {
      this.#leave();
    }
  }

  onClose(reason: string): void {
    this.#end(() => this.#events.onClosed(reason));
  }

  // MessageHandler

  onMessage(
    request: number,
    flags: number,
    bytes: Uint8Array,
    at: number,
    size: number,
    descriptors: readonly number[],
  ): boolean {
    this.#last = request;
    this.#taken = false;
    const wantsReply = (flags & Flag.NEED_REPLY) !== 0;
    try {
      checkPayloadSize(request, size);
      const served = this.#serve(request, bytes, at, size, descriptors);
      if (this.over) return false;
      if (served === Served.REFUSED && !wantsReply) throw new DeviceError('a request that is not served');
      if (served === Served.REPLIED || !wantsReply) return true;
      if (served === Served.REFUSED) this.#acknowledge(request, 1);
      else this.#acknowledgeSettled(request);
      return true;
    } catch (error) {
      // The front-end hears of it before it is left alone.
      if (wantsReply && error instanceof OneclockError) this.#acknowledge(request, 1);
      throw error;
    } finally {
      if (!this.#taken) for (const descriptor of descriptors) this.#host.descriptors.close(descriptor);
    }
  }

  #serve(
    request: number,
    bytes: Uint8Array,
    at: number,
    size: number,
    descriptors: readonly number[],
  ): Served {
    switch (request) {
      case R.VRING_KICK:
        expectDescriptors(descriptors, 0);
        if (!this.#inBand) throw new DeviceError('an in-band kick, which was not negotiated');
        expectReserved(readU32(bytes, at + 4));
        this.#events.kicking?.();
        if (this.over) return Served.DONE;
        this.#rings.kicked(readU32(bytes, at));
        return Served.DONE;
      case R.SET_MEM_TABLE:
        this.#rings.parkAll();
        this.#rings.memory.replace(readMemoryTable(bytes, at, size), descriptors);
        return Served.DONE;
      case R.ADD_MEM_REG:
        expectDescriptors(descriptors, 1);
        this.#rings.parkAll();
        this.#rings.memory.add(readSingleRegion(request, bytes, at), descriptors[0] as number);
        return Served.DONE;
      case R.REM_MEM_REG:
        // One descriptor is put up with and closed, as the specification allows.
        if (descriptors.length > 1) expectDescriptors(descriptors, 0);
        this.#rings.parkAll();
        this.#rings.memory.remove(readSingleRegion(request, bytes, at));
        return Served.DONE;
      case R.SET_VRING_KICK:
        return this.#setKick(readU64(bytes, at), descriptors);
      case R.SET_VRING_CALL:
      case R.SET_VRING_ERR:
        return this.#setSignal(request, readU64(bytes, at), descriptors);
      case R.SET_BACKEND_REQ_FD:
        return this.#setBackEnd(descriptors);
    }
    const served = this.#servePlain(request, bytes, at, size);
    if (served !== Served.REFUSED) expectDescriptors(descriptors, 0);
    return served;
  }

  /** The requests without a descriptor. */
  #servePlain(request: number, bytes: Uint8Array, at: number, size: number): Served {
    switch (request) {
      case R.GET_FEATURES:
        return this.#answer(request, this.#offered());
      case R.SET_FEATURES: {
        const features = readU64(bytes, at);
        expectOffered('features', features, this.#offered());
        this.#rings.setFeatures(features);
        return Served.DONE;
      }
      case R.GET_PROTOCOL_FEATURES:
        return this.#answer(request, this.#offeredProtocol);
      case R.SET_PROTOCOL_FEATURES:
        this.#setProtocolFeatures(readU64(bytes, at));
        return Served.DONE;
      case R.SET_OWNER:
        return Served.DONE;
      case R.RESET_OWNER:
        this.#rings.disableAll();
        return Served.DONE;
      case R.GET_QUEUE_NUM:
        return this.#answer(request, BigInt(this.#rings.count));
      case R.GET_MAX_MEM_SLOTS:
        return this.#answer(request, BigInt(MAX_REGIONS));
      case R.GET_STATUS:
        return this.#answer(request, BigInt(this.#status));
      case R.SET_STATUS:
        this.#setStatus(readU64(bytes, at));
        return Served.DONE;
      case R.GET_CONFIG:
        return this.#getConfig(bytes, at, size);
      case R.SET_VRING_NUM:
      case R.SET_VRING_BASE:
      case R.SET_VRING_ENABLE:
      case R.SET_VRING_ADDR:
      case R.GET_VRING_BASE:
        return this.#serveRing(request, bytes, at);
    }
    // SET_CONFIG too: nothing in the configuration of our devices is the driver's to write.
    return Served.REFUSED;
  }

  #serveRing(request: number, bytes: Uint8Array, at: number): Served {
    const { index, num } = readVringState(bytes, at);
    const ring = this.#rings.ring(index);
    switch (request) {
      case R.SET_VRING_NUM:
        this.#rings.halt(index);
        ring.setSize(num);
        return Served.DONE;
      case R.SET_VRING_BASE:
        this.#rings.halt(index);
        ring.setNext(num);
        return Served.DONE;
      case R.SET_VRING_ENABLE:
        if (num > 1) throw new DeviceError(`${ring.name} is to be enabled with ${num}`);
        this.#rings.setEnabled(index, num === 1);
        return Served.DONE;
      case R.GET_VRING_BASE:
        expectReserved(num);
        this.#rings.halt(index);
        ring.stop();
        ring.release(this.#host.descriptors);
        this.#channel.send(encodeVringState(request, Flag.REPLY, index, ring.next));
        return Served.REPLIED;
      default: {
        const address = readVringAddress(bytes, at);
        if ((address.flags & VRING_FLAG_LOG) !== 0) throw new DeviceError(`${ring.name} is to be logged`);
        this.#rings.forget(index);
        ring.setAddress(address);
        return Served.DONE;
      }
    }
  }

  #offered(): bigint {
    return this.#device.features | featureBit(F_PROTOCOL_FEATURES);
  }

  #hasProtocol(feature: number): boolean {
    return hasFeature(this.#protocolFeatures, feature);
  }

  #setProtocolFeatures(features: bigint): void {
    expectOffered('protocol features', features, this.#offeredProtocol);
    const inBand = hasFeature(features, ProtocolFeature.INBAND_NOTIFICATIONS);
    if (inBand && (features & INBAND_NEEDS) !== INBAND_NEEDS) {
      throw new DeviceError('in-band notifications without REPLY_ACK and BACKEND_REQ');
    }
    this.#protocolFeatures = features;
    this.#inBand = inBand;
  }

  #setStatus(status: bigint): void {
    if (status > 0xffn) throw new DeviceError(`device status 0x${status.toString(16)}`);
    this.#status = Number(status);
    if (this.#status === 0) this.#rings.resetDevice();
  }

  #getConfig(bytes: Uint8Array, at: number, payloadSize: number): Served {
    const { offset, size, flags } = readConfigAccess(R.GET_CONFIG, bytes, at, payloadSize);
    if (offset + size > MAX_CONFIG_BYTES) {
      // An empty answer says no.
      this.#channel.send(encodeEmpty(R.GET_CONFIG, Flag.REPLY));
      return Served.REPLIED;
    }
    // What lies past the device's own configuration reads as zero.
    const answer = new Uint8Array(size);
    answer.set(this.#device.config.subarray(offset, offset + size));
    this.#channel.send(encodeConfig(R.GET_CONFIG, Flag.REPLY, { offset, flags, bytes: answer }));
    return Served.REPLIED;
  }

  /** The ring and, where there is one, the descriptor of a SET_VRING_KICK, _CALL or _ERR. */
  #ringDescriptor(
    value: bigint,
    descriptors: readonly number[],
  ): { index: number; descriptor: number | undefined } {
    const none = (value & BigInt(VringDescriptor.NO_DESCRIPTOR)) !== 0n;
    const index = Number(value & BigInt(VringDescriptor.INDEX_MASK));
    if (value > 0x1ffn) throw new DeviceError(`unknown bits in 0x${value.toString(16)}`);
    expectDescriptors(descriptors, none ? 0 : 1);
    return { index, descriptor: none ? undefined : (descriptors[0] as number) };
  }

  #setKick(value: bigint, descriptors: readonly number[]): Served {
    const { index, descriptor } = this.#ringDescriptor(value, descriptors);
    const ring = this.#rings.ring(index);
    if (descriptor === undefined && !this.#inBand) {
      throw new DeviceError(`${ring.name} is to be polled, which this device does not do`);
    }
    ring.kick?.close();
    ring.kick = undefined;
    ring.kickDescriptor = -1;
    if (descriptor === undefined) return Served.DONE;
    ring.kick = this.#takeOver('kick', () => this.#host.hub.watch(descriptor, () => this.#onKick(index)));
    ring.kickDescriptor = descriptor;
    return Served.DONE;
  }

  #setSignal(request: number, value: bigint, descriptors: readonly number[]): Served {
    const { index, descriptor } = this.#ringDescriptor(value, descriptors);
    const ring = this.#rings.ring(index);
    const which = request === R.SET_VRING_CALL ? 'call' : 'error';
    if (which === 'call' && descriptor !== undefined && !this.#host.descriptors.setNonBlocking(descriptor)) {
      throw new DeviceError(
        `the call descriptor of ${ring.name} has no O_NONBLOCK: a full one would stop us`,
      );
    }
    const before = ring[which];
    ring[which] = descriptor;
    this.#taken = true;
    if (before !== undefined) this.#host.descriptors.close(before);
    return Served.DONE;
  }

  #setBackEnd(descriptors: readonly number[]): Served {
    if (!this.#hasProtocol(ProtocolFeature.BACKEND_REQ)) {
      throw new DeviceError('a back-end channel, which was not negotiated');
    }
    expectDescriptors(descriptors, 1);
    const { hub, descriptors: closer } = this.#host;
    this.#backEnd?.close();
    this.#backEnd = this.#takeOver(
      'back-end channel',
      () => new BackEndChannel(hub, descriptors[0] as number, closer, (error) => this.fail(error)),
    );
    return Served.DONE;
  }

  /** The hub owns a descriptor from the call on, even where it cannot use it: a guest may send anything. */
  #takeOver<T>(what: string, open: () => T): T {
    this.#taken = true;
    try {
      return open();
    } catch (cause) {
      const reason = (cause as Error).message;
      throw new DeviceError(`its ${what} descriptor cannot be waited for: ${reason}`, { cause });
    }
  }

  /** A kick by eventfd. */
  #onKick(index: number): void {
    this.#depth++;
    this.#last = -1 - index;
    try {
      this.#rings.kicked(index);
    } catch (error) {
      this.fail(error);
    } finally {
      this.#leave();
    }
  }

  #answer(request: number, value: bigint): Served {
    this.#channel.send(encodeU64(request, Flag.REPLY, value));
    return Served.REPLIED;
  }

  #acknowledgeSettled(request: number): void {
    if (request === R.VRING_KICK && this.#events.settle) {
      this.#events.settle(() => this.#acknowledge(request, 0));
    } else {
      this.#acknowledge(request, 0);
    }
  }

  #acknowledge(request: number, result: number): void {
    const reply = this.#reply;
    writeHeader(reply, request, Flag.REPLY, 8);
    writeU32(reply, HEADER_BYTES, result);
    this.#channel.send(reply);
  }

  #leave(): void {
    if (--this.#depth === 0 && this.#report) this.#finish(this.#report);
  }

  /** Ends the session, once no message is being handled any more: its memory is in use until then. */
  #end(report: () => void): void {
    if (this.over) return;
    if (this.#depth > 0) this.#report = report;
    else this.#finish(report);
  }

  #finish(report: () => void): void {
    this.#ended = true;
    this.#report = undefined;
    this.#channel.close();
    this.#stream.discard();
    this.#rings.close();
    this.#backEnd?.close();
    report();
  }
}
