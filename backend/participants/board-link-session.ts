// SPDX-License-Identifier: MIT
import { randomBytes } from 'node:crypto';
import {
  BOARD_PROTOCOL_VERSION,
  type BoardAnswer,
  type BoardEvent,
  type BoardRequest,
  type ClockSample,
  checkRequest,
  type FromBoard,
  SESSION_BYTES,
} from '../../protocols/board/index.js';
import { OneclockError } from '../errors.js';
import type { BoardLinkBounds } from './board-link-bounds.js';
import type { ClockExchange } from './board-link-clock.js';
import { type BoardAddress, BoardConnection, placeText } from './board-link-connection.js';

export interface LinkHandlers {
  event(event: BoardEvent): void;
  /** The agent has answered with its clock. */
  sample(exchange: ClockExchange): void;
  /** The connection is lost (with the reason) or there (without one). */
  connection(lost: string | undefined): void;
  /** There will be no connection any more. Called once at most; not after `close`, nor where `open` has failed. */
  failed(error: OneclockError): void;
}

interface Pending {
  /** 0: it was not sent yet. */
  number: number;
  readonly request: BoardRequest;
  readonly resolve: (answer: BoardAnswer) => void;
  readonly reject: (error: OneclockError) => void;
  readonly limit: NodeJS.Timeout;
}

interface ClockQuestion {
  readonly askedNs: bigint;
  readonly resolve: ((sample: ClockSample) => void) | undefined;
}

/** Clock questions without an answer that are remembered: those of a connection that was lost have none. */
const MAX_QUESTIONS = 64;

/**
 * A session with a board's agent, over as many connections as it takes. Requests are asked once and in their order,
 * events and answers come once and in theirs; see protocols/board/board.proto.
 */
export class LinkSession {
  readonly #id = randomBytes(SESSION_BYTES);
  /** Requests without an answer, by their numbers, in their order. */
  readonly #sent = new Map<number, Pending>();
  /** Requests that have no number yet, because there is no connection. */
  readonly #unsent = new Set<Pending>();
  readonly #questions = new Map<number, ClockQuestion>();
  #connection: BoardConnection | undefined;
  /** The connection has had its Welcome. */
  #welcome = false;
  /** There was a Welcome before. */
  #known = false;
  #lastRequest = 0;
  #received = 0;
  #acknowledgedBytes = 0;
  #question = 0;
  /** By when a connection has to be there, in the milliseconds of `performance.now()`. */
  #reachBy = 0;
  #pauseMs = 0;
  #end: OneclockError | undefined;
  #opened: { resolve: () => void; reject: (error: OneclockError) => void } | undefined;
  #connectLimit: NodeJS.Timeout | undefined;
  #retry: NodeJS.Timeout | undefined;
  #heartbeat: NodeJS.Timeout | undefined;
  #silence: NodeJS.Timeout | undefined;

  constructor(
    private readonly address: BoardAddress,
    private readonly bounds: BoardLinkBounds,
    private readonly monotonicNs: () => bigint,
    private readonly handlers: LinkHandlers,
  ) {}

