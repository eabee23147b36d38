// SPDX-License-Identifier: MIT
import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import {
  CONTROL_VERSION,
  decodeToRun,
  encodeFromRun,
  type FromRun,
  frame,
  MAX_CONTROL_DATA,
  MAX_CONTROL_MESSAGE,
  MessageReader,
  type ToRun,
} from '../../protocols/control/index.js';
import { OneclockError } from '../errors.js';
import type { Asking, Person, Persons } from './persons.js';

/** Connections at once. */
const MAX_PERSONS = 64;
/** How long a connection may take to say what it wants; wall time. */
const OPEN_MS = 10_000;
/** How long a connection may take to hear the last word. */
const LAST_MS = 1_000;
/** Input that is on its way to a guest, beyond which no more is read; bytes. */
const MAX_INPUT = 65_536;

/** The file of the run directory that says where the socket is. */
export const CONTROL_FILE = 'control';

/**
 * The socket by which persons come to a run. It is in the run's own folder, which goes with the run however that ends; the
 * run directory says where.
 */
export class PersonsServer {
  readonly #server: Server;
  readonly #file: string;
  readonly #connections = new Set<Connection>();
  #closed = false;

  /**
   * @param folder the run's own
   * @param out the run directory
   * @param failed told once where nobody can come
   */
  constructor(folder: string, out: string, persons: Persons, failed: (error: OneclockError) => void) {
    const path = join(folder, CONTROL_FILE);
    this.#file = join(out, CONTROL_FILE);
    this.#server = createServer({ allowHalfOpen: true }, (socket) => {
      const connection: Connection = new Connection(socket, persons, () =>
        this.#connections.delete(connection),
      );
      this.#connections.add(connection);
    });
    this.#server.maxConnections = MAX_PERSONS;
    const fail = (error: Error) => {
      if (!this.#closed) {
        failed(
          new OneclockError('MACHINE', `shells cannot be served at ${path}: ${error.message}`, {
            cause: error,
          }),
        );
      }
    };
    this.#server.on('error', fail);
    this.#server.listen(path, () => {
      if (this.#closed) return;
      try {
        chmodSync(path, 0o600);
        writeFileSync(this.#file, `${path}\n`, { mode: 0o600 });
      } catch (error) {
        fail(error as Error);
      }
    });
    // Nobody is waited for.
    this.#server.unref();
  }

  /** Nobody comes any more; whoever is there hears that the run is over, which persons say. Safe to call twice. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#server.close();
    for (const connection of this.#connections) connection.end();
    rmSync(this.#file, { force: true });
  }
}

/** A person on a connection. */
class Connection implements Person {
  readonly #reader: MessageReader<ToRun>;
  readonly #patience: NodeJS.Timeout;
  #asking: Asking | undefined;
  #inputBytes = 0;
  #isOver = false;

  constructor(
    private readonly socket: Socket,
    private readonly persons: Persons,
    private readonly gone: () => void,
  ) {
    this.#reader = new MessageReader('a shell', MAX_CONTROL_MESSAGE, decodeToRun);
    this.#patience = setTimeout(
      () => this.refused('expected to hear what it wants, and heard nothing', true),
      OPEN_MS,
    );
    socket.on('data', (bytes) => this.#take(bytes));
    // Whoever ends its half has gone: the end of input is a message.
    socket.on('end', () => this.#leave());
    socket.on('close', () => this.#leave());
    socket.on('error', () => socket.destroy());
  }

  begun(): void {
    this.#say({ type: 'begun' });
  }

  output(stream: 1 | 2, bytes: Uint8Array): void {
    for (let from = 0; from < bytes.length; from += MAX_CONTROL_DATA) {
      const piece = bytes.subarray(from, from + MAX_CONTROL_DATA);
      this.#say({ type: 'output', stream, bytes: piece }, () => this.#asking?.seen());
    }
  }

  drained(): void {
    this.#inputBytes = 0;
    this.socket.resume();
  }

  ended(end: Extract<FromRun, { type: 'ended' }>['end']): void {
    this.#say({ type: 'ended', end });
    this.end();
  }

  refused(text: string, input: boolean): void {
    this.#say({ type: 'refused', text, input });
    this.end();
  }

  /** There is nothing more to say. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#patience);
    this.socket.end();
    this.socket.resume();
    setTimeout(() => this.socket.destroy(), LAST_MS).unref();
  }

  #say(message: FromRun, done: () => void = () => undefined): void {
    if (!this.#isOver && this.socket.writable) this.socket.write(frame(encodeFromRun(message)), done);
  }

  #take(bytes: Uint8Array): void {
    if (this.#isOver) return;
    try {
      this.#reader.push(bytes, (message) => this.#hear(message));
    } catch (error) {
      if (!(error instanceof OneclockError) || error.code === 'INTERNAL') throw error;
      this.refused(error.message, true);
      this.#leave();
    }
  }

  #hear(message: ToRun): void {
    if (this.#isOver) return;
    if (message.type === 'open') {
      this.#open(message);
      return;
    }
    if (!this.#asking)
      throw new OneclockError('INPUT', `a shell: expected open first, found ${message.type}`);
    this.#asking.do(message);
    if (message.type !== 'input') return;
    this.#inputBytes += message.bytes.length;
    if (this.#inputBytes > MAX_INPUT) this.socket.pause();
  }

  #open(message: Extract<ToRun, { type: 'open' }>): void {
    if (this.#asking) throw new OneclockError('INPUT', 'a shell: expected one program, found another');
    if (message.version !== CONTROL_VERSION) {
      const found = `found ${message.version}: use the oneclock that has started the run`;
      throw new OneclockError('INPUT', `a shell: expected version ${CONTROL_VERSION}, ${found}`);
    }
    clearTimeout(this.#patience);
    this.#asking = this.persons.open(this, message);
  }

  #leave(): void {
    this.gone();
    this.#asking?.leave();
    this.#asking = undefined;
    this.end();
  }
}
