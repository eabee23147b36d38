// SPDX-License-Identifier: MIT
import {
  type BoardAnswer,
  type BoardEvent,
  type BoardRequest,
  MAX_CONSOLE_BYTES,
} from '../../protocols/board/index.js';
import { OneclockError } from '../errors.js';
import { Board, type BoardParts } from './board.js';
import type { AgentBounds } from './bounds.js';
import type { ControllerConnection } from './controller-connection.js';
import { Outbox } from './outbox.js';

/** Requests that may wait for the one before them. */
const MAX_WAITING = 64;

/**
 * A controller's hold on the board, for as many connections as it takes. Requests are carried out once, in their order;
 * answers and events are kept until they are acknowledged.
 */
export class Session {
  readonly board: Board;
  readonly #outbox: Outbox;
  #connection: ControllerConnection | undefined;
  #lastRequest = 0;
  #waiting = 0;
  #work: Promise<void> = Promise.resolve();
  #outputPaused = false;
  /** Bytes of output that were lost since the last that was sent, by run. */
  readonly #dropped = new Map<number, number>();

  /**
   * @param id of the controller's choice
   * @param released told when the controller has had the board released, with the answer to it sent
   */
  constructor(
    readonly id: Uint8Array,
    parts: BoardParts,
    bounds: AgentBounds,
    private readonly released: () => void,
  ) {
    this.#outbox = new Outbox(bounds.keptBytes);
    this.board = new Board(parts, bounds, {
      event: (event) => this.#event(event),
      output: (run, data) => this.#output(run, data),
    });
  }

  get connection(): ControllerConnection | undefined {
    return this.#connection;
  }

  /** The greatest request that has arrived. */
  get lastRequest(): number {
    return this.#lastRequest;
  }

  /** Goes on with a new connection, which has had its Welcome. */
  attach(connection: ControllerConnection): void {
    this.#connection = connection;
    for (const bytes of this.#outbox.kept()) connection.send(bytes);
    for (const run of [...this.#dropped.keys()]) this.#send(this.#console(run, new Uint8Array()));
    this.#throttle();
  }

  /** The connection is lost: output is dropped from now on when too much is kept, and nobody waits. */
  detach(): void {
    this.#connection = undefined;
    this.#throttle();
  }

  /** @throws OneclockError PARTICIPANT where that was never sent */
  acknowledge(received: number): void {
    this.#outbox.acknowledge(received);
    this.#throttle();
  }

  /** Carries out a request when those before it are done. @throws OneclockError PARTICIPANT */
  request(number: number, request: BoardRequest): void {
    if (number !== this.#lastRequest + 1) {
      throw new OneclockError('PARTICIPANT', `expected request ${this.#lastRequest + 1}, found ${number}`);
    }
    if (this.#waiting >= MAX_WAITING) {
      throw new OneclockError('PARTICIPANT', `expected at most ${MAX_WAITING} requests to wait, found more`);
    }
    this.#lastRequest = number;
    this.#waiting += 1;
    this.#work = this.#work.then(async () => {
      const answer = await this.board.answer(request);
      this.#waiting -= 1;
      this.#send(answer, number);
      if (request.type === 'release') this.released();
    });
  }

  #event(event: BoardEvent): void {
    if (event.type === 'exited' && this.#dropped.has(event.run)) {
      this.#send(this.#console(event.run, new Uint8Array()));
    }
    // An end is one for each run; everything else can be done without when there is too much of it.
    if (event.type === 'exited' || !this.#outbox.full) this.#send(event);
  }

  #output(run: number, data: Uint8Array): void {
    for (let at = 0; at < data.length; at += MAX_CONSOLE_BYTES) {
      const part = data.subarray(at, at + MAX_CONSOLE_BYTES);
      if (this.#connection === undefined && this.#outbox.full) {
        this.#dropped.set(run, (this.#dropped.get(run) ?? 0) + part.length);
      } else {
        this.#send(this.#console(run, part));
      }
    }
    this.#throttle();
  }

  #console(run: number, data: Uint8Array): BoardEvent {
    const dropped = BigInt(this.#dropped.get(run) ?? 0);
    this.#dropped.delete(run);
    return { type: 'console', run, time: this.board.clock.time(), data, dropped };
  }

  #send(body: BoardAnswer | BoardEvent, request = 0): void {
    const bytes = this.#outbox.add(request, body);
    this.#connection?.send(bytes);
  }

  /** With a controller that is slow, whoever writes waits; with one that is away, nobody does. */
  #throttle(): void {
    const pause =
      this.#connection !== undefined && (this.#outputPaused ? !this.#outbox.roomy : this.#outbox.full);
    if (pause === this.#outputPaused) return;
    this.#outputPaused = pause;
    if (pause) this.board.runs.pauseOutput();
    else this.board.runs.resumeOutput();
  }
}
