// SPDX-License-Identifier: MIT
import type { Duplex } from 'node:stream';
import { encodeFrame, type Frame, FrameReader, RelayFrame, readCredit } from '../../protocols/relay/index.js';
import { RelayedConnection } from './relayed-connection.js';

/** The controller's side of the relay in a virtual board: connections to the agent there, one at a time. */
export class Relay {
  #reader = new FrameReader();
  #connection: RelayedConnection | undefined;
  #last = 0;

  /** @param send takes bytes on their way into the guest; returns whether it could */
  constructor(private readonly send: (bytes: Uint8Array) => boolean) {}

  /**
   * Connects to the agent, as soon as it listens. The connection before this one is destroyed. That the agent is not
   * there shows in an end without data, or in nothing.
   */
  dial(): Duplex {
    this.#connection?.destroy();
    this.#last += 1;
    const say = (frame: Uint8Array) => {
      // Credit is less than what may wait: only connections without number get here.
      if (!this.send(frame)) connection.destroy(new Error('the guest takes no input any more'));
    };
    const connection: RelayedConnection = new RelayedConnection(this.#last, say, () => {
      if (this.#connection === connection) this.#connection = undefined;
    });
    this.#connection = connection;
    say(encodeFrame(this.#last, RelayFrame.OPEN));
    return connection;
  }

  /** Bytes from the guest. @throws OneclockError PARTICIPANT for what no relay says */
  take(bytes: Uint8Array): void {
    this.#reader.push(bytes, (frame) => this.#handle(frame));
  }

  /** The relay in the guest is gone; a new one may come. */
  lost(): void {
    this.#reader = new FrameReader();
    this.#connection?.hangUp();
  }

  #handle(frame: Frame): void {
    const connection = this.#connection;
    if (frame.connection !== connection?.number) return;
    if (frame.type === RelayFrame.DATA) connection.receive(frame.body);
    else if (frame.type === RelayFrame.CREDIT) connection.addCredit(readCredit(frame));
    else if (frame.type === RelayFrame.CLOSE) connection.hangUp();
  }
}
