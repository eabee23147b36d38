// SPDX-License-Identifier: MIT
import {
  decodeToBoard,
  encodeFromBoard,
  type FromBoardBody,
  MAX_BOARD_MESSAGE,
  MessageReader,
  type ToBoard,
} from '../../protocols/board/index.js';
import type { AgentBounds } from './bounds.js';
import type { SecureConnection } from './secure-listener.js';

export interface ControllerHandlers {
  /** What it throws ends the connection. */
  message(message: ToBoard): void;
  /** The connection is gone. Called once. */
  closed(reason: string): void;
}

/** A connection to a controller that has proven the key. */
export class ControllerConnection {
  readonly peer: string;
  readonly #reader: MessageReader<ToBoard>;
  #silence: NodeJS.Timeout | undefined;
  #handlers: ControllerHandlers | undefined;

  constructor(
    private readonly connection: SecureConnection,
    private readonly bounds: Pick<AgentBounds, 'silentMs' | 'unreadBytes'>,
    handlers: ControllerHandlers,
  ) {
    this.peer = `controller ${connection.peer} (for ${connection.identity})`;
    this.#handlers = handlers;
    this.#reader = new MessageReader(this.peer, MAX_BOARD_MESSAGE, decodeToBoard);
    const { socket } = connection;
    socket.on('data', (bytes) => this.#take(bytes));
    socket.on('end', () => this.close('it closed the connection'));
    socket.on('error', (error) => this.close(error.message));
    socket.on('close', () => this.close('the connection is closed'));
  }

  /** The controller has said a good Hello: from now on, time runs only while it is silent. */
  accept(): void {
    this.connection.accept();
    this.#listen();
  }

  send(bytes: Uint8Array): void {
    if (this.#handlers === undefined) return;
    const { socket } = this.connection;
    socket.write(bytes);
    if (socket.writableLength > this.bounds.unreadBytes)
      this.close(`it has left ${socket.writableLength} bytes unread`);
  }

  /** Sends what has no number. */
  say(body: FromBoardBody): void {
    this.send(encodeFromBoard({ sequence: 0, request: 0, body }));
  }

  /**
   * Ends the connection when everything was sent, or when the other end does not take it within its time. No handler
   * is called any more.
   */
  finish(): void {
    this.#detach();
    const { socket } = this.connection;
    const limit = setTimeout(() => socket.destroy(), this.bounds.silentMs);
    socket.once('close', () => clearTimeout(limit));
    socket.end();
  }

  close(reason: string): void {
    const handlers = this.#detach();
    this.connection.socket.destroy();
    handlers?.closed(reason);
  }

  #take(bytes: Uint8Array): void {
    try {
      this.#reader.push(bytes, (message) => {
        if (this.#handlers === undefined) return;
        if (this.#silence !== undefined) this.#listen();
        this.#handlers.message(message);
      });
    } catch (error) {
      this.close((error as Error).message);
    }
  }

  #listen(): void {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(
      () => this.close(`it has said nothing for ${this.bounds.silentMs} ms`),
      this.bounds.silentMs,
    );
  }

  /** No handler is called any more. @returns those that were there */
  #detach(): ControllerHandlers | undefined {
    clearTimeout(this.#silence);
    const handlers = this.#handlers;
    this.#handlers = undefined;
    return handlers;
  }
}
