// SPDX-License-Identifier: MIT
import type { SharedMemory } from '../../../host/native/memory.js';
import { OneclockError } from '../../errors.js';
import type { Descriptors } from '../descriptors.js';

/** One end of a connected pair of sockets. */
export class FakeSocket {
  peer!: FakeSocket;
  readonly inbox: { bytes: Uint8Array; descriptors: readonly number[] }[] = [];
  closed = false;

  /** Arrives at the other end with its hub's next poll. */
  send(bytes: Uint8Array, descriptors: readonly number[] = []): void {
    if (!this.peer.closed) this.peer.inbox.push({ bytes: bytes.slice(), descriptors });
  }

  /** Everything that has arrived here, for an end that no hub has. */
  take(): Uint8Array {
    const pieces = this.inbox.splice(0);
    return new Uint8Array(Buffer.concat(pieces.map((piece) => piece.bytes)));
  }
}

/** A file that is shared memory: `bytes` is all of it. */
export class FakeFile {
  mappings = 0;
  intact = true;

  constructor(readonly bytes: Uint8Array) {}
}

/** An eventfd. */
export class FakeEvent {
  count = 0;
  nonBlocking = true;
}

export type FakeObject = FakeSocket | FakeFile | FakeEvent;

/** The descriptors of a process that exists only in a test. Closing one twice, or an unknown one, throws. */
export class FakeDescriptors implements Descriptors {
  readonly #open = new Map<number, FakeObject>();
  #next = 3;

  get openCount(): number {
    return this.#open.size;
  }

  add(object: FakeObject): number {
    const descriptor = this.#next++;
    this.#open.set(descriptor, object);
    return descriptor;
  }

  /** A connected pair; the first end gets a descriptor, the second is for the test. */
  socketPair(): { descriptor: number; other: FakeSocket } {
    const end = new FakeSocket();
    const other = new FakeSocket();
    end.peer = other;
    other.peer = end;
    return { descriptor: this.add(end), other };
  }

  get(descriptor: number): FakeObject {
    const object = this.#open.get(descriptor);
    if (!object) throw new Error(`descriptor ${descriptor} is not open`);
    return object;
  }

  readonly close = (descriptor: number): void => {
    const object = this.get(descriptor);
    this.#open.delete(descriptor);
    if (object instanceof FakeSocket) object.closed = true;
  };

  setNonBlocking(descriptor: number): boolean {
    const object = this.get(descriptor);
    return !(object instanceof FakeEvent) || object.nonBlocking;
  }

  signal(descriptor: number): boolean {
    const object = this.get(descriptor);
    if (!(object instanceof FakeEvent)) return false;
    object.count++;
    return true;
  }

  readonly mapShared = (descriptor: number, offset: number, length: number): SharedMemory => {
    const file = this.get(descriptor);
    if (!(file instanceof FakeFile) || offset + length > file.bytes.length) {
      throw new OneclockError('PARTICIPANT', `cannot map ${length} bytes at ${offset}`);
    }
    let bytes = new Uint8Array(file.bytes.buffer, file.bytes.byteOffset + offset, length);
    file.mappings++;
    return {
      get bytes() {
        return bytes;
      },
      intact: () => file.intact,
      close() {
        if (bytes.length === 0) return;
        bytes = new Uint8Array(0);
        file.mappings--;
      },
    };
  };
}
