// SPDX-License-Identifier: MIT
import { constants } from 'node:crypto';
import type { AddressInfo, Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import { BOARD_CIPHERS, BOARD_IDENTITY, BOARD_TLS_VERSION } from '../../protocols/board/index.js';
import { OneclockError } from '../errors.js';
import type { AgentBounds } from './bounds.js';

/** Refused connections are reported one in so many milliseconds: whoever knocks often does not fill the log. */
const REPORT_EVERY_MS = 1000;

/** A connection of somebody who has the key. */
export interface SecureConnection {
  readonly socket: TLSSocket;
  /** Where it comes from, for people. */
  readonly peer: string;
  /** What the other end calls this board. */
  readonly identity: string;
  /** Says that the other end is no stranger any more: until then it is disconnected when its time is over. */
  accept(): void;
}

interface Stranger {
  readonly raw: Socket;
  readonly deadline: NodeJS.Timeout;
}

/**
 * Listens for those who have the key, and is bothered by others for a bounded time only. Nothing that arrives before
 * the key was proven is looked at by anything but TLS.
 */
export class SecureListener {
  readonly #server: Server;
  /** By where they come from, from the oldest to the newest. */
  readonly #strangers = new Map<string, Stranger>();
  readonly #identities = new WeakMap<TLSSocket, string>();
  #lastReport = Number.NEGATIVE_INFINITY;
  #unreported = 0;

  private constructor(
    key: Buffer,
    private readonly bounds: AgentBounds,
    connected: (connection: SecureConnection) => void,
    private readonly report: (text: string) => void,
  ) {
    this.#server = createServer({
      ciphers: BOARD_CIPHERS,
      minVersion: BOARD_TLS_VERSION,
      maxVersion: BOARD_TLS_VERSION,
      secureOptions: constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_NO_TICKET,
      // Never reached: see the deadline below, which a client cannot put off.
      handshakeTimeout: 2 * bounds.helloMs,
      noDelay: true,
      pskCallback: (socket, identity) => {
        if (!BOARD_IDENTITY.test(identity)) return null;
        this.#identities.set(socket, identity);
        return key;
      },
    });
    this.#server.on('connection', (raw) => this.#arrived(raw));
    this.#server.on('secureConnection', (socket) => {
      const peer = peerOf(socket);
      const identity = this.#identities.get(socket) ?? '';
      connected({ socket, peer, identity, accept: () => this.#forget(peer) });
    });
    this.#server.on('tlsClientError', (error, socket) => {
      const peer = peerOf(socket);
      socket.destroy();
      // Disconnected by us, and reported: this is the echo.
      if (!this.#strangers.has(peer)) return;
      this.#refused(`a connection from ${peer} was refused: ${reasonOf(error)}`);
    });
  }

  /** @throws OneclockError INPUT where the address cannot be listened at */
  static open(
    host: string,
    port: number,
    key: Buffer,
    bounds: AgentBounds,
    connected: (connection: SecureConnection) => void,
    report: (text: string) => void,
  ): Promise<SecureListener> {
    const listener = new SecureListener(key, bounds, connected, report);
    const server = listener.#server;
    return new Promise((resolve, reject) => {
      server.once('error', (cause) => {
        const text = `expected an address of this machine and a free port, found ${host}:${port}`;
        reject(new OneclockError('INPUT', `${text} (${cause.message})`, { cause }));
      });
      server.listen({ host, port }, () => {
        server.removeAllListeners('error');
        server.on('error', (error) => report(`listening: ${error.message}`));
        resolve(listener);
      });
    });
  }

  get address(): AddressInfo {
    return this.#server.address() as AddressInfo;
  }

  /** Listens no more, and disconnects the strangers. */
  close(): void {
    this.#server.close();
    for (const { raw } of this.#strangers.values()) raw.destroy();
  }

  #arrived(raw: Socket): void {
    const peer = peerOf(raw);
    const [oldest] = this.#strangers.values();
    if (this.#strangers.size >= this.bounds.strangers) oldest?.raw.destroy();
    const deadline = setTimeout(() => {
      this.#forget(peer);
      raw.destroy();
      this.#refused(`${peer} was disconnected: it did not say Hello within ${this.bounds.helloMs} ms`);
    }, this.bounds.helloMs);
    this.#strangers.set(peer, { raw, deadline });
    raw.once('close', () => this.#forget(peer, raw));
    raw.on('error', () => raw.destroy());
  }

  #forget(peer: string, raw?: Socket): void {
    const stranger = this.#strangers.get(peer);
    if (stranger === undefined || (raw !== undefined && stranger.raw !== raw)) return;
    clearTimeout(stranger.deadline);
    this.#strangers.delete(peer);
  }

  #refused(text: string): void {
    const now = performance.now();
    if (now - this.#lastReport < REPORT_EVERY_MS) {
      this.#unreported += 1;
      return;
    }
    const others = this.#unreported === 0 ? '' : `; so were ${this.#unreported} others before it`;
    this.report(`${text}${others}`);
    this.#lastReport = now;
    this.#unreported = 0;
  }
}

/** Unlike that of any other connection at the same time. */
function peerOf(socket: Socket): string {
  return `${socket.remoteAddress ?? 'nowhere'}:${socket.remotePort ?? 0}`;
}

function reasonOf(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case 'ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC':
      return 'it has another key';
    case 'ERR_SSL_NO_SHARED_CIPHER':
    case 'ERR_SSL_UNSUPPORTED_PROTOCOL':
    case 'ERR_SSL_WRONG_VERSION_NUMBER':
    case 'ERR_SSL_HTTP_REQUEST':
      return 'it does not speak TLS with a pre-shared key';
    default:
      return error.code ?? error.message;
  }
}
