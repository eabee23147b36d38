// SPDX-License-Identifier: MIT
import { closeSync, readSync, writeSync } from 'node:fs';
import { addon, type Channel, type Hub } from '../../host/native/index.js';
import type { SerialLine } from '../serial/index.js';

/** As much as is read of a pipe at once; it holds no more. */
const PIPE_BYTES = 65_536;
/** As much as goes into a socket in one piece, so that the guest is interrupted once. */
const PIECE_BYTES = 4096;

/** What the guest's process is given of a line. */
export interface SerialDescriptors {
  readonly name: string;
  /** The guest reads from the first and writes to the second, and to the third, where there is one, acknowledgements. */
  readonly descriptors: readonly number[];
}

/** What a line of a guest tells the guest. */
export interface UmlSerialHost {
  /** Something is to be given to the guest: `deliver`, when it may be disturbed. `done`: it has been. */
  raise(deliver: (done: () => void) => void): void;
  /** The guest has closed its end of the line. */
  lost(reason: string): void;
}

/**
 * A line of a User-Mode Linux guest: its input, its output and its acknowledgements. A byte of the last says that the guest may be sent input: it has opened
 * the line, or has taken the interrupt of what it was sent before.
 */
export class UmlSerial {
  /** Whether the guest's driver has the line open; one that does not say is taken to. */
  #listening: boolean;
  readonly #buffer = new Uint8Array(PIPE_BYTES);
  readonly #input: number;
  readonly #output: number;
  #acknowledgements: { readonly descriptor: number; readonly channel: Channel } | undefined;
  /** The guest's own ends; none once it has been started. */
  #guestEnds: readonly number[];
  /** What waits for an acknowledgement. */
  #done: (() => void) | undefined;
  #closed = false;

  constructor(
    private readonly line: SerialLine,
    private readonly host: UmlSerialHost,
    hub: Hub,
  ) {
    // A write for which a pipe has no room signals its reader all the same, and a guest may not be disturbed unseen.
    const [input, toGuest] = addon.socketPair();
    const [fromGuest, output] = addon.pipe();
    this.#input = toGuest;
    this.#output = fromGuest;
    for (const descriptor of [toGuest, fromGuest]) addon.setNonBlocking(descriptor);
    this.#listening = !line.acknowledged;
    if (line.acknowledged) {
      const [descriptor, acknowledge] = addon.pipe();
      const channel = hub.open(descriptor, {
        onData: ({ length }) => this.#acknowledged(length),
        onClose: (reason) => {
          this.#acknowledgements = undefined;
          this.#listening = false;
          this.#settle();
          if (!this.#closed) this.host.lost(reason);
        },
      });
      this.#acknowledgements = { descriptor, channel };
      this.#guestEnds = [input, output, acknowledge];
    } else {
      this.#guestEnds = [input, output];
    }
    const port = this;
    line.connect({
      get listening() {
        return port.#listening && !port.#closed;
      },
      send: (bytes) => {
        for (let from = 0; from < bytes.length; from += PIECE_BYTES) {
          const piece = bytes.subarray(from, from + PIECE_BYTES);
          this.host.raise((done) => this.#deliver(piece, done));
        }
      },
    });
  }

  get guestEnd(): SerialDescriptors {
    return { name: this.line.name, descriptors: this.#guestEnds };
  }

  get acknowledged(): boolean {
    return this.line.acknowledged;
  }

  /** The guest's process has its ends. */
  started(): void {
    for (const descriptor of this.#guestEnds) closeSync(descriptor);
    this.#guestEnds = [];
  }

  /** Takes what the guest has written by now, at its present time. */
  collect(): void {
    if (this.#closed) return;
    const acknowledgements = this.#acknowledgements;
    // That it has opened the line is known by the time at which it did so.
    if (acknowledgements && !this.#listening) this.#acknowledged(this.#read(acknowledgements.descriptor));
    const length = this.#read(this.#output);
    if (length > 0) this.line.owner.output(this.#buffer.subarray(0, length));
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.started();
    this.#acknowledgements?.channel.close();
    closeSync(this.#input);
    closeSync(this.#output);
    this.#settle();
  }

  #deliver(bytes: Uint8Array, done: () => void): void {
    const written = this.#closed ? 0 : this.#write(bytes);
    this.line.lose(bytes.length - written);
    if (written === 0) return done();
    this.line.owner.input(bytes.subarray(0, written));
    this.#done = done;
    if (!this.line.acknowledged) this.#settle();
  }

  #acknowledged(count: number): void {
    if (count === 0 || this.#closed) return;
    this.#listening = true;
    this.#settle();
  }

  #settle(): void {
    const done = this.#done;
    this.#done = undefined;
    done?.();
  }

  /** @returns how many bytes there were */
  #read(descriptor: number): number {
    return unlessFull(() => readSync(descriptor, this.#buffer));
  }

  /** @returns how many bytes there was room for */
  #write(bytes: Uint8Array): number {
    return unlessFull(() => writeSync(this.#input, bytes));
  }
}

/** What `action` returns; 0 where there is no room, or nothing to read, or where nobody has its other end. */
function unlessFull(action: () => number): number {
  try {
    return action();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EAGAIN' && code !== 'EPIPE') throw error;
    return 0;
  }
}
