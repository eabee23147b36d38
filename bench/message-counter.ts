// SPDX-License-Identifier: MIT
import { basename } from 'node:path';
import { type Channel, type ChannelHandler, NativeHub } from '../host/native/index.js';
import { MessageDecoder, opName } from '../protocols/um-timetravel/index.js';

/** The name of every guest's time socket. */
const TIME_SOCKET = 'time';

/** Messages on time sockets, by kind. */
export interface MessageCounts {
  readonly fromGuests: Readonly<Record<string, number>>;
  readonly toGuests: Readonly<Record<string, number>>;
}

/**
 * Counts the messages on the time sockets of whatever `action` runs in this process. It listens in on the hub,
 * whose methods are its own again afterwards: a run that nobody counts has nothing of this in its way.
 */
export async function countMessages<T>(action: () => Promise<T>): Promise<[T, MessageCounts]> {
  const hub = NativeHub.prototype;
  const { listen, open } = hub;
  const timeSockets = new Set<number>();
  const fromGuests: Record<string, number> = {};
  const toGuests: Record<string, number> = {};
  const counting = (counts: Record<string, number>) => {
    const decoder = new MessageDecoder();
    return (bytes: Uint8Array) =>
      decoder.push(bytes, (op) => {
        counts[opName(op)] = (counts[opName(op)] ?? 0) + 1;
      });
  };
  hub.listen = function (this: NativeHub, path, onConnection) {
    return listen.call(this, path, (descriptor) => {
      if (basename(path) === TIME_SOCKET) timeSockets.add(descriptor);
      onConnection(descriptor);
    });
  };
  hub.open = function (this: NativeHub, descriptor, handler): Channel {
    if (!timeSockets.delete(descriptor)) return open.call(this, descriptor, handler);
    const [received, sent] = [counting(fromGuests), counting(toGuests)];
    const heard: ChannelHandler = {
      onData: (bytes, descriptors) => {
        received(bytes);
        handler.onData(bytes, descriptors);
      },
      onClose: (reason) => handler.onClose(reason),
    };
    const channel = open.call(this, descriptor, heard);
    return {
      send: (bytes, descriptors) => {
        sent(bytes);
        channel.send(bytes, descriptors);
      },
      close: () => channel.close(),
    };
  };
  try {
    return [await action(), { fromGuests, toGuests }];
  } finally {
    hub.listen = listen;
    hub.open = open;
  }
}
