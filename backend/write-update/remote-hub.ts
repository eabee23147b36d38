// SPDX-License-Identifier: MIT
import type { MemberMessage } from '../../protocols/write-update/index.js';
import type { OneclockError } from '../errors.js';
import { Connection, type OpenPipe } from './connection.js';
import { Member, type MemberPort } from './member.js';
import type { Method } from './order.js';

/** The members of one controller, whose hub is in another. */
export class RemoteHub {
  readonly #members = new Map<number, Member>();
  readonly #dead = new Set<number>();
  readonly #connection: Connection;

  /**
   * @param peer how errors call the controller that has the hub
   * @param lost it has gone or broken the protocol: the members are of no group any more. Called once at most
   */
  constructor(
    open: OpenPipe,
    peer: string,
    private readonly method: Method,
    lost: (error: OneclockError) => void,
  ) {
    this.#connection = new Connection(open, peer, method, {
      message: (message) => this.#receive(message),
      closed: lost,
    });
  }

  /** Makes a member, which joins at once. */
  member(id: number, write: MemberPort['write'], name?: string): Member {
    const port: MemberPort = {
      send: (message) => this.#connection.send(message),
      write: (update) => {
        if (!this.#dead.has(id)) write(update);
      },
    };
    const member = new Member(id, this.method, port, { name });
    this.#members.set(id, member);
    member.join();
    return member;
  }

  /** A member has died: nothing is written to it any more, and the hub hears of it behind what was sent before. */
  remove(id: number): void {
    this.#dead.add(id);
    this.#members.get(id)?.leave();
  }

  /** To be called now and then. @param nowMs performance.now() */
  check(nowMs: number): void {
    this.#connection.check(nowMs);
  }

  /** Sends again what may be lost; needed only where something between the connections loses messages. */
  resend(): void {
    // What still waits is not lost.
    if (this.#connection.waiting > 0) return;
    for (const member of this.#members.values()) member.resend();
  }

  close(): void {
    this.#connection.close();
  }

  #receive(message: MemberMessage): void {
    const member = this.#members.get(message.member);
    if (member === undefined) {
      return this.#connection.fail(`expected a member of this controller, found ${message.member}`);
    }
    // What this throws ends the connection: the hub is not to be trusted.
    member.receive(message);
  }
}
