// SPDX-License-Identifier: MIT
import {
  MAX_SIZE,
  MAX_SNAPSHOT,
  type MemberBody,
  type MemberMessage,
  type Update,
} from '../../protocols/write-update/index.js';
import { OneclockError } from '../errors.js';
import { Link, MAX_UNACKNOWLEDGED } from './link.js';
import { fits, type Method } from './order.js';
import { Replica } from './replica.js';

export interface HubPort {
  /** Carries a message to a member; it may be lost, repeated and delayed. */
  send(message: MemberMessage): void;
  /** A member is no longer of the group: it has left, or broken the protocol, which is a PARTICIPANT error. */
  gone(member: number, error: OneclockError | undefined): void;
  /** How errors call a member; undefined: by its number. */
  describe?(member: number): string;
  /** Whether what carries the messages loses and repeats nothing, and keeps their order. */
  readonly isReliable?: boolean;
}

/** What the hub knows of a member. */
interface Seat {
  readonly id: number;
  readonly link: Link;
  readonly variables: Set<number>;
  /** Of its last change. */
  change: number;
  atNs: bigint;
}

/**
 * The middle of a group: every update comes here, gets its place in the one order, and goes to the members. So an
 * update either reaches all who stay, or nobody but its origin, whoever dies when.
 */
export class Hub {
  readonly #seats = new Map<number, Seat>();
  /** Numbers that were used; a member that is gone does not come back. */
  readonly #gone = new Set<number>();
  /** Variables that were ever registered, with their sizes in bytes. */
  readonly #sizes = new Map<number, number>();
  readonly #replica: Replica;
  #sequence = 0;

  constructor(
    private readonly method: Method,
    private readonly port: HubPort,
  ) {
    this.#replica = new Replica(method);
  }

  /** Members that are of the group. */
  members(): readonly number[] {
    return [...this.#seats.keys()];
  }

  /**
   * Takes a message of a member; the caller knows that it is from that one. The order of these calls is the order of
   * the updates, so for a run that can be repeated it has to be the calendar's.
   */
  receive(message: MemberMessage): void {
    const { member: id, number, body } = message;
    if (this.#gone.has(id)) return this.#dismiss(id);
    const seat = this.#seats.get(id) ?? (body.type === 'join' && number === 1 ? this.#seat(id) : undefined);
    // What is sent behind a Join that was lost comes again, after it.
    if (seat === undefined) return;
    try {
      if (seat.link.receive(message)) this.#take(seat, number, body);
    } catch (error) {
      const text = `${this.#describe(id)}: ${(error as Error).message}`;
      return this.#end(id, new OneclockError('PARTICIPANT', text, { cause: error }));
    }
    if (this.#seats.has(id)) seat.link.acknowledge();
  }

  /** A member has died. What has not come from it by now is lost; nobody else has seen it. */
  remove(id: number): void {
    if (this.#seats.has(id)) this.#end(id, undefined);
    else this.#gone.add(id);
  }

  /** Sends again what may be lost, to those members; to be called now and then. */
  resend(to: (member: number) => boolean = () => true): void {
    for (const { id, link } of [...this.#seats.values()]) if (to(id)) link.resend();
  }

  #seat(id: number): Seat {
    const link = new Link(id, (message) => this.port.send(message), this.port.isReliable);
    const seat = { id, link, variables: new Set<number>(), change: 0, atNs: 0n };
    this.#seats.set(id, seat);
    return seat;
  }

  #take(seat: Seat, number: number, body: MemberBody): void {
    if (number === 1 && body.type === 'join') {
      this.#send(seat, { type: 'snapshot', sequence: this.#sequence, updates: this.#replica.updates() });
    } else if (body.type === 'register') {
      this.#register(seat, body.variable, body.size);
    } else if (body.type === 'update') {
      const { type, ...update } = body;
      this.#check(seat, update);
      this.#spread(update);
    } else if (body.type === 'leave') {
      this.#end(seat.id, undefined);
    } else {
      throw new Error(`expected a request of a member, found ${body.type}`);
    }
  }

  #register(seat: Seat, variable: number, size: number): void {
    const present = this.#sizes.get(variable) ?? size;
    if (size < 1 || size > MAX_SIZE || size !== present) {
      throw new Error(
        `expected variable ${variable} of ${present} bytes, 1 to ${MAX_SIZE}, found one of ${size}`,
      );
    }
    // Only what is registered is ever set, so a snapshot has room for all.
    if (!this.#sizes.has(variable) && this.#sizes.size >= MAX_SNAPSHOT) {
      throw new Error(`expected at most ${MAX_SNAPSHOT} variables, found another`);
    }
    this.#sizes.set(variable, size);
    seat.variables.add(variable);
  }

  #check(seat: Seat, { sequence, origin, change, variable, value, atNs }: Update): void {
    const mine = origin === seat.id && sequence === 0 && change === seat.change + 1;
    if (!mine) {
      const found = `change ${change} of ${origin} with sequence ${sequence}`;
      throw new Error(`expected its change ${seat.change + 1} without a sequence, found ${found}`);
    }
    if (!seat.variables.has(variable)) throw new Error(`expected a registered variable, found ${variable}`);
    const size = this.#sizes.get(variable) as number;
    if (!fits(value, size)) throw new Error(`expected a value of ${size} bytes, found ${value}`);
    if (atNs < seat.atNs) throw new Error(`expected a change not before ${seat.atNs}, found one at ${atNs}`);
    seat.change = change;
    seat.atNs = atNs;
  }

  #spread(told: Update): void {
    this.#sequence += 1;
    const update = { ...told, sequence: this.#sequence };
    // What is superseded on arrival needs to go nowhere: everybody has, or will get, what supersedes it.
    if (!this.#replica.take(update)) return;
    for (const seat of [...this.#seats.values()]) {
      const isOrigin = seat.id === update.origin;
      if (this.method === 'ordered' || !isOrigin) this.#send(seat, { type: 'update', ...update });
    }
  }

  #send(seat: Seat, body: MemberBody): void {
    if (!this.#seats.has(seat.id)) return;
    if (seat.link.unacknowledged < MAX_UNACKNOWLEDGED) return seat.link.send(body);
    const text = `${this.#describe(seat.id)}: expected one that acknowledges, found ${MAX_UNACKNOWLEDGED} messages without an answer`;
    this.#end(seat.id, new OneclockError('PARTICIPANT', text));
  }

  #end(id: number, error: OneclockError | undefined): void {
    this.#seats.delete(id);
    this.#gone.add(id);
    this.#dismiss(id);
    this.port.gone(id, error);
  }

  #describe(id: number): string {
    return this.port.describe?.(id) ?? `member ${id}`;
  }

  #dismiss(id: number): void {
    this.port.send({ member: id, number: 0, received: 0, body: { type: 'leave' } });
  }
}
