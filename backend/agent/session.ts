// SPDX-License-Identifier: MIT
import {
  AGENT_WINDOW,
  type AgentAnswer,
  encodeToGuest,
  type FromGuest,
  MAX_AGENT_CREDIT,
  MAX_AGENT_DATA,
  MAX_AGENT_OPERATIONS,
  type ToGuest,
} from '../../protocols/agent/index.js';
import { OneclockError } from '../errors.js';
import { type Operation, type OperationHost, ProtocolFault } from './operation.js';
import { type ExecEvents, type ExecHandle, type ExecOptions, Program } from './program.js';
import {
  Get,
  type GetEvents,
  type GetOptions,
  Put,
  type PutEvents,
  type PutOptions,
  type TransferHandle,
} from './transfer.js';

/** Operations that wait for one of those under way to end. */
export const MAX_WAITING_OPERATIONS = 4096;
/** Bytes of a message with data, at most. */
const MAX_DATA_MESSAGE = MAX_AGENT_DATA + 64;
/** Messages that wait for the guest to take those before them. */
export const MAX_WAITING_MESSAGES = 4096;

/**
 * What the controller says to the agent in one guest, and hears. It has no time of its own: it sends when it is called
 * and when it hears something. What is asked for before the guest is ready waits for that.
 */
export class AgentSession {
  readonly #active = new Map<number, Operation>();
  readonly #waiting: Operation[] = [];
  /** Operations that may have data for the guest, in the order in which they are asked for it. */
  readonly #sources = new Set<Operation>();
  readonly #messages: Uint8Array[] = [];
  /** Bytes on their way to the guest. */
  #untaken = 0;
  #ready = false;
  #gone: OneclockError | undefined;
  #lastId = 0;
  #pumping = false;

  /**
   * @param node how errors call the guest
   * @param send puts bytes into the agent port, at this instant; never more than {@link AGENT_WINDOW} that the guest has
   * not taken
   */
  constructor(
    readonly node: string,
    private readonly send: (bytes: Uint8Array) => void,
  ) {}

  /** Whether the guest can do something: it is ready, and has not gone. */
  get ready(): boolean {
    return this.#ready && this.#gone === undefined;
  }

  /** Runs a program. @throws OneclockError `INPUT` for what no guest takes, `PARTICIPANT` where the guest has gone */
  exec(options: ExecOptions, events: ExecEvents): ExecHandle {
    const { window } = options;
    if (window !== undefined && !(Number.isInteger(window) && window >= 1 && window <= MAX_AGENT_CREDIT)) {
      throw this.#bad(`expected a window of 1 to ${MAX_AGENT_CREDIT} bytes, found ${window}`);
    }
    return this.#add((id, host) => new Program(id, options, events, host));
  }

  /** Puts a file, whose content is not to change before that is done. @throws as {@link exec} */
  put(path: string, content: Uint8Array, events: PutEvents, options: PutOptions = {}): TransferHandle {
    return this.#add((id, host) => new Put(id, path, content, options, events, host));
  }

  /** Gets a regular file. @throws as {@link exec} */
  get(path: string, events: GetEvents, options: GetOptions = {}): TransferHandle {
    return this.#add((id, host) => new Get(id, path, options, events, host));
  }

