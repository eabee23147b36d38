// SPDX-License-Identifier: MIT

/** Below this many bytes a loop is quicker than a view and a block copy. */
const SMALL_COPY = 24;

function copy(from: Uint8Array, fromAt: number, into: Uint8Array, intoAt: number, length: number): void {
  if (length <= SMALL_COPY) {
    for (let i = 0; i < length; i++) into[intoAt + i] = from[fromAt + i] as number;
  } else {
    into.set(from.subarray(fromAt, fromAt + length), intoAt);
  }
}

/** A list of spans in guest memory that grows as needed and is used again. */
class Spans {
  readonly regions: Uint8Array[] = [];
  readonly offsets: number[] = [];
  readonly lengths: number[] = [];
  count = 0;
  total = 0;

  clear(): void {
    this.count = 0;
    this.total = 0;
  }

  add(region: Uint8Array, offset: number, length: number): void {
    const i = this.count++;
    this.regions[i] = region;
    this.offsets[i] = offset;
    this.lengths[i] = length;
    this.total += length;
  }

  views(): Uint8Array[] {
    const views: Uint8Array[] = [];
    for (let i = 0; i < this.count; i++) {
      const offset = this.offsets[i] as number;
      views.push((this.regions[i] as Uint8Array).subarray(offset, offset + (this.lengths[i] as number)));
    }
    return views;
  }
}

/**
 * The buffers of one request: what the device may read, then what it may write. One object serves any number of
 * requests, so that none is made for each; its buffers are good until the next pop or the end of the memory.
 */
export class DescriptorChain {
  /** The descriptor it starts at: its name in the rings. */
  head = 0;
  readonly #readable = new Spans();
  readonly #writable = new Spans();

  get readableBytes(): number {
    return this.#readable.total;
  }

  get writableBytes(): number {
    return this.#writable.total;
  }

  /** Views of what the device may read, in order. */
  get readable(): Uint8Array[] {
    return this.#readable.views();
  }

  /** Views of what the device may write, in order. */
  get writable(): Uint8Array[] {
    return this.#writable.views();
  }

  /** Starts over, for the queue. */
  begin(head: number): void {
    this.head = head;
    this.#readable.clear();
    this.#writable.clear();
  }

  /** Adds a span, for the queue. */
  add(writable: boolean, region: Uint8Array, offset: number, length: number): void {
    (writable ? this.#writable : this.#readable).add(region, offset, length);
  }

  /**
   * Copies what is readable from byte `from` on, as much as `into` takes.
   *
   * @returns how many bytes
   */
  gather(into: Uint8Array, from = 0): number {
    const spans = this.#readable;
    let skip = from;
    let done = 0;
    for (let i = 0; i < spans.count && done < into.length; i++) {
      const length = spans.lengths[i] as number;
      if (skip >= length) {
        skip -= length;
        continue;
      }
      const count = Math.min(length - skip, into.length - done);
      copy(spans.regions[i] as Uint8Array, (spans.offsets[i] as number) + skip, into, done, count);
      done += count;
      skip = 0;
    }
    return done;
  }

  /**
   * Copies `source` into what is writable from byte `to` on, as much as there is room for.
   *
   * @returns how many bytes
   */
  scatter(source: Uint8Array, to = 0, sourceFrom = 0): number {
    const spans = this.#writable;
    let skip = to;
    let at = sourceFrom;
    for (let i = 0; i < spans.count && at < source.length; i++) {
      const length = spans.lengths[i] as number;
      if (skip >= length) {
        skip -= length;
        continue;
      }
      const count = Math.min(length - skip, source.length - at);
      copy(source, at, spans.regions[i] as Uint8Array, (spans.offsets[i] as number) + skip, count);
      at += count;
      skip = 0;
    }
    return at - sourceFrom;
  }
}