  /** Waits for the first Welcome. @throws OneclockError PARTICIPANT */
  open(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#opened = { resolve, reject };
      this.#reach(this.bounds.reachMs);
    });
  }

  /**
   * @throws OneclockError PARTICIPANT where no answer comes within `limitMs`, or the session has ended; INPUT where the
   *   protocol does not allow the request, such as a command that is too long
   */
  ask(request: BoardRequest, limitMs: number): Promise<BoardAnswer> {
    return new Promise((resolve, reject) => {
      if (this.#end !== undefined) throw this.#end;
      this.#check(request);
      const limit = setTimeout(() => {
        this.#unsent.delete(pending);
        this.#sent.delete(pending.number);
        reject(this.#error(`expected an answer to ${request.type} within ${limitMs} ms, found none`));
      }, limitMs);
      const pending: Pending = { number: 0, request, resolve, reject, limit };
      if (this.#welcome) this.#say(pending);
      else this.#unsent.add(pending);
    });
  }

  /** Asks for the board's clock. @throws OneclockError PARTICIPANT, as {@link ask} */
  askClock(limitMs: number): Promise<ClockSample> {
    return new Promise((resolve, reject) => {
      if (this.#end !== undefined) throw this.#end;
      if (!this.#welcome) throw this.#error('there is no connection to ask its clock by');
      const text = `expected a sample of its clock within ${limitMs} ms, found none`;
      const limit = setTimeout(() => reject(this.#error(text)), limitMs);
      this.#askClock((sample) => {
        clearTimeout(limit);
        resolve(sample);
      });
    });
  }

  /** Ends the session without a word. Later calls do nothing. */
  close(): void {
    this.#finish(this.#error('the link was closed'));
  }

  #check(request: BoardRequest): void {
    try {
      checkRequest(request);
    } catch (cause) {
      throw new OneclockError('INPUT', `${this.address.name}: ${(cause as Error).message}`, { cause });
    }
  }

  #error(text: string): OneclockError {
    return new OneclockError('PARTICIPANT', `${this.address.name}: ${text}`);
  }

  #reach(withinMs: number): void {
    this.#reachBy = performance.now() + withinMs;
    this.#pauseMs = this.bounds.firstPauseMs;
    this.#connect();
  }

  #connect(): void {
    const connection = new BoardConnection(this.address, {
      secured: () => this.#hello(connection),
      message: (message) => this.#take(message),
      closed: (reason, final) => this.#lost(reason, final),
    });
    this.#connection = connection;
    this.#connectLimit = setTimeout(() => {
      connection.close();
      this.#lost(`it did not welcome us within ${this.bounds.connectMs} ms`, false);
    }, this.bounds.connectMs);
  }

  #hello(connection: BoardConnection): void {
    const version = BOARD_PROTOCOL_VERSION;
    const body = { type: 'hello', version, session: this.#id, resume: this.#known } as const;
    connection.send({ request: 0, received: this.#received, body });
  }

  #say(pending: Pending): void {
    pending.number = ++this.#lastRequest;
    this.#sent.set(pending.number, pending);
    const { number, request } = pending;
    this.#connection?.send({ request: number, received: this.#received, body: request });
  }

  #take(message: FromBoard): void {
    const { sequence, request, body } = message;
    if (!this.#welcome) {
      if (body.type === 'welcome') this.#welcomed(body.lastRequest);
      else if (body.type === 'refused') this.#fail(this.#error(`its agent refused: ${body.text}`));
      else throw this.#error(`expected an answer to Hello, found ${body.type}`);
      return;
    }
    this.#listen();
    if (sequence !== 0) {
      if (sequence !== this.#received + 1) {
        throw this.#error(`expected message ${this.#received + 1}, found ${sequence}`);
      }
      this.#received = sequence;
    }
    switch (body.type) {
      case 'welcome':
      case 'refused':
        throw this.#error(`expected one answer to Hello, found ${body.type} as well`);
      case 'clock':
        this.#answeredClock(body);
        break;
      case 'paused':
      case 'resumed':
      case 'console':
      case 'exited':
      case 'problem':
        this.handlers.event(body);
        break;
      default:
        this.#answered(request, body);
    }
    this.#acknowledge();
  }

  #welcomed(lastRequest: number): void {
    if (lastRequest > this.#lastRequest) {
      throw this.#error(`expected a last request of at most ${this.#lastRequest}, found ${lastRequest}`);
    }
    clearTimeout(this.#connectLimit);
    this.#welcome = true;
    this.#known = true;
    this.#acknowledgedBytes = 0;
    this.#sayAgain(lastRequest);
    this.#heartbeat = setInterval(() => this.#askClock(undefined), this.bounds.heartbeatMs);
    this.#listen();
    this.handlers.connection(undefined);
    this.#opened?.resolve();
    this.#opened = undefined;
  }

  /** Numbers that have not arrived are free again: some of their requests may not be wanted any more. */
  #sayAgain(lastRequest: number): void {
    const lost = [...this.#sent.values()].filter(({ number }) => number > lastRequest);
    for (const { number } of lost) this.#sent.delete(number);
    this.#lastRequest = lastRequest;
    for (const pending of [...lost, ...this.#unsent]) this.#say(pending);
    this.#unsent.clear();
  }

  #answered(request: number, answer: BoardAnswer): void {
    if (request < 1 || request > this.#lastRequest) {
      throw this.#error(
        `expected an answer to a request up to ${this.#lastRequest}, found one to ${request}`,
      );
    }
    // Without one, its time was over.
    const pending = this.#sent.get(request);
    if (pending === undefined) return;
    clearTimeout(pending.limit);
    this.#sent.delete(request);
    pending.resolve(answer);
  }

  #askClock(resolve: ClockQuestion['resolve']): void {
    this.#question = (this.#question + 1) >>> 0;
    const [oldest] = this.#questions.keys();
    if (oldest !== undefined && this.#questions.size >= MAX_QUESTIONS) this.#questions.delete(oldest);
    this.#questions.set(this.#question, { askedNs: this.monotonicNs(), resolve });
    const body = { type: 'clock', number: this.#question } as const;
    this.#connection?.send({ request: 0, received: this.#received, body });
  }

  #answeredClock(sample: ClockSample): void {
    const answeredNs = this.monotonicNs();
    const question = this.#questions.get(sample.number);
    if (question === undefined) return;
    this.#questions.delete(sample.number);
    const { receivedNs, sentNs } = sample;
    this.handlers.sample({ askedNs: question.askedNs, receivedNs, sentNs, answeredNs });
    question.resolve?.(sample);
  }

  /** Heartbeats acknowledge too; this is for when much comes between two of them. */
  #acknowledge(): void {
    const bytes = this.#connection?.bytes ?? 0;
    if (bytes - this.#acknowledgedBytes < this.bounds.acknowledgeBytes) return;
    this.#acknowledgedBytes = bytes;
    this.#connection?.send({ request: 0, received: this.#received, body: { type: 'acknowledge' } });
  }

  #listen(): void {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => {
      this.#connection?.close();
      this.#lost(`it has said nothing for ${this.bounds.silentMs} ms`, false);
    }, this.bounds.silentMs);
  }

  #lost(reason: string, final: boolean): void {
    const had = this.#welcome;
    this.#stopTimers();
    this.#welcome = false;
    this.#connection = undefined;
    this.#questions.clear();
    if (final) {
      this.#fail(new OneclockError('PARTICIPANT', reason));
      return;
    }
    if (had) {
      this.handlers.connection(reason);
      // The handler may have ended the session.
      if (this.#end === undefined) this.#reach(this.bounds.returnMs);
      return;
    }
    if (performance.now() + this.#pauseMs > this.#reachBy) {
      const within = this.#known ? this.bounds.returnMs : this.bounds.reachMs;
      this.#fail(
        this.#error(`no connection to ${placeText(this.address.at)} within ${within} ms: ${reason}`),
      );
      return;
    }
    this.#retry = setTimeout(() => this.#connect(), this.#pauseMs);
    this.#pauseMs = Math.min(2 * this.#pauseMs, this.bounds.longestPauseMs);
  }

  #fail(error: OneclockError): void {
    const opened = this.#opened;
    this.#finish(error);
    if (opened === undefined) this.handlers.failed(error);
  }

  #finish(error: OneclockError): void {
    if (this.#end !== undefined) return;
    this.#end = error;
    this.#stopTimers();
    this.#connection?.close();
    this.#connection = undefined;
    this.#opened?.reject(error);
    this.#opened = undefined;
    for (const { limit, reject } of [...this.#sent.values(), ...this.#unsent]) {
      clearTimeout(limit);
      reject(error);
    }
    this.#sent.clear();
    this.#unsent.clear();
  }

  #stopTimers(): void {
    clearTimeout(this.#connectLimit);
    clearTimeout(this.#retry);
    clearInterval(this.#heartbeat);
    clearTimeout(this.#silence);
  }
}
