// SPDX-License-Identifier: MIT
import { closeSync } from 'node:fs';
import { addon, type Channel, type Hub, mapShared, type SharedMemory } from '../../host/native/index.js';
import {
  CAP_TIME_SHARE,
  FLAG_REQ_RUN,
  SharedLayout as L,
  MessageDecoder,
  MessageEncoder,
  Op,
  opName,
} from '../../protocols/um-timetravel/index.js';

export interface ForeignClientOptions {
  readonly identity: bigint;
  /** False: the page is not taken, whatever it says. */
  readonly shares?: boolean;
  /** It has been let in, and runs. */
  started?(client: ForeignClient): void;
  /** It runs at `at`. */
  run?(client: ForeignClient, at: bigint): void;
  broadcast?(client: ForeignClient, value: bigint): void;
  closed?(client: ForeignClient): void;
}

/**
 * The client's side of the time protocol, as the kernel's header tells it, written without a look at the controller:
 * what a device simulator needs. Everything goes by events; {@link drive} waits for them.
 */
export class ForeignClient {
  readonly #channel: Channel;
  readonly #encoder = new MessageEncoder();
  readonly #decoder = new MessageDecoder();
  readonly #answers = new Map<number, (time: bigint) => void>();
  #sequence = 0;
  #startSequence = 0;
  #memory: SharedMemory | undefined;
  #view: DataView | undefined;
  #id = 0;
  #offset = 0n;
  #time = 0n;
  #freeUntil = 0n;
  isClosed = false;
  running = false;
  /** Operations that have come, for checks. */
  readonly received: string[] = [];

