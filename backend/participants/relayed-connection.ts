// SPDX-License-Identifier: MIT
import { Duplex } from 'node:stream';
import {
  encodeCredit,
  encodeFrame,
  MAX_RELAY_DATA,
  RELAY_WINDOW,
  RelayFrame,
} from '../../protocols/relay/index.js';
import { OneclockError } from '../errors.js';

/** Room is given in portions of at least this much: a frame for each read would be one too many. */
const CREDIT_STEP = RELAY_WINDOW / 4;

type Done = (error?: Error | null) => void;

/** The controller's end of one connection through a relay. */
export class RelayedConnection extends Duplex {
  /** What was written and is not sent yet, for want of credit. */
  #unsent: { bytes: Uint8Array; readonly done: Done } | undefined;
  /** Bytes that the relay has room for. */
  #credit = RELAY_WINDOW;
  /** Bytes that may still come, and those that were taken since credit was given. */
  #room = RELAY_WINDOW;
  #taken = 0;
  /** One end has closed it. */
  #over = false;

  /**
   * @param sendFrame takes a frame on its way to the relay, which knows of this connection
   * @param gone told once when nothing comes of it any more
   */
  constructor(
    readonly number: number,
    private readonly sendFrame: (frame: Uint8Array) => void,
    private readonly gone: () => void,
  ) {
    super({ allowHalfOpen: false });
  }

  /** The relay has room for more. */
  addCredit(bytes: number): void {
    this.#credit += bytes;
    this.#send();
  }

  /** Data from the guest. @throws OneclockError PARTICIPANT where it is more than there is room for */
  receive(bytes: Uint8Array): void {
    if (bytes.length > this.#room) {
      throw new OneclockError(
        'PARTICIPANT',
        `relay: expected at most ${this.#room} bytes of data, found ${bytes.length}`,
      );
    }
    this.#room -= bytes.length;
    this.#taken += bytes.length;
    if (bytes.length > 0 && this.push(bytes)) this.#giveCredit();
  }

  /** The guest's end has closed it, or is gone. */
  hangUp(): void {
    this.#over = true;
    this.push(null);
    // Nobody is there to take it: that is for the reader of the end to find out.
    const done = this.#unsent?.done;
    this.#unsent = undefined;
    done?.();
  }

  override _read(): void {
    this.#giveCredit();
  }

  override _write(bytes: Uint8Array, _encoding: BufferEncoding, done: Done): void {
    this.#unsent = { bytes, done };
    this.#send();
  }

  override _final(done: Done): void {
    this.#close();
    this.push(null);
    done();
  }

  override _destroy(error: Error | null, done: Done): void {
    this.#close();
    this.#unsent = undefined;
    this.gone();
    done(error);
  }

  #send(): void {
    const unsent = this.#unsent;
    if (unsent === undefined) return;
    while (unsent.bytes.length > 0 && this.#credit > 0 && !this.#over) {
      const part = unsent.bytes.subarray(0, Math.min(this.#credit, MAX_RELAY_DATA));
      unsent.bytes = unsent.bytes.subarray(part.length);
      this.#credit -= part.length;
      this.sendFrame(encodeFrame(this.number, RelayFrame.DATA, part));
    }
    if (unsent.bytes.length > 0 && !this.#over) return;
    this.#unsent = undefined;
    unsent.done();
  }

  #giveCredit(): void {
    if (this.#over || this.#taken < CREDIT_STEP) return;
    this.sendFrame(encodeCredit(this.number, this.#taken));
    this.#room += this.#taken;
    this.#taken = 0;
  }

  #close(): void {
    if (this.#over) return;
    this.#over = true;
    this.sendFrame(encodeFrame(this.number, RelayFrame.CLOSE));
  }
}
