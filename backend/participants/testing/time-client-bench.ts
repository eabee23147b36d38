// SPDX-License-Identifier: MIT
import { closeSync, fstatSync } from 'node:fs';
import { addon, type Channel, createSharedMemory, NativeHub } from '../../../host/native/index.js';
import {
  CAP_TIME_SHARE,
  FLAG_REQ_RUN,
  SharedLayout as L,
  MessageDecoder,
  MessageEncoder,
  NotifyLayout as N,
  Notifications,
  Op,
  opName,
  SharedPage,
  sharedPageBytes,
} from '../../../protocols/um-timetravel/index.js';
import { type Instant, instant } from '../../calendar/index.js';
import { TimeClient } from '../time-client.js';

const CLIENTS = 4;
const ID = 3;
/** The time of day at virtual time 0. */
export const TIME_OF_DAY = 1_000_000_000_000n;

/** For tests: a {@link TimeClient} with the client's end of its socket, and an owner that writes down what it is told. */
export class TimeClientBench {
  readonly hub = new NativeHub();
  readonly memory = createSharedMemory(sharedPageBytes(CLIENTS));
  readonly refusal = createSharedMemory(sharedPageBytes(CLIENTS));
  readonly page = new SharedPage(this.memory.bytes, CLIENTS);
  readonly notifications = new Notifications(this.memory.bytes);
  readonly view = new DataView(this.memory.bytes.buffer);
  /** Called for each kick that is taken out of the page. */
  onKick: (device: number, queue: number, available: number) => void = (device, queue, available) =>
    this.told.push(`kick ${device}.${queue} up to ${available} at ${this.client.now}`);
  readonly client: TimeClient;
  /** What the owner was told. */
  readonly told: string[] = [];
  /** What the client has been sent: `RUN 5`, with the sequence number where it is an acknowledgement. */
  received: string[] = [];
  /** Inode of the memory that came with the acknowledgement of START. */
  given: number | undefined;
  /** What the owner says that its domain's time is. */
  domainNow = instant(0n);
  /** Requests that the owner has not acknowledged yet; they are at once unless this is set. */
  held: (() => void)[] | undefined;
  readonly #null = addon.pipe();
  readonly #peer: Channel;
  readonly #encoder = new MessageEncoder();
  readonly #decoder = new MessageDecoder();
  /** Sequence numbers that the client has not acknowledged. */
  readonly unanswered: number[] = [];
  /** Whether the client acknowledges by itself. */
  answers = true;