  /** Takes a message of the guest. @throws OneclockError `PARTICIPANT` for what no agent says */
  take(message: FromGuest): void {
    if (this.#gone) return;
    if (message.type === 'exited' || message.type === 'signalled' || message.type === 'failed') return;
    try {
      if (message.type === 'ready') this.#becomeReady();
      else if (message.type === 'taken') this.#taken(message.bytes);
      else this.#answer(message);
    } catch (error) {
      if (!(error instanceof ProtocolFault)) throw error;
      throw new OneclockError('PARTICIPANT', `${this.node}: agent: ${error.message}`, { cause: error });
    }
    this.#pump();
  }

  /** The guest has gone: whatever is not done will not be. Safe to call twice. */
  gone(reason: string): void {
    if (this.#gone) return;
    const error = new OneclockError('PARTICIPANT', `${this.node} has gone: ${reason}`);
    this.#gone = error;
    const left = [...this.#active.values(), ...this.#waiting];
    this.#active.clear();
    this.#waiting.length = 0;
    this.#messages.length = 0;
    this.#sources.clear();
    for (const operation of left) operation.gone(error);
  }

  #add<T extends Operation>(make: (id: number, host: OperationHost) => T): T {
    if (this.#gone) throw this.#gone;
    if (this.#waiting.length >= MAX_WAITING_OPERATIONS) {
      throw this.#bad(`${MAX_WAITING_OPERATIONS} operations wait already`);
    }
    const host: OperationHost = {
      node: this.node,
      send: (message) => this.#queue(message),
      check: (message) => {
        this.#encode(message);
      },
      more: () => {
        if (this.#active.has(operation.id)) this.#sources.add(operation);
        this.#pump();
      },
    };
    this.#lastId = (this.#lastId % 0xffff_ffff) + 1;
    const operation: T = make(this.#lastId, host);
    // What the guest would refuse is refused while its caller is there.
    this.#encode(operation.begin());
    this.#waiting.push(operation);
    this.#pump();
    return operation;
  }

  #becomeReady(): void {
    if (this.#ready) throw new ProtocolFault('expected to hear that it is ready once, found it again');
    this.#ready = true;
  }

  #taken(bytes: number): void {
    if (bytes > this.#untaken) {
      throw new ProtocolFault(`expected at most ${this.#untaken} bytes to be taken, found ${bytes}`);
    }
    this.#untaken -= bytes;
  }

  #answer(answer: Exclude<AgentAnswer, { type: 'taken' }>): void {
    const operation = this.#active.get(answer.id);
    if (!operation) {
      throw new ProtocolFault(
        `expected an answer about an operation, found ${answer.type} about ${answer.id}`,
      );
    }
    const over = operation.take(answer);
    if (!over) return;
    this.#active.delete(answer.id);
    this.#sources.delete(operation);
    over();
  }

  #queue(message: ToGuest): void {
    if (this.#gone) return;
    if (this.#messages.length >= MAX_WAITING_MESSAGES) {
      throw this.#bad(`${MAX_WAITING_MESSAGES} messages wait for it already`);
    }
    this.#messages.push(this.#encode(message));
    this.#pump();
  }

  /** Sends what may be sent. What is called by that may call it again. */
  #pump(): void {
    if (this.#pumping || !this.#ready) return;
    this.#pumping = true;
    try {
      while (this.#step());
    } finally {
      this.#pumping = false;
    }
  }

  #step(): boolean {
    if (this.#gone) return false;
    this.#beginWaiting();
    const message = this.#messages[0];
    if (message) {
      if (message.length > AGENT_WINDOW - this.#untaken) return false;
      this.#messages.shift();
      this.#put(message);
      return true;
    }
    return this.#sendData();
  }

  #beginWaiting(): void {
    while (this.#active.size < MAX_AGENT_OPERATIONS) {
      const operation = this.#waiting.shift();
      if (!operation) return;
      this.#active.set(operation.id, operation);
      this.#sources.add(operation);
      this.#messages.push(this.#encode(operation.begin()));
      operation.begun();
    }
  }

  /** One piece, of the operation that has waited longest for its turn. */
  #sendData(): boolean {
    if (AGENT_WINDOW - this.#untaken < MAX_DATA_MESSAGE) return false;
    for (const operation of this.#sources) {
      this.#sources.delete(operation);
      const message = operation.next();
      if (!message) continue;
      this.#sources.add(operation);
      this.#put(this.#encode(message));
      operation.sent?.();
      return true;
    }
    return false;
  }

  #put(bytes: Uint8Array): void {
    this.#untaken += bytes.length;
    this.send(bytes);
  }

  #encode(message: ToGuest): Uint8Array {
    try {
      return encodeToGuest(message);
    } catch (error) {
      throw this.#bad((error as Error).message);
    }
  }

  #bad(text: string): OneclockError {
    return new OneclockError('INPUT', `${this.node}: ${text}`);
  }
}
