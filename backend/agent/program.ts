// SPDX-License-Identifier: MIT
import {
  AGENT_STDIN_WINDOW,
  type AgentEnd,
  type ExecRequest,
  MAX_AGENT_DATA,
  type TerminalSize,
  type ToGuest,
} from '../../protocols/agent/index.js';
import { OneclockError } from '../errors.js';
import { ByteQueue } from './byte-queue.js';
import { Credit } from './credit.js';
import { type Answer, type Operation, type OperationHost, ProtocolFault, unexpected } from './operation.js';

/** Output that may be on its way from a program whose output is not taken. */
export const OUTPUT_WINDOW = 262_144;
/** Messages for a program that wait for it to be begun. */
const MAX_EARLY = 64;

export interface ExecOptions extends ExecRequest {
  /** Bytes of output that may come while it is paused; {@link OUTPUT_WINDOW} by default. */
  readonly window?: number;
  /** No output is to come before {@link ExecHandle.resume}. */
  readonly paused?: boolean;
}

/** What a program does, each at the present instant of its node. */
export interface ExecEvents {
  /** It runs; `pid` is its process in the guest. */
  started?(pid: number): void;
  /** 1: standard output, and all of a terminal; 2: standard error. The bytes are the receiver's. */
  output?(stream: 1 | 2, bytes: Uint8Array): void;
  /** All input that was written is with the guest. */
  drained?(): void;
  /** It has ended, and there is no more output. Nothing is told behind it. */
  ended(end: AgentEnd): void;
  /** It was not started (`errno`: why, 0 where that is no error of the guest's kernel), or its guest has gone. */
  failed(error: OneclockError, errno: number): void;
}

/** A program that was asked for. What is asked of one that has ended is ignored: it may have been on its way. */
export interface ExecHandle {
  /** Gives it input, which is not to change any more. @returns whether it is a good time for more; else see `drained` */
  write(bytes: Uint8Array): boolean;
  /** Its input ends with `bytes`. */
  end(bytes?: Uint8Array): void;
  /** Sends signal `number`, 1 to 64, to its process group. */
  signal(number: number): void;
  /** Its terminal has another size. */
  resize(size: TerminalSize): void;
  /** Lets no more output come than is allowed to already: it will have to wait when it writes on. */
  pause(): void;
  resume(): void;
}

/** A program in a guest. */
export class Program implements Operation, ExecHandle {
  readonly #credit: Credit;
  readonly #input = new ByteQueue();
  /** Input that the guest has, and the program has not. */
  #untaken = 0;
  #inputEnds = false;
  #endSent = false;
  #started = false;
  #over = false;
  #begun = false;
  #paused: boolean;
  /** What came before it was begun. */
  readonly #early: ToGuest[] = [];

  constructor(
    readonly id: number,
    private readonly options: ExecOptions,
    private readonly events: ExecEvents,
    private readonly host: OperationHost,
  ) {
    this.#paused = options.paused === true;
    this.#credit = new Credit(options.window ?? OUTPUT_WINDOW, !this.#paused);
  }

  begin(): ToGuest {
    const { command, cwd, environment, terminal, user } = this.options;
    return {
      type: 'exec',
      id: this.id,
      credit: this.#credit.left,
      command,
      ...(cwd !== undefined && { cwd }),
      ...(environment && { environment }),
      ...(terminal && { terminal }),
      ...(user !== undefined && { user }),
    };
  }

  begun(): void {
    this.#begun = true;
    for (const message of this.#early.splice(0)) this.host.send(message);
    this.#refill();
  }

  next(): ToGuest | undefined {
    if (this.#over || this.#endSent) return undefined;
    const room = Math.min(AGENT_STDIN_WINDOW - this.#untaken, MAX_AGENT_DATA);
    const bytes = this.#input.take(room);
    const end = this.#inputEnds && this.#input.length === 0;
    if (bytes.length === 0 && !end) return undefined;
    this.#untaken += bytes.length;
    this.#endSent = end;
    return { type: 'stdin', id: this.id, bytes, end };
  }

  sent(): void {
    if (this.#input.length === 0 && !this.#endSent) this.events.drained?.();
  }

  take(answer: Answer): (() => void) | undefined {
    if (answer.type === 'refused' && !this.#started) {
      this.#over = true;
      const error = new OneclockError('PARTICIPANT', `${this.host.node}: ${answer.text}`);
      return () => this.events.failed(error, answer.error);
    }
    if (answer.type === 'started' && !this.#started) {
      this.#started = true;
      this.events.started?.(answer.pid);
      return undefined;
    }
    if (!this.#started) unexpected('started or refused', answer);
    switch (answer.type) {
      case 'output':
        this.#credit.use(answer.bytes.length);
        this.events.output?.(answer.stream, answer.bytes);
        this.#refill();
        return undefined;
      case 'credit':
        if (answer.bytes > this.#untaken) {
          throw new ProtocolFault(
            `expected credit for at most ${this.#untaken} bytes, found ${answer.bytes}`,
          );
        }
        this.#untaken -= answer.bytes;
        this.host.more();
        return undefined;
      case 'ended':
        this.#over = true;
        this.#input.clear();
        return () => this.events.ended(answer.end);
      default:
        return unexpected('output, credit or ended', answer);
    }
  }

  gone(error: OneclockError): void {
    this.#over = true;
    this.#input.clear();
    this.events.failed(error, 0);
  }

  write(bytes: Uint8Array): boolean {
    if (this.#over || this.#inputEnds) return true;
    this.#input.add(bytes);
    this.host.more();
    return this.#input.length === 0;
  }

  end(bytes?: Uint8Array): void {
    if (this.#over || this.#inputEnds) return;
    if (bytes) this.#input.add(bytes);
    this.#inputEnds = true;
    this.host.more();
  }

  signal(number: number): void {
    this.#say({ type: 'signal', id: this.id, number });
  }

  resize(terminal: TerminalSize): void {
    this.#say({ type: 'resize', id: this.id, terminal });
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#refill();
  }

  #refill(): void {
    if (this.#paused || this.#over || !this.#begun) return;
    const bytes = this.#credit.refill();
    if (bytes > 0) this.host.send({ type: 'credit', id: this.id, bytes });
  }

  #say(message: ToGuest): void {
    if (this.#over) return;
    if (this.#begun) {
      this.host.send(message);
      return;
    }
    this.host.check(message);
    if (this.#early.length >= MAX_EARLY) {
      throw new OneclockError('INPUT', `${this.host.node}: ${MAX_EARLY} messages wait for a program already`);
    }
    this.#early.push(message);
  }
}
