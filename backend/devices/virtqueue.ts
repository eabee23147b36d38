// SPDX-License-Identifier: MIT
import {
  Alignment,
  AVAILABLE_NO_INTERRUPT,
  availableRingBytes,
  DESCRIPTOR_BYTES,
  DescriptorFlag,
  descriptorTableBytes,
  MAX_QUEUE_SIZE,
  USED_NO_NOTIFY,
  usedRingBytes,
} from '../../protocols/virtio/index.js';
import type { DescriptorChain } from './descriptor-chain.js';
import { DeviceError } from './device-error.js';
import type { GuestMemory } from './guest-memory.js';

/** The most descriptors in an indirect table, which Linux lets be longer than its queue. */
const MAX_INDIRECT_DESCRIPTORS = 1024;
/** The most bytes in one request. */
const MAX_CHAIN_BYTES = 4 * 1024 * 1024;
/** Half way round the indices: an event index that no driver's next step can pass. */
const NO_EVENT = 0x8000;

export interface VirtqueueOptions {
  /** For errors: `queue 1 (transmit)`. */
  readonly name: string;
  /** Descriptors in the table. */
  readonly size: number;
  /** The available index of the next request. */
  readonly next: number;
  readonly descriptorTable: number;
  readonly availableRing: number;
  readonly usedRing: number;
  /** Whether the three addresses above are guest-physical or user addresses. */
  readonly addresses: 'guest' | 'user';
  /** VIRTIO_RING_F_INDIRECT_DESC was negotiated. */
  readonly indirect: boolean;
  /** VIRTIO_RING_F_EVENT_IDX was negotiated. */
  readonly eventIndex: boolean;
}

/** Whether `size` is one that a split queue can have (virtio 1.2, 2.7). */
export function isQueueSize(size: number): boolean {
  return size > 0 && size <= MAX_QUEUE_SIZE && (size & (size - 1)) === 0;
}

/**
 * The device's side of a split virtqueue (virtio 1.2, 2.7). Everything in it is the guest's to change at any
 * moment: each value is read once and checked before it is used.
 *
 * A request goes pop, push, flush: requests that were popped and pushed become the driver's again at the flush,
 * and until then {@link rollback} undoes both.
 */
export class Virtqueue {
  readonly size: number;
  readonly #name: string;
  readonly #memory: GuestMemory;
  readonly #indirect: boolean;
  readonly #eventIndex: boolean;
  readonly #mask: number;
  readonly #table: Uint32Array;
  /** Flags, index, heads, used_event. */
  readonly #available: Uint16Array;
  /** The used ring by halves: flags, index, elements of four, avail_event. */
  readonly #used: Uint16Array;
  /** The used ring by words, of which the first is flags and index: elements of two from 1 on. */
  readonly #usedWords: Uint32Array;
  /** Undefined until it is asked for: a queue that was run before has the last asker's wish in it. */
  #kicksWanted: boolean | undefined;
  #nextAvailable: number;
  /** The driver's index as it was last read. */
  #seenAvailable: number;
  /** Where requests end that may be taken, if not where the driver has come to by now. */
  #bound: number | undefined;
  #nextUsed: number;
  /** Both of the above as of the last flush. */
  #flushedAvailable: number;
  #flushedUsed: number;

