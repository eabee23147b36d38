// SPDX-License-Identifier: MIT
import type { MemberMessage } from '../../protocols/write-update/index.js';
import { invariant, type OneclockError } from '../errors.js';
import { Connection, type OpenPipe } from './connection.js';
import { Hub } from './hub.js';
import { Member, type MemberPort } from './member.js';
import type { Method } from './order.js';

export interface HubServerHandler {
  /**
   * Whether a member is of another controller; those that are not are made by {@link HubServer.member} only, whatever
   * comes on a connection.
   */
  isRemote(member: number): boolean;
  /** A member has left; or, with an error, it or the connection to its controller was lost. */
  gone(member: number, error: OneclockError | undefined): void;
  /** How errors call a member. */
  describe?(member: number): string;
}

/** A hub for members of its own controller, and for those of others, by connections. */
export class HubServer {
  readonly #hub: Hub;
  readonly #local = new Map<number, Member>();
  /** Where members of other controllers are; those that have gone, too. */
  readonly #remote = new Map<number, Connection>();
  readonly #connections = new Set<Connection>();
  /** Why members are being removed. */
  #loss: OneclockError | undefined;

  constructor(
    private readonly method: Method,
    private readonly handler: HubServerHandler,
  ) {
    this.#hub = new Hub(method, {
      send: (message) => this.#deliver(message),
      gone: (member, error) => handler.gone(member, error ?? this.#loss),
      ...(handler.describe && { describe: (member: number) => handler.describe?.(member) ?? `${member}` }),
    });
  }

  members(): readonly number[] {
    return this.#hub.members();
  }

  /** Makes a member of this controller, which joins at once. */
  member(id: number, write: MemberPort['write'], name?: string): Member {
    invariant(
      !this.#local.has(id) && !this.handler.isRemote(id),
      () => `member ${id} is not to be made here`,
    );
    const port = { send: (message: MemberMessage) => this.#hub.receive(message), write };
    const member = new Member(id, this.method, port, { name });
    this.#local.set(id, member);
    member.join();
    return member;
  }

  /** A member has died. */
  remove(id: number): void {
    this.#hub.remove(id);
  }

  /** Another controller has connected. @param peer how errors call it */
  accept(open: OpenPipe, peer: string): Connection {
    const connection: Connection = new Connection(open, peer, this.method, {
      message: (message) => this.#receive(connection, message),
      closed: (error) => this.#lose(connection, error),
    });
    this.#connections.add(connection);
    return connection;
  }

  get connections(): number {
    return this.#connections.size;
  }

  /** To be called now and then. @param nowMs performance.now() */
  check(nowMs: number): void {
    for (const connection of [...this.#connections]) connection.check(nowMs);
  }

  /** Sends again what may be lost; needed only where something between the connections loses messages. */
  resend(): void {
    // What still waits is not lost.
    this.#hub.resend((member) => (this.#remote.get(member)?.waiting ?? 0) === 0);
    for (const member of this.#local.values()) member.resend();
  }

  close(): void {
    for (const connection of this.#connections) connection.close();
    this.#connections.clear();
  }

  #receive(connection: Connection, message: MemberMessage): void {
    const { member } = message;
    const place = this.#remote.get(member);
    if (!this.handler.isRemote(member) || (place ?? connection) !== connection) {
      return connection.fail(`expected a member of its own, found ${member}`);
    }
    this.#remote.set(member, connection);
    this.#hub.receive(message);
  }

  #deliver(message: MemberMessage): void {
    const local = this.#local.get(message.member);
    if (local) local.receive(message);
    else this.#remote.get(message.member)?.send(message);
  }

  #lose(connection: Connection, error: OneclockError): void {
    this.#connections.delete(connection);
    this.#loss = error;
    const present = new Set(this.#hub.members());
    for (const [member, place] of this.#remote) {
      if (place === connection && present.has(member)) this.#hub.remove(member);
    }
    this.#loss = undefined;
  }
}
