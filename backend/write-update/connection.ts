// SPDX-License-Identifier: MIT
import {
  CREDIT_STEP,
  decodeWriteUpdate,
  encodeWriteUpdate,
  MAX_WRITE_UPDATE_MESSAGE,
  MESSAGE_COST,
  type MemberMessage,
  MessageReader,
  WINDOW,
  WRITE_UPDATE_VERSION,
  type WriteUpdateMessage,
} from '../../protocols/write-update/index.js';
import { OneclockError } from '../errors.js';
import type { Method } from './order.js';

/** How long the other end may take to say Hello; wall time. */
export const HELLO_MS = 5_000;
/** Bytes that wait for an end that does not read; then it counts as lost. */
export const MAX_WAITING = 4_194_304;

/** The stream that a connection uses: a Channel of host/native has it. */
export interface Pipe {
  send(bytes: Uint8Array): void;
  close(): void;
}

/** What the stream brings; never called before {@link OpenPipe} has returned. */
export interface PipeHandler {
  onData(bytes: Uint8Array): void;
  onClose(reason: string): void;
}

export type OpenPipe = (handler: PipeHandler) => Pipe;

export interface ConnectionHandler {
  message(message: MemberMessage): void;
  /** The other end has gone or broken the protocol. Called once at most, and not for {@link Connection.close}. */
  closed(error: OneclockError): void;
}

/**
 * Messages of a group between two controllers, in order, over a stream. No more is ever under way than the other end
 * has room for, so neither end waits for the other; what has to wait, waits here, up to {@link MAX_WAITING}.
 */
export class Connection {
  readonly #pipe: Pipe;
  readonly #reader: MessageReader<WriteUpdateMessage>;
  readonly #since = performance.now();
  /** What each message under way counts, the oldest first. */
  readonly #underWay: number[] = [];
  #load = 0;
  /** Messages of which the other end has said that it has read them. */
  #credited = 0;
  /** Messages that wait for credit, the oldest at `#first`. */
  #waiting: Uint8Array[] = [];
  #first = 0;
  #waitingBytes = 0;
  /** Messages that were read, Credit left out. */
  #read = 0;
  /** What those count that no Credit has told of. */
  #owed = 0;
  #greeted = false;
  #over = false;

  /** @param peer how errors call the other end */
  constructor(
    open: OpenPipe,
    readonly peer: string,
    private readonly method: Method,
    private readonly handler: ConnectionHandler,
  ) {
    let size = 0;
    this.#reader = new MessageReader(peer, MAX_WRITE_UPDATE_MESSAGE, (bytes) => {
      size = bytes.length;
      return decodeWriteUpdate(bytes);
    });
    this.#pipe = open({
      onData: (bytes) => this.#guard(() => this.#reader.push(bytes, (message) => this.#take(message, size))),
      onClose: (reason) => this.#lose(this.#error(`the connection is lost: ${reason}`)),
    });
    this.#post(encodeWriteUpdate({ member: 0, hello: { version: WRITE_UPDATE_VERSION, method } }));
  }

  /** Nothing is sent or taken any more. */
  get over(): boolean {
    return this.#over;
  }

  /** Messages that wait until the other end has read more. */
  get waiting(): number {
    return this.#waiting.length - this.#first;
  }

  /** Sends now or when there is room. A connection that is over drops it. */
  send(message: MemberMessage): void {
    if (this.#over) return;
    const bytes = encodeWriteUpdate(message);
    if (this.#load < WINDOW && this.waiting === 0) return this.#post(bytes);
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    if (this.#waitingBytes > MAX_WAITING) {
      this.fail(`expected an end that reads, found ${this.#waitingBytes} bytes that wait for it`);
    }
  }

  /** To be called now and then. @param nowMs performance.now() */
  check(nowMs: number): void {
    if (this.#greeted || nowMs - this.#since < HELLO_MS) return;
    this.fail(`expected a Hello within ${HELLO_MS} ms, found none`);
  }

  /** Ends the connection for what the other end did. */
  fail(text: string): void {
    this.#lose(this.#error(text));
  }

  /** Safe to call twice. */
  close(): void {
    if (this.#over) return;
    this.#over = true;
    this.#waiting = [];
    this.#pipe.close();
  }

  #take(message: WriteUpdateMessage, size: number): void {
    // What came behind the fault, in the same piece.
    if (this.#over) return;
    if ('credit' in message) return this.#takeCredit(message.credit.messages);
    this.#read += 1;
    this.#owed += size + MESSAGE_COST;
    if (this.#owed >= CREDIT_STEP) {
      this.#owed = 0;
      this.#pipe.send(encodeWriteUpdate({ member: 0, credit: { messages: this.#read } }));
    }
    if ('hello' in message) return this.#takeHello(message.hello.version, message.hello.method);
    if (!this.#greeted) return this.fail('expected a Hello first, found another message');
    this.handler.message(message);
  }

  #takeHello(version: number, method: string): void {
    if (this.#greeted) return this.fail('expected one Hello, found another');
    if (version !== WRITE_UPDATE_VERSION || method !== this.method) {
      const expected = `version ${WRITE_UPDATE_VERSION} and the method ${this.method}`;
      return this.fail(`expected ${expected}, found version ${version} and ${method}`);
    }
    this.#greeted = true;
  }

  #takeCredit(messages: number): void {
    const most = this.#credited + this.#underWay.length;
    if (messages <= this.#credited || messages > most) {
      return this.fail(`expected a credit of ${this.#credited + 1} to ${most} messages, found ${messages}`);
    }
    for (const cost of this.#underWay.splice(0, messages - this.#credited)) this.#load -= cost;
    this.#credited = messages;
    while (!this.#over && this.#load < WINDOW && this.#first < this.#waiting.length) {
      const bytes = this.#waiting[this.#first++] as Uint8Array;
      this.#waitingBytes -= bytes.length;
      this.#post(bytes);
    }
    // Not shift(): that of a long array moves all of it.
    if (this.#first * 2 < this.#waiting.length) return;
    this.#waiting.splice(0, this.#first);
    this.#first = 0;
  }

  #post(bytes: Uint8Array): void {
    const cost = bytes.length + MESSAGE_COST;
    this.#underWay.push(cost);
    this.#load += cost;
    this.#pipe.send(bytes);
  }

  #guard(action: () => void): void {
    if (this.#over) return;
    try {
      action();
    } catch (error) {
      // A fault of ours is nobody else's.
      if (!(error instanceof OneclockError) || error.code !== 'PARTICIPANT') throw error;
      this.#lose(error);
    }
  }

  #lose(error: OneclockError): void {
    if (this.#over) return;
    this.close();
    this.handler.closed(error);
  }

  #error(text: string): OneclockError {
    return new OneclockError('PARTICIPANT', `${this.peer}: ${text}`);
  }
}
