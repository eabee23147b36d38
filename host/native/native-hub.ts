// SPDX-License-Identifier: MIT
import { closeSync, rmSync } from 'node:fs';
import { getSystemErrorName } from 'node:util';
import { OneclockError } from '../../backend/errors.js';
import { addon, EVENT_WORDS, EventKind, type NativeHub as Native, SourceKind } from './addon.js';
import { type FrameChannel, type FrameHandler, type FrameHub, packetError } from './frames.js';
import type { Channel, ChannelHandler, Child, Exit, Hub, Listener, SpawnOptions } from './hub.js';

const NO_DESCRIPTORS: readonly number[] = [];

/** `errno` as its name and number, for messages. */
function errnoText(errno: number): string {
  return errno === 0 ? 'the peer closed the connection' : `${getSystemErrorName(-errno)} (errno ${errno})`;
}

/** What the hub does when something happened to a source. */
interface Source {
  onEvent(kind: number, value: number, dataOffset: number, descriptors: readonly number[]): void;
}

/** {@link Hub} on epoll. */
export class NativeHub implements Hub, FrameHub {
  readonly #native: Native = new addon.Hub();
  readonly #events = new Uint32Array(this.#native.events);
  readonly #data = this.#native.data;
  readonly #descriptors = new Int32Array(this.#native.descriptors);
  readonly #sources = new Map<number, Source>();
  /** Channels whose peer was found gone while sending; their handlers hear of it in the next poll. */
  #failed: (() => void)[] = [];

  open(descriptor: number, handler: ChannelHandler): Channel {
    const id = this.#native.add(descriptor, SourceKind.STREAM);
    this.#sources.set(id, {
      onEvent: (kind, value, dataOffset, descriptors) => {
        if (kind === EventKind.DATA) {
          handler.onData(new Uint8Array(this.#data, dataOffset, value), descriptors);
        } else {
          this.#drop(id);
          handler.onClose(errnoText(value));
        }
      },
    });
    return {
      send: (bytes, descriptors) => {
        if (!this.#sources.has(id)) return;
        const errno = this.#native.send(id, bytes, descriptors ?? NO_DESCRIPTORS);
        if (errno === 0) return;
        this.#drop(id);
        this.#failed.push(() => handler.onClose(errnoText(errno)));
      },
      close: () => this.#drop(id),
    };
  }

  listen(path: string, onConnection: (descriptor: number) => void): Listener {
    const id = this.#attempt(
      () => this.#native.listen(path),
      'INPUT',
      'choose another path, or remove the file if nobody uses it',
    );
    this.#sources.set(id, {
      onEvent: (_kind, _value, _offset, descriptors) => {
        for (const descriptor of descriptors) onConnection(descriptor);
      },
    });
    return {
      close: () => {
        if (!this.#drop(id)) return;
        rmSync(path, { force: true });
      },
    };
  }

  watch(descriptor: number, onSignal: () => void): Channel {
    return this.#watch(descriptor, SourceKind.SIGNAL, onSignal);
  }

  watchEdges(descriptor: number, onSignal: () => void): Channel {
    return this.#watch(descriptor, SourceKind.EDGE, onSignal);
  }

  #watch(descriptor: number, kind: number, onSignal: () => void): Channel {
    const id = this.#native.add(descriptor, kind);
    this.#sources.set(id, {
      onEvent: (kind) => {
        if (kind === EventKind.CLOSED) this.#drop(id);
        else onSignal();
      },
    });
    return {
      send: (bytes) => {
        this.#native.send(id, bytes);
      },
      close: () => this.#drop(id),
    };
  }

  openPacket(name: string, handler: FrameHandler): FrameChannel {
    let id: number;
    try {
      id = this.#native.openPacket(name);
    } catch (cause) {
      throw packetError(name, cause as Error);
    }
    this.#sources.set(id, {
      onEvent: (kind, value, dataOffset) => {
        if (kind === EventKind.FRAME) {
          handler.onFrame(new Uint8Array(this.#data, dataOffset, value));
        } else if (kind === EventKind.LOST) {
          handler.onLost();
        } else {
          this.#drop(id);
          handler.onClose(errnoText(value));
        }
      },
    });
    return {
      send: (frame) => this.#native.sendFrame(id, frame) === 0,
      missed: () => this.#native.missedFrames(id),
      close: () => this.#drop(id),
    };
  }

  spawn(options: SpawnOptions, onExit: (exit: Exit) => void): Child {
    const environment = Object.entries(options.env).map(([name, value]) => `${name}=${value}`);
    const argv = [options.file, ...options.args];
    const [pid, handle] = this.#attempt(
      () => addon.spawn(options.file, argv, environment, options.cwd, options.stdio),
      'MACHINE',
      `is ${options.file} there and executable?`,
    );
    const id = this.#native.add(handle, SourceKind.CHILD);
    let gone = false;
    this.#sources.set(id, {
      onEvent: (_kind, value, dataOffset) => {
        gone = true;
        this.#drop(id);
        const cpuMs = Number(new DataView(this.#data).getBigUint64(dataOffset, true)) / 1000;
        onExit(value > 0xff || value === 0 ? { code: value >> 8, cpuMs } : { signal: value, cpuMs });
      },
    });
    return {
      pid,
      kill: (signal) => {
        if (gone) return;
        try {
          process.kill(-pid, signal);
        } catch {
          // The group has ended on its own; its exit is on its way to `onExit`.
        }
      },
    };
  }

  poll(timeoutMs: number): number {
    const failed = this.#failed;
    if (failed.length > 0) {
      this.#failed = [];
      for (const report of failed) report();
      return failed.length;
    }
    const count = this.#native.poll(timeoutMs);
    const events = this.#events;
    for (let i = 0; i < count; i++) {
      const at = i * EVENT_WORDS;
      const source = this.#sources.get(events[at] as number);
      const descriptorCount = events[at + 5] as number;
      const first = events[at + 4] as number;
      const descriptors =
        descriptorCount === 0
          ? NO_DESCRIPTORS
          : Array.from(this.#descriptors.subarray(first, first + descriptorCount));
      if (source) {
        source.onEvent(
          events[at + 1] as number,
          events[at + 2] as number,
          events[at + 3] as number,
          descriptors,
        );
      } else {
        for (const descriptor of descriptors) closeSync(descriptor);
      }
    }
    return count;
  }

  close(): void {
    for (const id of [...this.#sources.keys()]) this.#drop(id);
    this.#failed = [];
  }

  #drop(id: number): boolean {
    if (!this.#sources.delete(id)) return false;
    this.#native.remove(id);
    return true;
  }

  #attempt<T>(action: () => T, code: 'INPUT' | 'MACHINE', advice: string): T {
    try {
      return action();
    } catch (cause) {
      throw new OneclockError(code, `${(cause as Error).message}: ${advice}`, { cause });
    }
  }
}
