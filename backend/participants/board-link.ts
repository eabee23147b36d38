// SPDX-License-Identifier: MIT
import type {
  BoardAnswer,
  BoardEvent,
  BoardLines,
  BoardProcess,
  BoardSettings,
  BoardStatus,
  BoardTime,
  ClockSample,
} from '../../protocols/board/index.js';
import { OneclockError } from '../errors.js';
import { BOARD_LINK_BOUNDS, type BoardLinkBounds } from './board-link-bounds.js';
import { ClockEstimate, type ClockOffset } from './board-link-clock.js';
import type { BoardAddress } from './board-link-connection.js';
import { LinkSession } from './board-link-session.js';

export interface BoardLinkOptions extends BoardAddress {
  readonly bounds?: Partial<BoardLinkBounds>;
  /** Gives up connecting when it is aborted; has no meaning afterwards. */
  readonly signal?: AbortSignal;
  /** CLOCK_MONOTONIC of this machine in nanoseconds. */
  readonly monotonicNs?: () => bigint;
  readonly event: (event: BoardEvent) => void;
  /** The connection is lost (with the reason) or there (without one). */
  readonly connection?: (lost: string | undefined) => void;
  /** The board is lost for good: every request fails from now on. Not called after `close` or a failed `connect`. */
  readonly failed: (error: OneclockError) => void;
}

/** The errno with which the board's kernel refused what was asked, such as `ESRCH`; undefined where it did not. */
export function boardErrno(error: unknown): string | undefined {
  if (!(error instanceof OneclockError)) return undefined;
  const { code } = (error.cause ?? {}) as { code?: unknown };
  return typeof code === 'string' ? code : undefined;
}

/**
 * The controller's hold on a board, by its agent. It outlives connections: one that is lost is made again, and no
 * request or event is lost or done twice by that. All that fails is a `PARTICIPANT` error with the board's name.
 */
export class BoardLink {
  readonly #bounds: BoardLinkBounds;
  readonly #monotonicNs: () => bigint;
  readonly #session: LinkSession;
  readonly #clock = new ClockEstimate();
  #run = 0;

  private constructor(private readonly options: BoardLinkOptions) {
    this.#bounds = { ...BOARD_LINK_BOUNDS, ...options.bounds };
    this.#monotonicNs = options.monotonicNs ?? process.hrtime.bigint;
    this.#session = new LinkSession(options, this.#bounds, this.#monotonicNs, {
      event: options.event,
      sample: (exchange) => this.#clock.add(exchange),
      connection: options.connection ?? (() => undefined),
      failed: options.failed,
    });
  }

  /** Takes a board, which has to be free. @throws OneclockError PARTICIPANT */
  static async connect(options: BoardLinkOptions): Promise<BoardLink> {
    const link = new BoardLink(options);
    const { signal } = options;
    const abort = () => link.close();
    signal?.addEventListener('abort', abort);
    try {
      await link.#session.open();
    } finally {
      signal?.removeEventListener('abort', abort);
    }
    return link;
  }

  /** Sees to it that the module is loaded. @returns whether it was before */
  async loadModule(lines: Partial<BoardLines>): Promise<boolean> {
    const request = { pause: '', resume: '', signal: '', periodMs: 0, ...lines };
    const answer = await this.#session.ask({ type: 'loadModule', ...request }, this.#bounds.moduleMs);
    return this.#expect(answer, 'loaded').already;
  }

  async unloadModule(): Promise<void> {
    this.#expect(await this.#session.ask({ type: 'unloadModule' }, this.#bounds.moduleMs), 'done');
  }

  async configure(settings: BoardSettings): Promise<void> {
    await this.#do({ type: 'configure', ...settings });
  }

  /** Makes all of `processes` part of virtual time, or none. */
  async register(processes: readonly BoardProcess[]): Promise<void> {
    await this.#do({ type: 'register', processes });
  }

  async unregister(pids: readonly number[]): Promise<void> {
    await this.#do({ type: 'unregister', pids });
  }

  /** Starts a command in virtual time. @returns its number, which its events have, its process and when it began */
  async start(command: string): Promise<{ run: number; pid: number; time: BoardTime }> {
    const run = ++this.#run;
    const answer = await this.#session.ask({ type: 'start', run, command }, this.#bounds.requestMs);
    const { pid, time } = this.#expect(answer, 'started');
    return { run, pid, time };
  }

  /** Sends a signal to the process group of a run. */
  async signal(run: number, signal: number): Promise<void> {
    await this.#do({ type: 'signal', run, signal });
  }

  /** Raises or lowers the board's own signal line. */
  async setMode(freeze: boolean): Promise<void> {
    await this.#do({ type: 'setMode', freeze });
  }

  async status(): Promise<BoardStatus> {
    const answer = await this.#session.ask({ type: 'getStatus' }, this.#bounds.requestMs);
    return this.#expect(answer, 'status');
  }

  /** Has the agent put everything back, and ends the link. */
  async release(): Promise<void> {
    try {
      await this.#do({ type: 'release' });
    } finally {
      this.close();
    }
  }

  /** Ends the link without a word: the agent releases the board when its time is over. Later calls do nothing. */
  close(): void {
    this.#session.close();
  }

  /** Asks for the board's time, which betters {@link clockOffset}. */
  sampleClock(): Promise<ClockSample> {
    return this.#session.askClock(this.#bounds.requestMs);
  }

  /** The board's clock against this machine's, by what is known now; undefined before the first sample. */
  clockOffset(): ClockOffset | undefined {
    return this.#clock.at(this.#monotonicNs());
  }

  async #do(request: Parameters<LinkSession['ask']>[0]): Promise<void> {
    this.#expect(await this.#session.ask(request, this.#bounds.requestMs), 'done');
  }

  #expect<T extends BoardAnswer['type']>(answer: BoardAnswer, type: T): Extract<BoardAnswer, { type: T }> {
    if (answer.type === type) return answer as Extract<BoardAnswer, { type: T }>;
    const { name } = this.options;
    if (answer.type !== 'failure') {
      throw new OneclockError('PARTICIPANT', `${name}: expected ${type} for an answer, found ${answer.type}`);
    }
    const { errno, text } = answer;
    const words = errno === '' || text.startsWith(errno) ? text : `${errno}: ${text}`;
    throw new OneclockError(
      'PARTICIPANT',
      `${name}: ${words}`,
      errno === '' ? {} : { cause: { code: errno } },
    );
  }
}
