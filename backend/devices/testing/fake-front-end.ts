// SPDX-License-Identifier: MIT
import {
  encodeU64,
  encodeVringState,
  F_PROTOCOL_FEATURES,
  Flag,
  HEADER_BYTES,
  ProtocolFeature,
  FrontEndRequest as R,
  readU32,
  readU64,
  writeHeader,
} from '../../../protocols/vhost-user/index.js';
import { Feature, featureBit } from '../../../protocols/virtio/index.js';
import { DriverQueue } from './driver-queue.js';
import { FakeDescriptors, FakeEvent, FakeFile, type FakeSocket } from './fake-descriptors.js';
import { FakeHub } from './fake-hub.js';

/** Where the guest's memory is for the guest, and where for its front-end. */
export const GUEST_BASE = 0x10_0000;
export const USER_BASE = 0x7f00_0000_0000;
export const MEMORY_BYTES = 1024 * 1024;
/** Bytes of the file before and after the guest's memory, which nobody may touch. */
export const CANARY_BYTES = 8192;
const CANARY = 0xa5;

export interface Reply {
  readonly request: number;
  readonly flags: number;
  readonly payload: Uint8Array;
}

export interface RequestOptions {
  readonly descriptors?: readonly number[];
  readonly needReply?: boolean;
}

/** A machine with a hub and a guest's memory, for tests of devices. */
export class FakeMachine {
  readonly descriptors = new FakeDescriptors();
  readonly hub = new FakeHub(this.descriptors);
  readonly file = new FakeFile(new Uint8Array(MEMORY_BYTES + 2 * CANARY_BYTES).fill(CANARY));
  readonly memory = this.file.bytes.subarray(CANARY_BYTES, CANARY_BYTES + MEMORY_BYTES).fill(0);
  readonly mapShared = this.descriptors.mapShared;

  /** Whether nothing has been written outside the guest's memory. */
  get canariesIntact(): boolean {
    const { bytes } = this.file;
    return (
      bytes.subarray(0, CANARY_BYTES).every((byte) => byte === CANARY) &&
      bytes.subarray(CANARY_BYTES + MEMORY_BYTES).every((byte) => byte === CANARY)
    );
  }
}

/** The front-end of a guest, for tests: it says what virtio_uml or QEMU would say, or anything else. */
export class FakeFrontEnd {
  readonly machine: FakeMachine;
  readonly socket: FakeSocket;
  readonly queues: DriverQueue[] = [];
  /** Our end of the back-end channel. */
  backEnd: FakeSocket | undefined;
  features = 0n;
  /** Changes messages on their way, for tests of what a bad front-end can do. */
  tamper: (message: Uint8Array) => Uint8Array = (message) => message;

  constructor(machine: FakeMachine, path: string) {
    this.machine = machine;
    this.socket = machine.hub.connect(path);
  }

  /** Sends a message as it is and lets the device handle it. @returns every reply */
  send(message: Uint8Array, descriptors: readonly number[] = []): Reply[] {
    this.socket.send(this.tamper(message), descriptors);
    this.machine.hub.poll();
    return parse(this.socket.take());
  }

  /** Sends a request. @returns its reply, where there is one */
  request(
    request: number,
    payload: Uint8Array = new Uint8Array(0),
    options: RequestOptions = {},
  ): Reply | undefined {
    return this.send(encode(request, payload, options.needReply ?? false), options.descriptors)[0];
  }

  /** A request that the device acknowledges with zero; anything else throws. */
  must(request: number, payload?: Uint8Array, descriptors?: readonly number[]): void {
    const reply = this.request(request, payload, { needReply: true, ...(descriptors && { descriptors }) });
    if (!reply || reply.request !== request || reply.flags !== (Flag.REPLY | Flag.VERSION)) {
      throw new Error(`request ${request} was answered by ${JSON.stringify(reply)}`);
    }
    const status = readU64(reply.payload, 0);
    if (status !== 0n) throw new Error(`request ${request} failed with ${status}`);
  }

  get(request: number): bigint {
    const reply = this.request(request);
    if (!reply) throw new Error(`request ${request} has no reply`);
    return readU64(reply.payload, 0);
  }

  /**
   * All that virtio_uml.c does until the driver is ready, in its order.
   *
   * @param wanted the driver's features; those of the transport are added, as the kernel does
   */
  startLikeUserModeLinux(queueCount: number, wanted: bigint, size = 256): void {
    this.must(R.SET_OWNER);
    const offered = this.get(R.GET_FEATURES);
    const supported =
      featureBit(ProtocolFeature.REPLY_ACK) |
      featureBit(ProtocolFeature.BACKEND_REQ) |
      featureBit(ProtocolFeature.CONFIG) |
      featureBit(ProtocolFeature.INBAND_NOTIFICATIONS);
    this.must(R.SET_PROTOCOL_FEATURES, u64(this.get(R.GET_PROTOCOL_FEATURES) & supported));
    this.openBackEnd();
    const transport =
      featureBit(Feature.RING_EVENT_IDX) |
      featureBit(Feature.RING_INDIRECT_DESC) |
      featureBit(Feature.VERSION_1) |
      featureBit(F_PROTOCOL_FEATURES);
    this.features = offered & (wanted | transport);
    this.must(R.SET_FEATURES, u64(this.features));
    this.setMemory();
    const eventIndex = (this.features & featureBit(Feature.RING_EVENT_IDX)) !== 0n;
    for (let index = 0; index < queueCount; index++) this.placeQueue(index, size, eventIndex);
    for (let index = 0; index < queueCount; index++) this.must(R.SET_VRING_ENABLE, state(index, 1));
  }

