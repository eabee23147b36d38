// SPDX-License-Identifier: MIT
import { closeSync, readSync } from 'node:fs';
import { createRequire } from 'node:module';
import { endianness } from 'node:os';
import { OneclockError } from '../../backend/errors.js';
import { addon } from '../native/index.js';
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

/** A line by the GPIO character device. The kernel takes it back when this process ends. */
export class DeviceLine implements Line {
  readonly name: string;
  readonly #descriptor: number;
  readonly #events = Buffer.alloc(EVENTS * LineEvent.BYTES);
  #direction: Direction = 'in';
  #epoll: Epoll | undefined;
  #open = true;

  /**
   * Takes the line, as an input.
   *
   * @param chip the path of its chip: `/dev/gpiochip0`
   * @throws OneclockError `MACHINE`, for one where somebody else has it
   */
  constructor(
    chip: string,
    offset: number,
    private readonly drive: 'push-pull' | 'open-drain' = 'push-pull',
  ) {
    this.name = `${chip.replace(/^\/dev\//, '')}:${offset}`;
    this.#descriptor = attempt(this.name, 'taken', () => addon.requestGpio(chip, offset, LineFlag.INPUT, 0));
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
    const openDrain = this.drive === 'open-drain' ? LineFlag.OPEN_DRAIN : 0;
    const flags = direction === 'in' ? LineFlag.INPUT : LineFlag.OUTPUT | openDrain;
    this.#configure(`made an ${direction}put`, flags, level);
    this.#direction = direction;
  }

  watch({ onEdge, onError }: EdgeListener): () => void {
    expectDirection(this, 'in', 'watched');
    if (this.#epoll) throw new OneclockError('MACHINE', `the line ${this.name} is watched already`);
    const { INPUT, EDGE_RISING, EDGE_FALLING } = LineFlag;
    const Epoll = load();
    this.#configure('watched', INPUT | EDGE_RISING | EDGE_FALLING, 0);
    const epoll = new Epoll((error) => {
      try {
        if (error) throw error;
        for (const edge of this.#take()) if (this.#epoll === epoll) onEdge(edge);
      } catch (cause) {
        onError(lineError(this.name, 'watched', cause));
      }
    });
    this.#epoll = epoll;
    epoll.add(this.#descriptor, Epoll.EPOLLIN);
    return () => {
      if (this.#epoll !== epoll) return;
      this.#unwatch();
      this.#configure('left alone', INPUT, 0);
    };
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#unwatch();
    closeSync(this.#descriptor);
  }

  #unwatch(): void {
    this.#epoll?.remove(this.#descriptor);
    this.#epoll?.close();
    this.#epoll = undefined;
  }

  #configure(what: string, flags: number, level: Level): void {
    attempt(this.name, what, () => addon.configureGpio(this.#descriptor, flags, level));
  }

  /** The edges that wait; there is at least one, or this would. */
  #take(): { level: Level; at: bigint }[] {
    const length = readSync(this.#descriptor, this.#events);
    const view = new DataView(this.#events.buffer, this.#events.byteOffset, length);
    return Array.from({ length: Math.floor(length / LineEvent.BYTES) }, (_, place) => {
      const event = place * LineEvent.BYTES;
      const id = view.getUint32(event + LineEvent.ID, little);
      const at = view.getBigUint64(event + LineEvent.TIMESTAMP, little);
      return { level: id === LineEventId.RISING_EDGE ? 1 : 0, at };
    });
  }
}