  /** @throws DeviceError */
  constructor(memory: GuestMemory, options: VirtqueueOptions) {
    this.#name = options.name;
    this.#memory = memory;
    this.size = options.size;
    if (!isQueueSize(options.size)) {
      throw this.#error(
        `has ${options.size} descriptors, where it takes a power of two up to ${MAX_QUEUE_SIZE}`,
      );
    }
    this.#indirect = options.indirect;
    this.#eventIndex = options.eventIndex;
    this.#mask = options.size - 1;
    const { size, addresses } = options;
    const part = (what: string, address: number, length: number, alignment: number): Uint8Array => {
      if (address % alignment !== 0) {
        throw this.#error(`has its ${what} at 0x${address.toString(16)}, not a multiple of ${alignment}`);
      }
      const bytes = memory[addresses](address, length);
      if (bytes) return bytes;
      throw this.#error(
        `has its ${what} (${length} bytes at ${addresses} address 0x${address.toString(16)}) outside shared memory`,
      );
    };
    const table = part(
      'descriptor table',
      options.descriptorTable,
      descriptorTableBytes(size),
      Alignment.DESCRIPTOR_TABLE,
    );
    const available = part(
      'available ring',
      options.availableRing,
      availableRingBytes(size),
      Alignment.AVAILABLE,
    );
    const used = part('used ring', options.usedRing, usedRingBytes(size), Alignment.USED);
    this.#table = new Uint32Array(table.buffer, table.byteOffset, size * 4);
    this.#available = new Uint16Array(available.buffer, available.byteOffset, size + 3);
    this.#used = new Uint16Array(used.buffer, used.byteOffset, size * 4 + 3);
    this.#usedWords = new Uint32Array(used.buffer, used.byteOffset, size * 2 + 1);
    this.#nextAvailable = this.#seenAvailable = this.#flushedAvailable = options.next;
    this.#nextUsed = this.#flushedUsed = Atomics.load(this.#used, 1);
    const inFlight = (options.next - this.#nextUsed) & 0xffff;
    if (inFlight > size) {
      throw this.#error(
        `starts at available index ${options.next} with used index ${this.#nextUsed}, more than ${size} apart`,
      );
    }
  }

  /** The available index of the next request, for whoever takes the queue over. */
  get next(): number {
    return this.#nextAvailable;
  }

  /**
   * Takes the driver's next request into `chain`.
   *
   * @returns false where there is none
   * @throws DeviceError where it is malformed; the queue is of no use then
   */
  pop(chain: DescriptorChain): boolean {
    const index = this.#nextAvailable;
    if (index === this.#seenAvailable && !this.#look()) return false;
    const head = this.#available[2 + (index & this.#mask)] as number;
    if (head >= this.size) throw this.#error(`has head ${head}, where it has ${this.size} descriptors`);
    chain.begin(head);
    this.#walk(chain, head);
    this.#nextAvailable = (index + 1) & 0xffff;
    return true;
  }

  /** Requests from available index `bound` on are not taken, until it is called again; undefined: all are. */
  limit(bound: number | undefined): void {
    this.#bound = bound;
  }

  /** Gives `head` back, with `written` bytes in it; the driver sees it at the next flush. */
  push(head: number, written: number): void {
    const at = 1 + 2 * (this.#nextUsed & this.#mask);
    this.#usedWords[at] = head;
    this.#usedWords[at + 1] = written;
    this.#nextUsed = (this.#nextUsed + 1) & 0xffff;
  }

  /**
   * Shows the driver what was pushed.
   *
   * @returns whether it wants an interrupt for that (2.7.7, 2.7.10)
   */
  flush(): boolean {
    const before = this.#flushedUsed;
    const now = this.#nextUsed;
    this.#flushedAvailable = this.#nextAvailable;
    if (before === now) return false;
    this.#flushedUsed = now;
    Atomics.store(this.#used, 1, now);
    if (this.#kicksWanted === false && this.#eventIndex)
      this.#writeAvailableEvent(this.#nextAvailable + NO_EVENT);
    if (this.#eventIndex) {
      const event = Atomics.load(this.#available, 2 + this.size);
      return ((now - event - 1) & 0xffff) < ((now - before) & 0xffff);
    }
    return (Atomics.load(this.#available, 0) & AVAILABLE_NO_INTERRUPT) === 0;
  }

  /** Forgets what was popped and pushed since the last flush. */
  rollback(): void {
    this.#nextAvailable = this.#flushedAvailable;
    this.#nextUsed = this.#flushedUsed;
  }

  /** Asks the driver not to kick (2.7.9, 2.7.10); it may do so all the same. */
  suppressKicks(): void {
    this.#kicksWanted = false;
    if (this.#eventIndex) this.#writeAvailableEvent(this.#nextAvailable + NO_EVENT);
    else Atomics.store(this.#used, 0, USED_NO_NOTIFY);
  }

  /**
   * Asks the driver to kick for its next request.
   *
   * @returns whether there is one already, which it will not kick for
   */
  enableKicks(): boolean {
    if (this.#eventIndex) this.#writeAvailableEvent(this.#nextAvailable);
    else if (this.#kicksWanted !== true) Atomics.store(this.#used, 0, 0);
    this.#kicksWanted = true;
    return this.#look();
  }

  #writeAvailableEvent(index: number): void {
    Atomics.store(this.#used, 2 + 4 * this.size, index & 0xffff);
  }

  /** Reads the driver's index. @returns whether there are requests */
  #look(): boolean {
    const index = this.#bound ?? Atomics.load(this.#available, 1);
    const pending = (index - this.#nextAvailable) & 0xffff;
    if (pending > this.size) {
      throw this.#error(
        `has available index ${index} after ${this.#nextAvailable}: ${pending} requests in ${this.size} descriptors`,
      );
    }
    this.#seenAvailable = index;
    return pending !== 0;
  }

  /** Follows the descriptors from `head` (2.7.5, 2.7.5.3). */
  #walk(chain: DescriptorChain, head: number): void {
    let table = this.#table;
    let tableAt = 0;
    let entries = this.size;
    let index = head;
    let steps = 0;
    let bytes = 0;
    let writing = false;
    let inTable = false;
    for (;;) {
      const at = tableAt + index * 4;
      const low = table[at] as number;
      const high = table[at + 1] as number;
      const length = table[at + 2] as number;
      const last = table[at + 3] as number;
      const flags = last & 0xffff;
      if (++steps > entries) throw this.#chainError(head, `does not end within ${entries} descriptors`);
      if (high > 0x1fffff) throw this.#chainError(head, `has descriptor ${index} past every address`);
      const address = high * 0x1_0000_0000 + low;
      if ((flags & DescriptorFlag.INDIRECT) !== 0) {
        if (inTable) throw this.#chainError(head, 'has a table inside a table');
        this.#checkIndirect(head, index, flags, length);
        const region = this.#memory.regionAt(address);
        const offset = region ? address - region.guestAddress : 0;
        if (!region || length > region.size - offset) {
          throw this.#chainError(
            head,
            `has a table of ${length} bytes at 0x${address.toString(16)}, ${OUTSIDE}`,
          );
        }
        if (offset % 4 !== 0)
          throw this.#chainError(head, `has a table at 0x${address.toString(16)}, not aligned`);
        inTable = true;
        table = region.words;
        tableAt = offset / 4;
        entries = length / DESCRIPTOR_BYTES;
        index = 0;
        steps = 0;
        continue;
      }
      const writable = (flags & DescriptorFlag.WRITE) !== 0;
      if (writing && !writable)
        throw this.#chainError(head, `has readable descriptor ${index} after writable`);
      writing = writable;
      if (length === 0) throw this.#chainError(head, `has empty descriptor ${index}`);
      bytes += length;
      if (bytes > MAX_CHAIN_BYTES) throw this.#chainError(head, `has more than ${MAX_CHAIN_BYTES} bytes`);
      this.#addSpans(chain, writable, address, length, index);
      if ((flags & DescriptorFlag.NEXT) === 0) return;
      index = last >>> 16;
      if (index >= entries) throw this.#chainError(head, `goes on to descriptor ${index} of ${entries}`);
    }
  }

  #checkIndirect(head: number, index: number, flags: number, length: number): void {
    if (!this.#indirect) {
      throw this.#chainError(head, `has indirect descriptor ${index}, which was not negotiated`);
    }
    if ((flags & DescriptorFlag.NEXT) !== 0) {
      throw this.#chainError(head, `has indirect descriptor ${index} that goes on to another`);
    }
    if (length === 0 || length % DESCRIPTOR_BYTES !== 0) {
      throw this.#chainError(head, `has a table of ${length} bytes, not a multiple of ${DESCRIPTOR_BYTES}`);
    }
    if (length > MAX_INDIRECT_DESCRIPTORS * DESCRIPTOR_BYTES) {
      throw this.#chainError(
        head,
        `has a table of ${length} bytes, more than ${MAX_INDIRECT_DESCRIPTORS} descriptors`,
      );
    }
  }

  /** A buffer is in one piece for the guest, and may still lie across two regions that touch. */
  #addSpans(chain: DescriptorChain, writable: boolean, start: number, length: number, index: number): void {
    let address = start;
    let left = length;
    while (left > 0) {
      const region = this.#memory.regionAt(address);
      if (!region) {
        throw this.#chainError(
          chain.head,
          `has descriptor ${index} (${length} bytes at 0x${start.toString(16)}) ${OUTSIDE}`,
        );
      }
      const offset = address - region.guestAddress;
      const count = Math.min(left, region.size - offset);
      chain.add(writable, region.bytes, offset, count);
      address += count;
      left -= count;
    }
  }

  #error(fault: string): DeviceError {
    return new DeviceError(`${this.#name} ${fault}`);
  }

  #chainError(head: number, fault: string): DeviceError {
    return this.#error(`head ${head} ${fault}`);
  }
}

const OUTSIDE = 'outside shared memory';
