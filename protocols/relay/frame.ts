// SPDX-License-Identifier: MIT
import { OneclockError } from '../../backend/errors.js';
import { MAX_RELAY_DATA, RELAY_HEADER, RelayFrame } from './constants.js';

export interface Frame {
  readonly connection: number;
  /** One of {@link RelayFrame}. */
  readonly type: number;
  readonly body: Uint8Array;
}

const NOTHING = new Uint8Array();
const CREDIT_BYTES = 4;

export function encodeFrame(connection: number, type: number, body: Uint8Array = NOTHING): Uint8Array {
  const bytes = new Uint8Array(RELAY_HEADER + body.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, connection, true);
  view.setUint8(4, type);
  view.setUint16(6, body.length, true);
  bytes.set(body, RELAY_HEADER);
  return bytes;
}

export function encodeCredit(connection: number, room: number): Uint8Array {
  const body = new Uint8Array(CREDIT_BYTES);
  new DataView(body.buffer).setUint32(0, room, true);
  return encodeFrame(connection, RelayFrame.CREDIT, body);
}

export function readCredit({ body }: Frame): number {
  return new DataView(body.buffer, body.byteOffset, body.length).getUint32(0, true);
}

/** Reads the frames of a relay from its stream, in whatever pieces it comes. */
export class FrameReader {
  readonly #header = new Uint8Array(RELAY_HEADER);
  readonly #view = new DataView(this.#header.buffer);
  #body: Uint8Array | undefined;
  #filled = 0;

  /**
   * Takes the next bytes and hands over the frames that they complete, whose bodies are the receiver's.
   *
   * @throws OneclockError PARTICIPANT for what is no frame of a relay; the stream is of no use any more
   */
  push(bytes: Uint8Array, take: (frame: Frame) => void): void {
    for (let at = 0; at < bytes.length || this.#isWhole(); ) {
      const target = this.#body ?? this.#header;
      const part = bytes.subarray(at, at + target.length - this.#filled);
      target.set(part, this.#filled);
      this.#filled += part.length;
      at += part.length;
      if (this.#filled < target.length) continue;
      this.#filled = 0;
      if (this.#body === undefined) {
        this.#body = new Uint8Array(this.#checkHeader());
      } else {
        const body = this.#body;
        this.#body = undefined;
        take({ connection: this.#view.getUint32(0, true), type: this.#view.getUint8(4), body });
      }
    }
  }

  /** A header is there to which nothing belongs. */
  #isWhole(): boolean {
    return this.#body?.length === 0;
  }

  /** @returns how many bytes belong to it */
  #checkHeader(): number {
    const [type, zero, size] = [
      this.#view.getUint8(4),
      this.#view.getUint8(5),
      this.#view.getUint16(6, true),
    ];
    const expected = type === RelayFrame.DATA ? size : type === RelayFrame.CREDIT ? CREDIT_BYTES : 0;
    const known =
      type === RelayFrame.DATA ||
      type === RelayFrame.CREDIT ||
      type === RelayFrame.CLOSE ||
      type === RelayFrame.READY;
    if (known && zero === 0 && size === expected && size <= MAX_RELAY_DATA) return size;
    const found = Buffer.from(this.#header).toString('hex');
    throw new OneclockError('PARTICIPANT', `relay: expected the header of a frame, found ${found}`);
  }
}
