// SPDX-License-Identifier: MIT
import { closeSync, readSync } from 'node:fs';
import { createRequire } from 'node:module';
import { endianness } from 'node:os';
import { OneclockError } from '../../backend/errors.js';
import { addon, type Hub } from '../native/index.js';
import {
  attempt,
  type Direction,
  type EdgeListener,
  expectDirection,
  type Level,
  type Line,
  lineError,
} from './line.js';
import { LineEvent, LineEventId, LineFlag } from './uapi.js';

/** What is used of the npm package epoll. */
interface Epoll {
  add(descriptor: number, events: number): void;
  remove(descriptor: number): void;
  close(): void;
}

interface EpollClass {
  new (callback: (error: Error | null, descriptor: number, events: number) => void): Epoll;
  readonly EPOLLIN: number;
}

/** Edges that are read at once. */
const EVENTS = 16;
const little = endianness() === 'LE';

/** Loaded when it is first needed: it is an optional package, since it has to be compiled. */
function load(): EpollClass {
  try {
    return (createRequire(import.meta.url)('epoll') as { Epoll: EpollClass }).Epoll;
  } catch (cause) {
    throw new OneclockError('MACHINE', 'edges of lines need the npm package epoll: run "npm install epoll"', {
      cause,
    });
  }
}

export interface DeviceLineOptions {
  /** What it is from the beginning: an input, or an output that drives `level`. */
  readonly direction?: Direction;
  readonly level?: Level;
  /** What it is as an output. */
  readonly drive?: 'push-pull' | 'open-drain';
  /** Who hears its edges, in his `poll`; without one, Node.js's event loop does, by the npm package epoll. */
  readonly hub?: Pick<Hub, 'open'>;
}

/** A line by the GPIO character device. The kernel takes it back when this process ends. */
export class DeviceLine implements Line {
  readonly name: string;
  readonly #descriptor: number;
  readonly #events = Buffer.alloc(EVENTS * LineEvent.BYTES);
  #direction: Direction;
  /** Ends the watch that is there. */
  #unwatch: (() => void) | undefined;
  #open = true;

  /**
   * Takes the line.
   *
   * @param chip the path of its chip: `/dev/gpiochip0`
   * @throws OneclockError `MACHINE`, for one where somebody else has it
   */
  constructor(
    chip: string,
    offset: number,
    private readonly options: DeviceLineOptions = {},
  ) {
    const { direction = 'in', level = 0 } = options;
    this.name = `${chip.replace(/^\/dev\//, '')}:${offset}`;
    this.#direction = direction;
    this.#descriptor = attempt(this.name, 'taken', () =>
      addon.requestGpio(chip, offset, this.#flags(direction), level),
    );
  }

  get direction(): Direction {
    return this.#direction;
  }

  read(): Level {
    return attempt(this.name, 'read', () => (addon.readGpio(this.#descriptor) === 0 ? 0 : 1));
  }

  write(level: Level): void {
    expectDirection(this, 'out', 'driven');
    attempt(this.name, 'driven', () => addon.writeGpio(this.#descriptor, level));
  }

  setDirection(direction: Direction, level: Level = 0): void {
    this.#configure(`made an ${direction}put`, this.#flags(direction), level);
    this.#direction = direction;
  }

  watch(listener: EdgeListener): () => void {
    expectDirection(this, 'in', 'watched');
    if (this.#unwatch) throw new OneclockError('MACHINE', `the line ${this.name} is watched already`);
    const { hub } = this.options;
    const Epoll = hub ? undefined : load();
    const { INPUT, EDGE_RISING, EDGE_FALLING } = LineFlag;
    this.#configure('watched', INPUT | EDGE_RISING | EDGE_FALLING, 0);
    const unwatch = Epoll ? this.#hear(Epoll, listener) : this.#hearBy(hub as Pick<Hub, 'open'>, listener);
    this.#unwatch = unwatch;
    return () => {
      if (this.#unwatch !== unwatch) return;
      this.#unwatch = undefined;
      unwatch();
      this.#configure('left alone', INPUT, 0);
    };
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#unwatch?.();
    this.#unwatch = undefined;
    closeSync(this.#descriptor);
  }

  /** Hears of edges in turns of the event loop. @returns what ends it */
  #hear(Epoll: EpollClass, { onEdge, onError }: EdgeListener): () => void {
    let watching = true;
    const epoll = new Epoll((error) => {
      try {
        if (error) throw error;
        // There is at least one, or this would wait.
        const length = readSync(this.#descriptor, this.#events);
        for (const edge of edgesOf(this.#events.subarray(0, length))) if (watching) onEdge(edge);
      } catch (cause) {
        onError(lineError(this.name, 'watched', cause));
      }
    });
    epoll.add(this.#descriptor, Epoll.EPOLLIN);
    return () => {
      watching = false;
      epoll.remove(this.#descriptor);
      epoll.close();
    };
  }

  /** Hears of edges in the polls of `hub`, which closes what it is given. @returns what ends it */
  #hearBy(hub: Pick<Hub, 'open'>, { onEdge, onError }: EdgeListener): () => void {
    let watching = true;
    const descriptor = attempt(this.name, 'watched', () => addon.duplicate(this.#descriptor));
    const channel = hub.open(descriptor, {
      onData: (bytes) => {
        for (const edge of edgesOf(bytes)) if (watching) onEdge(edge);
      },
      onClose: (reason) => onError(lineError(this.name, 'watched', reason)),
    });
    return () => {
      watching = false;
      channel.close();
    };
  }

  #flags(direction: Direction): number {
    if (direction === 'in') return LineFlag.INPUT;
    return LineFlag.OUTPUT | (this.options.drive === 'open-drain' ? LineFlag.OPEN_DRAIN : 0);
  }

  #configure(what: string, flags: number, level: Level): void {
    attempt(this.name, what, () => addon.configureGpio(this.#descriptor, flags, level));
  }
}

/** What the kernel has written of edges. */
function edgesOf(bytes: Uint8Array): { level: Level; at: bigint }[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: Math.floor(bytes.length / LineEvent.BYTES) }, (_, place) => {
    const event = place * LineEvent.BYTES;
    const id = view.getUint32(event + LineEvent.ID, little);
    const at = view.getBigUint64(event + LineEvent.TIMESTAMP, little);
    return { level: id === LineEventId.RISING_EDGE ? 1 : 0, at };
  });
}
