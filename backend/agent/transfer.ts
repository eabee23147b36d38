// SPDX-License-Identifier: MIT
import { MAX_AGENT_DATA, type ToGuest } from '../../protocols/agent/index.js';
import { OneclockError } from '../errors.js';
import { Credit } from './credit.js';
import { type Answer, type Operation, type OperationHost, unexpected } from './operation.js';

/** What of a file may be on its way from a guest. */
const GET_WINDOW = 262_144;

/** Permission bits of a file that is put, where nothing is said. */
const DEFAULT_MODE = 0o644;

/** The most that is taken of a file, where nothing is said. */
export const DEFAULT_GET_LIMIT = 256 * 1024 * 1024;

/** A file that goes in or comes out. What has ended cannot be cancelled; trying does nothing. */
export interface TransferHandle {
  /** It is not wanted any more: `failed` is called, and a file that was to be put is not there. */
  cancel(): void;
}

interface TransferEvents {
  /** `errno`: as the guest's kernel says; 0: it does not, or the guest has gone. */
  failed(error: OneclockError, errno: number): void;
}

export interface PutOptions {
  /** Permission bits; 0644 by default. */
  readonly mode?: number;
}

export interface PutEvents extends TransferEvents {
  /** It is there, as a whole. */
  done(): void;
}

export interface GetOptions {
  /** Bytes; a file that has more is refused. {@link DEFAULT_GET_LIMIT} by default. */
  readonly limit?: number;
}

export interface GetEvents extends TransferEvents {
  done(content: Uint8Array, mode: number): void;
}

abstract class Transfer implements TransferHandle {
  #cancelled = false;
  #begun = false;
  protected reason: OneclockError | undefined;

  constructor(
    readonly id: number,
    protected readonly path: string,
    protected readonly events: TransferEvents,
    protected readonly host: OperationHost,
  ) {}

  begun(): void {
    this.#begun = true;
    if (this.#cancelled) this.host.send({ type: 'cancel', id: this.id });
  }

  get cancelled(): boolean {
    return this.#cancelled;
  }

  cancel(): void {
    if (this.#cancelled) return;
    this.#cancelled = true;
    if (this.#begun) this.host.send({ type: 'cancel', id: this.id });
  }

  gone(error: OneclockError): void {
    this.#cancelled = true;
    this.events.failed(error, 0);
  }

  protected refused({ text, error }: Extract<Answer, { type: 'refused' }>): () => void {
    this.#cancelled = true;
    const reason = this.reason ?? new OneclockError('PARTICIPANT', `${this.host.node}: ${text}`);
    return () => this.events.failed(reason, error);
  }

  protected finished(): void {
    this.#cancelled = true;
  }
}

/** A file on its way into a guest. */
export class Put extends Transfer implements Operation {
  #sent = 0;
  #ended = false;

  constructor(
    id: number,
    path: string,
    private readonly content: Uint8Array,
    private readonly options: PutOptions,
    private readonly owner: PutEvents,
    host: OperationHost,
  ) {
    super(id, path, owner, host);
  }

  begin(): ToGuest {
    return { type: 'put', id: this.id, path: this.path, mode: this.options.mode ?? DEFAULT_MODE };
  }

  next(): ToGuest | undefined {
    if (this.#ended || this.cancelled) return undefined;
    const bytes = this.content.subarray(this.#sent, this.#sent + MAX_AGENT_DATA);
    this.#sent += bytes.length;
    this.#ended = this.#sent === this.content.length;
    return { type: 'data', id: this.id, bytes, end: this.#ended };
  }

  take(answer: Answer): (() => void) | undefined {
    if (answer.type === 'refused') return this.refused(answer);
    if (answer.type !== 'done' || !this.#ended) return unexpected('refused, or done behind the end,', answer);
    this.finished();
    return () => this.owner.done();
  }
}

/** A file on its way out of a guest. */
export class Get extends Transfer implements Operation {
  readonly #pieces: Uint8Array[] = [];
  readonly #credit = new Credit(GET_WINDOW, true);
  readonly #limit: number;
  #size = 0;

  constructor(
    id: number,
    path: string,
    { limit = DEFAULT_GET_LIMIT }: GetOptions,
    private readonly owner: GetEvents,
    host: OperationHost,
  ) {
    super(id, path, owner, host);
    this.#limit = limit;
  }

  begin(): ToGuest {
    return { type: 'get', id: this.id, path: this.path, credit: this.#credit.left };
  }

  next(): undefined {
    return undefined;
  }

  take(answer: Answer): (() => void) | undefined {
    switch (answer.type) {
      case 'refused':
        return this.refused(answer);
      case 'data':
        this.#credit.use(answer.bytes.length);
        this.#keep(answer.bytes);
        return undefined;
      case 'done': {
        this.finished();
        const { reason } = this;
        if (reason) return () => this.owner.failed(reason, 0);
        return () => this.owner.done(Buffer.concat(this.#pieces), answer.mode);
      }
      default:
        return unexpected('data, done or refused', answer);
    }
  }

  #keep(bytes: Uint8Array): void {
    if (this.cancelled) return;
    this.#size += bytes.length;
    if (this.#size > this.#limit) {
      const text = `cannot get ${this.path}: it has more than ${this.#limit} bytes`;
      this.reason = new OneclockError('PARTICIPANT', `${this.host.node}: ${text}`);
      this.#pieces.length = 0;
      this.cancel();
      return;
    }
    this.#pieces.push(bytes);
    const credit = this.#credit.refill();
    if (credit > 0) this.host.send({ type: 'credit', id: this.id, bytes: credit });
  }
}
