// SPDX-License-Identifier: MIT
import type { Channel, ChannelHandler, Child, Hub, Listener } from '../../../host/native/hub.js';
import { type FakeDescriptors, FakeEvent, FakeSocket } from './fake-descriptors.js';

/** A hub over {@link FakeDescriptors}. It owns what it is given, also where it then refuses it. */
export class FakeHub implements Hub {
  readonly #descriptors: FakeDescriptors;
  readonly #channels = new Map<number, ChannelHandler>();
  readonly #watches = new Map<number, () => void>();
  readonly #listeners = new Map<string, (descriptor: number) => void>();

  constructor(descriptors: FakeDescriptors) {
    this.#descriptors = descriptors;
  }

  open(descriptor: number, handler: ChannelHandler): Channel {
    const socket = this.#descriptors.get(descriptor);
    if (!(socket instanceof FakeSocket)) return this.#refuse(descriptor);
    this.#channels.set(descriptor, handler);
    return {
      send: (bytes, descriptors) => {
        if (this.#channels.has(descriptor)) socket.send(bytes, descriptors);
      },
      close: () => {
        if (this.#channels.delete(descriptor)) this.#descriptors.close(descriptor);
      },
    };
  }

  listen(path: string, onConnection: (descriptor: number) => void): Listener {
    this.#listeners.set(path, onConnection);
    return { close: () => this.#listeners.delete(path) };
  }

  watch(descriptor: number, onSignal: () => void): Channel {
    if (!(this.#descriptors.get(descriptor) instanceof FakeEvent)) return this.#refuse(descriptor);
    this.#watches.set(descriptor, onSignal);
    return {
      send: () => {},
      close: () => {
        if (this.#watches.delete(descriptor)) this.#descriptors.close(descriptor);
      },
    };
  }

  watchEdges(descriptor: number, onSignal: () => void): Channel {
    return this.watch(descriptor, onSignal);
  }

  spawn(): Child {
    throw new Error('a fake hub starts nothing');
  }

  /** Connects to whoever listens at `path`. */
  connect(path: string): FakeSocket {
    const onConnection = this.#listeners.get(path);
    if (!onConnection) throw new Error(`nobody listens at ${path}`);
    const { descriptor, other } = this.#descriptors.socketPair();
    onConnection(descriptor);
    return other;
  }

  poll(): number {
    let called = 0;
    for (const [descriptor, handler] of [...this.#channels]) {
      if (this.#channels.get(descriptor) !== handler) continue;
      const socket = this.#descriptors.get(descriptor) as FakeSocket;
      while (this.#channels.get(descriptor) === handler && socket.inbox.length > 0) {
        const piece = socket.inbox.shift();
        if (piece) handler.onData(piece.bytes, piece.descriptors);
        called++;
      }
      for (const piece of this.#channels.has(descriptor) ? [] : socket.inbox.splice(0)) {
        for (const left of piece.descriptors) this.#descriptors.close(left);
      }
      if (socket.peer.closed && this.#channels.delete(descriptor)) {
        this.#descriptors.close(descriptor);
        handler.onClose('the peer closed the connection');
        called++;
      }
    }
    for (const [descriptor, onSignal] of [...this.#watches]) {
      if (!this.#watches.has(descriptor)) continue;
      const event = this.#descriptors.get(descriptor) as FakeEvent;
      if (event.count === 0) continue;
      event.count = 0;
      onSignal();
      called++;
    }
    return called;
  }

  close(): void {
    for (const descriptor of [...this.#channels.keys(), ...this.#watches.keys()])
      this.#descriptors.close(descriptor);
    this.#channels.clear();
    this.#watches.clear();
  }

  #refuse(descriptor: number): never {
    this.#descriptors.close(descriptor);
    throw new Error('epoll_ctl: Operation not permitted');
  }
}
