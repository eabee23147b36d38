// SPDX-License-Identifier: MIT
import {
  AVAILABLE_NO_INTERRUPT,
  availableRingBytes,
  DESCRIPTOR_BYTES,
  DescriptorFlag,
  descriptorTableBytes,
  USED_NO_NOTIFY,
  usedRingBytes,
} from '../../../protocols/virtio/index.js';

export interface Buffer {
  /** Guest-physical. */
  readonly address: number;
  readonly length: number;
  readonly writable?: boolean;
}

export interface Used {
  readonly id: number;
  readonly length: number;
}

const roundUp = (value: number, to: number) => Math.ceil(value / to) * to;

/** The driver's side of a split virtqueue, for tests: as drivers/virtio/virtio_ring.c of Linux does it. */
export class DriverQueue {
  readonly descriptorTable: number;
  readonly availableRing: number;
  readonly usedRing: number;
  /** The first address past it. */
  readonly end: number;
  /** The driver's index, 0 … 65535. */
  available: number;
  readonly #view: DataView;
  readonly #base: number;
  readonly #free: number[] = [];
  readonly #chains = new Map<number, number[]>();
  #lastUsed: number;
  #announced: number;

  /**
   * @param memory the guest's memory, from guest-physical `base` on
   * @param at guest-physical address of the queue
   * @param start index to start at
   */
  constructor(
    memory: Uint8Array,
    base: number,
    at: number,
    readonly size: number,
    readonly eventIndex: boolean,
    start = 0,
  ) {
    this.#view = new DataView(memory.buffer, memory.byteOffset, memory.byteLength);
    this.#base = base;
    this.descriptorTable = at;
    this.availableRing = at + descriptorTableBytes(size);
    this.usedRing = roundUp(this.availableRing + availableRingBytes(size), 4096);
    this.end = roundUp(this.usedRing + usedRingBytes(size), 4096);
    this.available = this.#lastUsed = this.#announced = start;
    memory.fill(0, at - base, this.end - base);
    for (let i = size - 1; i >= 0; i--) this.#free.push(i);
    this.setAvailableIndex(start);
    this.#set16(this.usedRing + 2, start);
  }

  get freeCount(): number {
    return this.#free.length;
  }

  /** Adds a request of `buffers`; with `table`, as an indirect descriptor whose table is put there. */
  add(buffers: readonly Buffer[], table?: number): number {
    let head: number;
    if (table === undefined) {
      const indices = buffers.map(() => this.#free.pop() as number);
      indices.forEach((index, i) => {
        const buffer = buffers[i] as Buffer;
        const next = indices[i + 1];
        this.describe(index, buffer.address, buffer.length, flags(buffer, next !== undefined), next ?? 0);
      });
      head = indices[0] as number;
      this.#chains.set(head, indices);
    } else {
      buffers.forEach((buffer, i) => {
        const more = i + 1 < buffers.length;
        this.writeDescriptor(
          table + i * DESCRIPTOR_BYTES,
          buffer.address,
          buffer.length,
          flags(buffer, more),
          i + 1,
        );
      });
      head = this.#free.pop() as number;
      this.describe(head, table, buffers.length * DESCRIPTOR_BYTES, DescriptorFlag.INDIRECT, 0);
      this.#chains.set(head, [head]);
    }
    this.offer(head);
    return head;
  }

  /** Makes `head` available, whatever it is. */
  offer(head: number): void {
    this.#set16(this.availableRing + 4 + 2 * (this.available % this.size), head);
    this.setAvailableIndex((this.available + 1) & 0xffff);
  }

  setAvailableIndex(index: number): void {
    this.available = index;
    this.#set16(this.availableRing + 2, index);
  }

  /** Whether the device wants to be told of what was added since the last call. */
  needsKick(): boolean {
    const before = this.#announced;
    this.#announced = this.available;
    if (this.eventIndex) {
      const event = this.#get16(this.usedRing + 4 + 8 * this.size);
      return ((this.available - event - 1) & 0xffff) < ((this.available - before) & 0xffff);
    }
    return (this.#get16(this.usedRing) & USED_NO_NOTIFY) === 0;
  }

  /** Takes back what the device has used. */
  takeUsed(): Used[] {
    const used: Used[] = [];
    while (this.#lastUsed !== this.#get16(this.usedRing + 2)) {
      const at = this.usedRing + 4 + 8 * (this.#lastUsed % this.size) - this.#base;
      const id = this.#view.getUint32(at, true);
      used.push({ id, length: this.#view.getUint32(at + 4, true) });
      for (const index of this.#chains.get(id) ?? []) this.#free.push(index);
      this.#chains.delete(id);
      this.#lastUsed = (this.#lastUsed + 1) & 0xffff;
    }
    return used;
  }

  /** Asks for an interrupt with the next used buffer, or for none. */
  wantInterrupts(wanted: boolean): void {
    if (this.eventIndex) this.setUsedEvent(wanted ? this.#lastUsed : (this.#lastUsed + 0x8000) & 0xffff);
    else this.#set16(this.availableRing, wanted ? 0 : AVAILABLE_NO_INTERRUPT);
  }

  setUsedEvent(index: number): void {
    this.#set16(this.availableRing + 4 + 2 * this.size, index);
  }

  describe(index: number, address: number, length: number, flagBits: number, next: number): void {
    this.writeDescriptor(this.descriptorTable + index * DESCRIPTOR_BYTES, address, length, flagBits, next);
  }

  writeDescriptor(at: number, address: number, length: number, flagBits: number, next: number): void {
    const offset = at - this.#base;
    this.#view.setUint32(offset, address >>> 0, true);
    this.#view.setUint32(offset + 4, Math.floor(address / 0x1_0000_0000), true);
    this.#view.setUint32(offset + 8, length, true);
    this.#view.setUint16(offset + 12, flagBits, true);
    this.#view.setUint16(offset + 14, next, true);
  }

  #get16(address: number): number {
    return this.#view.getUint16(address - this.#base, true);
  }

  #set16(address: number, value: number): void {
    this.#view.setUint16(address - this.#base, value, true);
  }
}

function flags(buffer: Buffer, more: boolean): number {
  return (more ? DescriptorFlag.NEXT : 0) | (buffer.writable ? DescriptorFlag.WRITE : 0);
}