  openBackEnd(): void {
    const { descriptor, other } = this.machine.descriptors.socketPair();
    this.backEnd = other;
    this.must(R.SET_BACKEND_REQ_FD, undefined, [descriptor]);
  }

  /** SET_MEM_TABLE with room for two regions and one in it, like virtio_uml.c. */
  setMemory(): void {
    const payload = new Uint8Array(72);
    payload[0] = 1;
    payload.set(regionBytes(), 8);
    this.must(R.SET_MEM_TABLE, payload, [this.machine.descriptors.add(this.machine.file)]);
  }

  /** Puts a queue into memory and says so. */
  placeQueue(index: number, size: number, eventIndex: boolean, start = 0): DriverQueue {
    const at = this.queues[index - 1]?.end ?? GUEST_BASE + 0x1000;
    const queue = new DriverQueue(this.machine.memory, GUEST_BASE, at, size, eventIndex, start);
    this.queues[index] = queue;
    this.must(R.SET_VRING_NUM, state(index, size));
    this.must(R.SET_VRING_BASE, state(index, start));
    this.must(R.SET_VRING_ADDR, this.addresses(index, queue));
    return queue;
  }

  addresses(index: number, queue: DriverQueue): Uint8Array {
    const payload = new Uint8Array(40);
    const view = new DataView(payload.buffer);
    const user = (address: number) => BigInt(address - GUEST_BASE + USER_BASE);
    view.setUint32(0, index, true);
    view.setBigUint64(8, user(queue.descriptorTable), true);
    view.setBigUint64(16, user(queue.usedRing), true);
    view.setBigUint64(24, user(queue.availableRing), true);
    view.setBigUint64(32, 0xffff_ffff_ffff_ffffn, true);
    return payload;
  }

  /** Kicks in-band and waits, if the device wants to know. @returns whether it did */
  kick(index: number): boolean {
    if (!this.queues[index]?.needsKick()) return false;
    this.must(R.VRING_KICK, state(index, 0));
    return true;
  }

  /** The requests that have come on the back-end channel. */
  calls(): Reply[] {
    return parse(this.backEnd?.take() ?? new Uint8Array(0));
  }

  /** Answers the request of `call` with `status`. */
  answer(call: Reply, status = 0n): void {
    this.backEnd?.send(encodeU64(call.request, Flag.REPLY, status));
    this.machine.hub.poll();
  }

  event(): { event: FakeEvent; descriptor: number } {
    const event = new FakeEvent();
    return { event, descriptor: this.machine.descriptors.add(event) };
  }

  disconnect(): void {
    this.socket.closed = true;
    this.machine.hub.poll();
  }

  write(address: number, bytes: Uint8Array): void {
    this.machine.memory.set(bytes, address - GUEST_BASE);
  }

  read(address: number, length: number): Uint8Array {
    return this.machine.memory.slice(address - GUEST_BASE, address - GUEST_BASE + length);
  }
}

export function u64(value: bigint): Uint8Array {
  return encodeU64(0, 0, value).subarray(HEADER_BYTES);
}

export function state(index: number, num: number): Uint8Array {
  return encodeVringState(0, 0, index, num).subarray(HEADER_BYTES);
}

/** The guest's memory as a memory region description. */
export function regionBytes(
  guest = BigInt(GUEST_BASE),
  size = BigInt(MEMORY_BYTES),
  user = BigInt(USER_BASE),
  offset = BigInt(CANARY_BYTES),
): Uint8Array {
  return new Uint8Array(new BigUint64Array([guest, size, user, offset]).buffer);
}

export function encode(request: number, payload: Uint8Array, needReply: boolean): Uint8Array {
  const message = new Uint8Array(HEADER_BYTES + payload.length);
  writeHeader(message, request, needReply ? Flag.NEED_REPLY : 0, payload.length);
  message.set(payload, HEADER_BYTES);
  return message;
}

function parse(bytes: Uint8Array): Reply[] {
  const replies: Reply[] = [];
  for (let at = 0; at < bytes.length; ) {
    const size = readU32(bytes, at + 8);
    replies.push({
      request: readU32(bytes, at),
      flags: readU32(bytes, at + 4),
      payload: bytes.slice(at + HEADER_BYTES, at + HEADER_BYTES + size),
    });
    at += HEADER_BYTES + size;
  }
  return replies;
}