  constructor(
    hub: Hub,
    path: string,
    private readonly options: ForeignClientOptions,
  ) {
    this.#channel = hub.open(addon.connectUnix(path), {
      onData: (bytes, descriptors) => {
        this.#decoder.push(bytes, (op, sequence, time) => this.#onMessage(op, sequence, time, descriptors));
        for (const descriptor of descriptors) closeSync(descriptor);
      },
      onClose: () => {
        this.isClosed = true;
        this.running = false;
        options.closed?.(this);
      },
    });
    this.#startSequence = this.send(Op.START, options.identity);
  }

  get identity(): bigint {
    return this.options.identity;
  }

  get shares(): boolean {
    return this.#view !== undefined;
  }

  /** The time by its own clock, which starts at 0, while it runs. */
  get now(): bigint {
    return this.#view ? this.#view.getBigUint64(L.OFFSET_CURRENT_TIME, true) - this.#offset : this.#time;
  }

  /** It may not reach this by itself. */
  get freeUntil(): bigint {
    return this.#view ? this.#view.getBigUint64(L.OFFSET_FREE_UNTIL, true) - this.#offset : this.#freeUntil;
  }

  /** The page, for tests of what a client can do to it. */
  get page(): DataView {
    if (!this.#view) throw new Error('it has no page');
    return this.#view;
  }

  /** Where its part of the page begins. */
  get place(): number {
    return L.HEADER_BYTES + this.#id * L.CLIENT_BYTES;
  }

  /** Sends a message as it is. @returns its sequence number */
  send(op: number, time: bigint): number {
    this.#channel.send(this.#encoder.encode(op, ++this.#sequence, time));
    return this.#sequence;
  }

  sendBytes(bytes: Uint8Array): void {
    this.#channel.send(bytes);
  }

  /** Asks for its time, also while another runs. */
  get(then: (now: bigint) => void): void {
    if (this.#view) then(this.now);
    else this.#ask(Op.GET, 0n, then);
  }

  timeOfDay(then: (nanoseconds: bigint) => void): void {
    this.#ask(Op.GET_TOD, 0n, then);
  }

  /** Has come to `at` by itself, and is about to touch others. */
  update(at: bigint, then: () => void): void {
    if (this.#view) {
      this.#view.setBigUint64(L.OFFSET_CURRENT_TIME, at + this.#offset, true);
      then();
    } else {
      this.#time = at;
      this.#ask(Op.UPDATE, at, then);
    }
  }

  /** Wants to run at `at`; `then` is called when that is known. */
  request(at: bigint, then: () => void = () => undefined): void {
    const page = this.#view;
    if (!page || !this.#runningShares(page)) {
      this.#ask(Op.REQUEST, at + (page ? this.#offset : 0n), then);
      return;
    }
    const absolute = at + this.#offset;
    page.setBigUint64(this.place + L.OFFSET_REQUEST_TIME, absolute, true);
    page.setUint32(this.place + L.OFFSET_FLAGS, FLAG_REQ_RUN, true);
    if (!this.running && absolute < page.getBigUint64(L.OFFSET_FREE_UNTIL, true)) {
      page.setBigUint64(L.OFFSET_FREE_UNTIL, absolute, true);
    }
    then();
  }

  wait(): void {
    this.running = false;
    if (this.#view) this.send(Op.WAIT, 0n);
    else this.#ask(Op.WAIT, 0n, () => undefined);
  }

  /** Asks to run at `at`, and is quiet until then. */
  sleepUntil(at: bigint): void {
    this.request(at, () => this.wait());
  }

  broadcast(value: bigint, then: () => void): void {
    this.#ask(Op.BROADCAST, value, then);
  }

  close(): void {
    this.isClosed = true;
    this.#memory?.close();
    this.#memory = undefined;
    this.#view = undefined;
    this.#channel.close();
  }

  #ask(op: number, time: bigint, then: (time: bigint) => void): void {
    this.#answers.set(this.send(op, time), then);
  }

  #runningShares(page: DataView): boolean {
    const running = page.getUint16(L.OFFSET_RUNNING_ID, true);
    const capabilities = page.getUint32(L.HEADER_BYTES + running * L.CLIENT_BYTES, true);
    return (capabilities & CAP_TIME_SHARE) !== 0;
  }

  #onMessage(op: number, sequence: number, time: bigint, descriptors: readonly number[]): void {
    this.received.push(opName(op));
    switch (op) {
      case Op.ACK:
        if (sequence === this.#startSequence) return this.#onStarted(time, descriptors);
        return this.#onAnswer(sequence, time);
      case Op.FREE_UNTIL:
        this.#freeUntil = time;
        this.#acknowledge(sequence);
        return;
      case Op.BROADCAST:
        this.#acknowledge(sequence);
        this.options.broadcast?.(this, time);
        return;
      case Op.RUN:
        this.running = true;
        this.#time = time - this.#offset;
        if (this.#view) this.#view.setUint32(this.place + L.OFFSET_FLAGS, 0, true);
        else this.#acknowledge(sequence);
        this.options.run?.(this, this.now);
        return;
      default:
        throw new Error(`a controller sent ${opName(op)}`);
    }
  }

  #onStarted(time: bigint, [memory]: readonly number[]): void {
    this.#id = Number(time & 0xffffn);
    if (memory !== undefined && this.options.shares !== false) this.#takePage(memory);
    this.running = true;
    this.options.started?.(this);
  }

  #takePage(descriptor: number): void {
    const header = mapShared(descriptor, 0, L.HEADER_BYTES);
    const view = new DataView(header.bytes.buffer);
    const version = view.getUint32(L.OFFSET_VERSION, true);
    const length = view.getUint32(L.OFFSET_LENGTH, true);
    header.close();
    if (version !== L.VERSION) return;
    this.#memory = mapShared(descriptor, 0, length);
    this.#view = new DataView(this.#memory.bytes.buffer, this.#memory.bytes.byteOffset, length);
    this.#offset = this.#view.getBigUint64(L.OFFSET_CURRENT_TIME, true);
    this.#view.setUint32(this.place + L.OFFSET_CAPABILITIES, CAP_TIME_SHARE, true);
    this.#view.setBigUint64(this.place + L.OFFSET_NAME, this.identity, true);
  }

  #onAnswer(sequence: number, time: bigint): void {
    if (sequence > this.#sequence) throw new Error(`an answer to message ${sequence}, which was not sent`);
    const then = this.#answers.get(sequence);
    this.#answers.delete(sequence);
    then?.(time);
  }

  #acknowledge(sequence: number): void {
    this.#channel.send(this.#encoder.encode(Op.ACK, sequence, 0n));
  }
}
