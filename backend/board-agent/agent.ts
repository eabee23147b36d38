// SPDX-License-Identifier: MIT
import type { AddressInfo } from 'node:net';
import {
  BOARD_PROTOCOL_VERSION,
  type RefusalReason,
  type ToBoard,
  type ToBoardBody,
} from '../../protocols/board/index.js';
import { OneclockError } from '../errors.js';
import type { BoardParts } from './board.js';
import { AGENT_BOUNDS, type AgentBounds } from './bounds.js';
import { ControllerConnection } from './controller-connection.js';
import { SecureListener } from './secure-listener.js';
import { Session } from './session.js';

export interface BoardAgentOptions extends BoardParts {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  readonly key: Buffer;
  /** Of the package, for people. */
  readonly version: string;
  readonly bounds?: Partial<AgentBounds>;
  /** Told what happens, one line at a time. */
  readonly report: (text: string) => void;
}

type Hello = Extract<ToBoardBody, { type: 'hello' }>;

/** The agent on a board: lets one controller at a time, which has the key, have the board. */
export class BoardAgent {
  readonly #bounds: AgentBounds;
  #listener: SecureListener | undefined;
  #session: Session | undefined;
  #release: NodeJS.Timeout | undefined;
  readonly #connections = new Set<ControllerConnection>();

  private constructor(private readonly options: BoardAgentOptions) {
    this.#bounds = { ...AGENT_BOUNDS, ...options.bounds };
  }

  /** @throws OneclockError INPUT where the address cannot be listened at */
  static async listen(options: BoardAgentOptions): Promise<BoardAgent> {
    const agent = new BoardAgent(options);
    agent.#listener = await SecureListener.open(
      options.host,
      options.port,
      options.key,
      agent.#bounds,
      (secure) => {
        const connection: ControllerConnection = new ControllerConnection(secure, agent.#bounds, {
          message: (message) => agent.#message(connection, message),
          closed: (reason) => agent.#closed(connection, reason),
        });
        agent.#connections.add(connection);
      },
      options.report,
    );
    return agent;
  }

  get address(): AddressInfo {
    return (this.#listener as SecureListener).address;
  }

  /** Releases the board, and listens no more. Synchronous: it may be the last thing that a process does. */
  stop(): void {
    this.#end('the agent ends');
    this.#listener?.close();
    for (const connection of this.#connections) connection.close('the agent ends');
  }

  #message(connection: ControllerConnection, { request, received, body }: ToBoard): void {
    const arrivedNs = this.options.monotonicNs();
    const session = this.#session?.connection === connection ? this.#session : undefined;
    if (body.type === 'hello') {
      if (session !== undefined) throw new OneclockError('PARTICIPANT', 'expected one Hello, found another');
      this.#hello(connection, body, received);
      return;
    }
    if (session === undefined) throw new OneclockError('PARTICIPANT', `expected Hello, found ${body.type}`);
    session.acknowledge(received);
    if (body.type === 'clock') {
      const time = session.board.clock.time();
      const sentNs = this.options.monotonicNs();
      connection.say({ type: 'clock', number: body.number, receivedNs: arrivedNs, sentNs, time });
    } else if (body.type !== 'acknowledge') {
      session.request(request, body);
    }
  }

  #hello(connection: ControllerConnection, hello: Hello, received: number): void {
    const session = this.#session;
    if (hello.version !== BOARD_PROTOCOL_VERSION) {
      const text = `this agent speaks version ${BOARD_PROTOCOL_VERSION}, the controller ${hello.version}`;
      this.#refuse(connection, 'version', `${text}: install the same oneclock on both`);
    } else if (session !== undefined && !Buffer.from(session.id).equals(hello.session)) {
      const who = session.connection?.peer ?? 'a controller whose connection was lost a moment ago';
      this.#refuse(connection, 'busy', `the board belongs to ${who}`);
    } else if (session === undefined && hello.resume) {
      this.#refuse(connection, 'gone', 'the board was released, or the agent was started anew');
    } else if (session === undefined && received !== 0) {
      throw new OneclockError(
        'PARTICIPANT',
        `expected a new session with nothing received, found ${received}`,
      );
    } else {
      session?.acknowledge(received);
      this.#welcome(connection, session ?? this.#begin(hello.session));
    }
  }

  #begin(id: Uint8Array): Session {
    const session: Session = new Session(id, this.options, this.#bounds, () => {
      if (this.#session === session) this.#end('the controller has released it');
    });
    this.#session = session;
    return session;
  }

  #welcome(connection: ControllerConnection, session: Session): void {
    clearTimeout(this.#release);
    const before = session.connection;
    session.detach();
    before?.close('the controller has connected anew');
    connection.accept();
    connection.say({
      type: 'welcome',
      version: BOARD_PROTOCOL_VERSION,
      agent: this.options.version,
      lastRequest: session.lastRequest,
      releaseAfterNs: BigInt(this.#bounds.releaseAfterMs) * 1_000_000n,
    });
    session.attach(connection);
    this.options.report(`the board belongs to ${connection.peer}`);
  }

  #refuse(connection: ControllerConnection, reason: RefusalReason, text: string): void {
    this.options.report(`${connection.peer} was refused: ${text}`);
    connection.say({ type: 'refused', reason, text });
    this.#finish(connection);
  }

  #finish(connection: ControllerConnection): void {
    this.#connections.delete(connection);
    connection.finish();
  }

  #closed(connection: ControllerConnection, reason: string): void {
    this.#connections.delete(connection);
    if (this.#session?.connection !== connection) {
      this.options.report(`${connection.peer} is gone: ${reason}`);
      return;
    }
    this.#session.detach();
    const { releaseAfterMs } = this.#bounds;
    this.options.report(`${connection.peer} is lost: ${reason}; it has ${releaseAfterMs} ms to come back`);
    clearTimeout(this.#release);
    this.#release = setTimeout(() => this.#end('its controller did not come back'), releaseAfterMs);
  }

  /** Ends the session, if there is one. */
  #end(reason: string): void {
    clearTimeout(this.#release);
    const session = this.#session;
    if (session === undefined) return;
    this.#session = undefined;
    const failures = session.board.release();
    for (const failure of failures)
      this.options.report(`the board could not be released in full: ${failure}`);
    this.options.report(`the board is released: ${reason}`);
    if (session.connection !== undefined) this.#finish(session.connection);
  }
}