  constructor() {
    const [ours, theirs] = addon.socketPair();
    this.#peer = this.hub.open(theirs, {
      onData: (bytes, descriptors) => {
        this.#decoder.push(bytes, (op, sequence, time) => this.#onMessage(op, sequence, time));
        if (descriptors[0] !== undefined) this.given = fstatSync(descriptors[0]).ino;
        for (const descriptor of descriptors) closeSync(descriptor);
      },
      onClose: () => this.received.push('closed'),
    });
    const told = this.told;
    const slot = {
      page: this.page,
      id: ID,
      descriptor: this.memory.descriptor,
      refusal: this.refusal.descriptor,
      logDescriptor: this.#null[0],
      notifications: this.notifications,
    };
    this.client = new TimeClient(
      'test',
      slot,
      {
        timeOfDay: TIME_OF_DAY,
        started: (identity) => told.push(`started ${identity}`),
        spoke: () => this.client.takeKicks((...kick) => this.onKick(...kick)),
        quiet: () => told.push('quiet'),
        now: () => this.domainNow,
        requested: (at, acknowledge) => {
          told.push(`requested ${at}`);
          if (this.held) this.held.push(acknowledge);
          else acknowledge();
        },
        broadcast: (value) => told.push(`broadcast ${value}`),
        failed: (error, left) => told.push(`${left ? 'left' : 'failed'}: ${error.message}`),
      },
      this.hub,
      ours,
    );
  }

  /** Leaves a kick in the page, as a kernel does. */
  leaveKick(time: bigint, device: number, queue: number, available: number): void {
    const { view } = this;
    const count = view.getUint32(N.OFFSET + N.OFFSET_KICKS, true);
    const at = N.OFFSET + N.OFFSET_KICK + count * N.KICK_BYTES;
    view.setBigUint64(at, time, true);
    view.setUint16(at + N.OFFSET_KICK_DEVICE, device, true);
    view.setUint16(at + N.OFFSET_KICK_QUEUE, queue, true);
    view.setUint16(at + N.OFFSET_KICK_AVAILABLE, available, true);
    this.leftKicks = count + 1;
  }

  get leftKicks(): number {
    return this.view.getUint32(N.OFFSET + N.OFFSET_KICKS, true);
  }

  set leftKicks(count: number) {
    this.view.setUint32(N.OFFSET + N.OFFSET_KICKS, count, true);
  }

  /** Which devices the client has interrupts looked for in the page. */
  set listening(devices: bigint) {
    this.view.setBigUint64(N.OFFSET + N.OFFSET_LISTENING, devices, true);
  }

  calls(device: number): bigint {
    return this.view.getBigUint64(N.OFFSET + N.OFFSET_CALL + 8 * device, true);
  }

  dispose(): void {
    this.hub.close();
    this.memory.close();
    this.refusal.close();
    for (const descriptor of this.#null) closeSync(descriptor);
  }

  /** Lets everything happen that is under way. */
  settle(): void {
    while (this.hub.poll(0) > 0);
  }

  /** Sends a message of the client's. */
  send(op: number, sequence: number, time = 0n): void {
    this.#peer.send(this.#encoder.encode(op, sequence, time));
    this.settle();
  }

  sendBytes(bytes: Uint8Array): void {
    this.#peer.send(bytes);
    this.settle();
  }

  /** Acknowledges the oldest message that has no answer. */
  answer(): void {
    this.send(Op.ACK, this.unanswered.shift() ?? -1 >>> 0);
  }

  hangUp(): void {
    this.#peer.close();
    this.settle();
  }

  /** What the client was sent since the last look. */
  take(): string[] {
    this.settle();
    const received = this.received;
    this.received = [];
    return received;
  }

  run(at: bigint, until: bigint): void {
    this.client.run(instant(at), instant(until));
    this.settle();
  }

  curtail(until: bigint): void {
    this.client.curtail(instant(until));
    this.settle();
  }

  /** Starts at `at`, and takes the page or does not. */
  start(shares: boolean, at: bigint, until: bigint): void {
    this.send(Op.START, 1, 5n);
    this.client.beginAt(instant(at) as Instant);
    this.run(at, until);
    if (shares) this.capabilities = CAP_TIME_SHARE;
    this.take();
  }

  set capabilities(value: number) {
    this.view.setUint32(L.HEADER_BYTES + ID * L.CLIENT_BYTES + L.OFFSET_CAPABILITIES, value, true);
  }

  /** What the client has written into its place. */
  set request(at: bigint | undefined) {
    const place = L.HEADER_BYTES + ID * L.CLIENT_BYTES;
    this.view.setUint32(place + L.OFFSET_FLAGS, at === undefined ? 0 : FLAG_REQ_RUN, true);
    if (at !== undefined) this.view.setBigUint64(place + L.OFFSET_REQUEST_TIME, at, true);
  }

  set currentTime(at: bigint) {
    this.view.setBigUint64(L.OFFSET_CURRENT_TIME, at, true);
  }

  get shared(): { currentTime: bigint; freeUntil: bigint; runningId: number } {
    return {
      currentTime: this.view.getBigUint64(L.OFFSET_CURRENT_TIME, true),
      freeUntil: this.view.getBigUint64(L.OFFSET_FREE_UNTIL, true),
      runningId: this.view.getUint16(L.OFFSET_RUNNING_ID, true),
    };
  }

  #onMessage(op: number, sequence: number, time: bigint): void {
    this.received.push(op === Op.ACK ? `ACK ${sequence}: ${time}` : `${opName(op)} ${time}`);
    if (op === Op.ACK) return;
    // With shared memory RUN has no acknowledgement.
    if (op === Op.RUN && this.page.sharesTime(ID)) return;
    this.unanswered.push(sequence);
    if (this.answers) this.answer();
  }
}
