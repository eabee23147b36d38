// SPDX-License-Identifier: MIT
import { constants } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { connect, type TLSSocket } from 'node:tls';
import {
  BOARD_CIPHERS,
  BOARD_TLS_VERSION,
  decodeFromBoard,
  encodeToBoard,
  type FromBoard,
  MAX_BOARD_MESSAGE,
  MessageReader,
  type ToBoard,
} from '../../protocols/board/index.js';
import { OneclockError } from '../errors.js';

/** Where a board's agent listens: at a TCP port, or at the other end of a stream that `dial` makes. */
export type BoardPlace =
  | { readonly host: string; readonly port: number }
  | {
      readonly dial: () => Duplex;
      /** For errors: `the relay`. */
      readonly by: string;
    };

/** Where a board is, and what proves to both ends that they are the right ones. */
export interface BoardAddress {
  /** What the controller calls the board: it is told so. */
  readonly name: string;
  readonly at: BoardPlace;
  readonly key: Buffer;
}

/** A place as errors call it. */
export function placeText(at: BoardPlace): string {
  return 'dial' in at ? at.by : `${at.host}:${at.port}`;
}

export interface BoardConnectionHandlers {
  /** Both ends have proven the key. */
  secured(): void;
  /** What it throws ends the connection. @param size bytes of it, without the size before it */
  message(message: FromBoard): void;
  /**
   * The connection is gone, or never came. Called once.
   *
   * @param final trying again would give the same; then the reason begins with the board's name
   */
  closed(reason: string, final: boolean): void;
}

/** What the other end, or its absence of TLS, says to a key that is not its own. */
const WRONG_KEY = /^ERR_SSL_.*(?:BAD_RECORD_MAC|DECRYPT_ERROR|DECRYPTION_FAILED|UNKNOWN_PSK_IDENTITY)/;
const OTHER_PROTOCOL = /^ERR_SSL_.*(?:WRONG_VERSION_NUMBER|HANDSHAKE_FAILURE|PROTOCOL_VERSION|PACKET_LENGTH)/;

/** One connection to a board's agent. */
export class BoardConnection {
  /** Bytes that have arrived. */
  bytes = 0;
  readonly #socket: TLSSocket;
  /** What it runs over, where that is not its own. */
  readonly #dialled: Duplex | undefined;
  readonly #reader: MessageReader<FromBoard>;
  #handlers: BoardConnectionHandlers | undefined;
  #secured = false;

  constructor(
    private readonly address: BoardAddress,
    handlers: BoardConnectionHandlers,
  ) {
    const { name, at, key } = address;
    this.#handlers = handlers;
    this.#reader = new MessageReader(name, MAX_BOARD_MESSAGE, decodeFromBoard);
    this.#dialled = 'dial' in at ? at.dial() : undefined;
    this.#socket = connect({
      ...('dial' in at ? { socket: this.#dialled } : at),
      ciphers: BOARD_CIPHERS,
      minVersion: BOARD_TLS_VERSION,
      maxVersion: BOARD_TLS_VERSION,
      secureOptions: constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_NO_TICKET,
      pskCallback: () => ({ psk: key, identity: name }),
      // There are no certificates: who has no key cannot end the handshake.
      checkServerIdentity: () => undefined,
    });
    this.#socket.setNoDelay(true);
    this.#socket.on('secureConnect', () => {
      this.#secured = true;
      this.#handlers?.secured();
    });
    this.#socket.on('data', (bytes) => this.#take(bytes));
    this.#socket.on('end', () => this.#end('it closed the connection', false));
    this.#socket.on('error', (error) => this.#failed(error));
    this.#socket.on('close', () => this.#end('the connection was closed', false));
  }

  send(message: ToBoard): void {
    if (this.#handlers !== undefined) this.#socket.write(encodeToBoard(message));
  }

  /** No handler is called any more. */
  close(): void {
    this.#handlers = undefined;
    this.#socket.destroy();
    this.#dialled?.destroy();
  }

  #take(bytes: Uint8Array): void {
    this.bytes += bytes.length;
    try {
      this.#reader.push(bytes, (message) => this.#handlers?.message(message));
    } catch (error) {
      // Anything else is a defect of ours, and not the board's.
      if (!(error instanceof OneclockError) || error.code !== 'PARTICIPANT') throw error;
      this.#end(error.message, true);
    }
  }

  #failed(error: NodeJS.ErrnoException): void {
    const code = error.code ?? '';
    const { name, at } = this.address;
    if (!this.#secured && WRONG_KEY.test(code)) {
      this.#end(`${name}: the agent at ${placeText(at)} has another key: give both the same key file`, true);
    } else if (!this.#secured && OTHER_PROTOCOL.test(code)) {
      this.#end(`${name}: what listens at ${placeText(at)} is no board agent (${code})`, true);
    } else {
      this.#end(error.message, false);
    }
  }

  #end(reason: string, final: boolean): void {
    const handlers = this.#handlers;
    this.close();
    handlers?.closed(reason, final);
  }
}
