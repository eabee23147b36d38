// SPDX-License-Identifier: MIT
import { randomBytes } from 'node:crypto';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { onTestFinished } from 'vitest';
import { type AgentBounds, BoardAgent } from '../../backend/board-agent/index.js';
import { BoardLink, type BoardLinkOptions } from '../../backend/participants/board-link.js';
import type { BoardAddress } from '../../backend/participants/board-link-connection.js';
import { FakeKernelModule } from '../../host/board/testing/fake-kernel-module.js';
import { FakeVtDevice } from '../../host/board/testing/fake-vt-device.js';
import {
  BOARD_CIPHERS,
  BOARD_TLS_VERSION,
  type BoardEvent,
  decodeFromBoard,
  encodeToBoard,
  type FromBoardBody,
  MAX_BOARD_MESSAGE,
  MessageReader,
  type ToBoard,
} from '../../protocols/board/index.js';
import { until } from '../support/wait.js';

/** Everything is near and quick here; what has to be longer than that says so. */
const LIMIT_MS = 10_000;

/** An agent of this process on a board without a kernel. */
export class TestBoard {
  readonly key = randomBytes(32);
  readonly device = new FakeVtDevice();
  readonly module = new FakeKernelModule(this.device);
  readonly reports: string[] = [];

  private constructor(
    readonly bounds: Partial<AgentBounds>,
    private agent: BoardAgent | undefined,
  ) {}

  static async start(bounds: Partial<AgentBounds> = {}): Promise<TestBoard> {
    const board = new TestBoard(bounds, undefined);
    await board.startAgent(0);
    onTestFinished(() => board.agent?.stop());
    return board;
  }

  get port(): number {
    return (this.agent as BoardAgent).address.port;
  }

  /** Ends the agent in good order. */
  stop(): void {
    this.agent?.stop();
  }

  /** Starts another agent in the place of the one that was stopped. */
  async startAgent(port: number): Promise<void> {
    this.agent = await BoardAgent.listen({
      host: '127.0.0.1',
      port,
      key: this.key,
      version: 'test',
      device: this.device,
      module: this.module,
      monotonicNs: process.hrtime.bigint,
      bounds: this.bounds,
      report: (text) => this.reports.push(text),
    });
  }

  /** Waits for a line of the agent's log. */
  reported(pattern: RegExp): Promise<string> {
    return until(
      `the agent reports ${pattern}`,
      () => this.reports.find((text) => pattern.test(text)),
      LIMIT_MS,
    );
  }

  async link(options: Partial<BoardLinkOptions> & { readonly port?: number } = {}): Promise<TestLink> {
    const at = { host: '127.0.0.1', port: options.port ?? this.port };
    return TestLink.open({ at, key: this.key, name: 'bp1', ...options });
  }
}

/** A link, and all that it has told. */
export class TestLink {
  readonly events: BoardEvent[] = [];
  readonly connections: (string | undefined)[] = [];
  readonly failures: Error[] = [];
  link!: BoardLink;

  static async open(options: BoardAddress & Partial<BoardLinkOptions>): Promise<TestLink> {
    const test = new TestLink();
    test.link = await BoardLink.connect({
      event: (event) => test.events.push(event),
      connection: (lost) => test.connections.push(lost),
      failed: (error) => test.failures.push(error),
      ...options,
    });
    onTestFinished(() => test.link.close());
    return test;
  }

  /** The first event of a type for which `which` holds, now or soon. */
  event<T extends BoardEvent['type']>(
    type: T,
    which: (event: Extract<BoardEvent, { type: T }>) => boolean = () => true,
  ): Promise<Extract<BoardEvent, { type: T }>> {
    const found = () =>
      this.events.find(
        (event): event is Extract<BoardEvent, { type: T }> =>
          event.type === type && which(event as Extract<BoardEvent, { type: T }>),
      );
    return until(`an event ${type}`, found, LIMIT_MS);
  }

  failed(): Promise<Error> {
    return until('the link fails', () => this.failures[0], LIMIT_MS);
  }

  /** What a run has written so far. */
  console(run: number): string {
    return this.events
      .filter((event) => event.type === 'console' && event.run === run)
      .map((event) => (event.type === 'console' ? Buffer.from(event.data).toString('latin1') : ''))
      .join('');
  }
}

/** A connection to an agent that does what a test wants, and how it ends. */
export class RawClient {
  readonly closed: Promise<void>;
  readonly messages: FromBoardBody[] = [];
  readonly #reader = new MessageReader('the agent', MAX_BOARD_MESSAGE, decodeFromBoard);

  private constructor(readonly socket: Socket) {
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()));
    socket.on('error', () => undefined);
    onTestFinished(() => {
      socket.destroy();
    });
  }

  /** Without TLS. */
  static async plain(port: number): Promise<RawClient> {
    const socket = connect(port, '127.0.0.1');
    const client = new RawClient(socket);
    socket.resume();
    await new Promise<void>((resolve) => socket.once('connect', () => resolve()));
    return client;
  }

  /** With the key, but without a Hello. */
  static async secure(board: TestBoard, identity = 'bp1'): Promise<RawClient> {
    const socket = connectTls({
      host: '127.0.0.1',
      port: board.port,
      ciphers: BOARD_CIPHERS,
      minVersion: BOARD_TLS_VERSION,
      maxVersion: BOARD_TLS_VERSION,
      pskCallback: () => ({ psk: board.key, identity }),
      checkServerIdentity: () => undefined,
    });
    const client = new RawClient(socket);
    socket.on('data', (bytes) => client.#reader.push(bytes, ({ body }) => client.messages.push(body)));
    await Promise.race([
      new Promise<void>((resolve) => socket.once('secureConnect', () => resolve())),
      client.closed,
    ]);
    return client;
  }

  say(request: number, body: ToBoard['body'], received = 0): void {
    this.socket.write(encodeToBoard({ request, received, body }));
  }

  message<T extends FromBoardBody['type']>(type: T): Promise<FromBoardBody> {
    return until(`a message ${type}`, () => this.messages.find((body) => body.type === type), LIMIT_MS);
  }
}

/** Stands between a link and an agent, and does to their connections what a bad network does. */
export class Network {
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  #refuse = false;
  readonly #server = createServer((near) => {
    if (this.#refuse) {
      near.destroy();
      return;
    }
    const far = connect(this.target, '127.0.0.1');
    const pair = [near, far] as const;
    this.#pairs.add(pair);
    near.pipe(far).pipe(near);
    for (const socket of pair) {
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.#pairs.delete(pair);
        for (const one of pair) one.destroy();
      });
    }
  });

  private constructor(readonly target: number) {}

  static async open(target: number): Promise<Network> {
    const network = new Network(target);
    await new Promise<void>((resolve) => network.#server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      network.#server.close();
      network.cut();
    });
    return network;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Ends all connections; new ones are refused while `refuse`. */
  cut(refuse = false): void {
    this.#refuse = refuse;
    for (const pair of this.#pairs) for (const socket of pair) socket.destroy();
  }

  restore(): void {
    this.#refuse = false;
  }

  /** Lets nothing through any more on the present connections, and tells nobody. */
  stall(): void {
    for (const [near, far] of this.#pairs) {
      near.unpipe(far);
      far.unpipe(near);
    }
  }
}

/** The error that `promise` is rejected with. */
export async function rejection(promise: Promise<unknown>): Promise<Error> {
  return promise.then(
    () => {
      throw new Error('nothing was rejected');
    },
    (error: Error) => error,
  );
}
