// SPDX-License-Identifier: MIT
import {
  decodeWriteUpdate,
  encodeWriteUpdate,
  MAX_WRITE_UPDATE_MESSAGE,
  type MemberMessage,
  MessageReader,
  type Update,
} from '../../../protocols/write-update/index.js';
import { instant } from '../../calendar/time.js';
import type { OneclockError } from '../../errors.js';
import { Hub } from '../hub.js';
import { Member } from '../member.js';
import type { Method } from '../order.js';

const SIZE = 8;

interface Flight {
  readonly toHub: boolean;
  readonly message: MemberMessage;
}

/** A guest with its memory, and all that was ever stored there, by itself or by the group. */
export class Guest {
  readonly memory = new Map<number, bigint>();
  readonly stores: Update[] = [];
  /** What it has changed. */
  readonly changes: Update[] = [];
  /** It died: nothing more is to come from it. */
  isDead = false;
  hasLeft = false;
  now = 0n;

  constructor(
    readonly member: Member,
    readonly method: Method,
  ) {}

  /** Makes a change as a guest does: with the store of its own where that is its part. */
  change(variable: number, value: bigint): void {
    const change = this.changes.length + 1;
    const known = this.member.latest(variable);
    const rank =
      this.method === 'ordered' || known?.atNs !== this.now
        ? 0
        : known.origin === this.member.id
          ? known.rank
          : known.rank + 1;
    const update = {
      sequence: 0,
      origin: this.member.id,
      change,
      variable,
      value,
      ticks: 1n,
      atNs: this.now,
      rank,
    };
    this.changes.push(update);
    if (this.method === 'local-first') this.store(update);
    this.member.change(variable, value, 1n, instant(this.now));
  }

  store(update: Update): void {
    this.stores.push(update);
    this.memory.set(update.variable, update.value);
  }
}

/** A hub and its members, and a carrier between them that does what it is told with each message under way. */
export class World {
  readonly hub: Hub;
  readonly guests: Guest[] = [];
  readonly flights: Flight[] = [];
  /** Every update that the hub has passed on, by its sequence. */
  readonly order = new Map<number, Update>();
  readonly errors = new Map<number, OneclockError>();

  constructor(
    readonly method: Method,
    /** Whether messages arrive in the call that sends them. */
    readonly isImmediate = false,
  ) {
    this.hub = new Hub(method, {
      send: (message) => this.#fly({ toHub: false, message }),
      gone: (id, error) => {
        if (error) this.errors.set(id, error);
      },
    });
  }

  /** Guests that are neither dead nor have left. */
  get living(): readonly Guest[] {
    return this.guests.filter((guest) => !guest.isDead && !guest.hasLeft);
  }

  join(variables: readonly number[]): Guest {
    const id = this.guests.length + 1;
    const guest: Guest = new Guest(
      new Member(id, this.method, {
        send: (message) => this.#fly({ toHub: true, message }),
        write: (update) => guest.store(update),
      }),
      this.method,
    );
    this.guests.push(guest);
    guest.member.join();
    for (const variable of variables) guest.member.register(variable, SIZE);
    return guest;
  }

  die(guest: Guest): void {
    guest.isDead = true;
    this.hub.remove(guest.member.id);
  }

  leave(guest: Guest): void {
    guest.hasLeft = true;
    guest.member.leave();
  }

  deliver(place: number): void {
    const [flight] = this.flights.splice(place, 1);
    if (flight) this.#land(flight);
  }

  resend(): void {
    this.hub.resend();
    for (const guest of this.guests) if (!guest.isDead) guest.member.resend();
  }

  /** From now on nothing is lost: everything arrives, and what was lost is sent again until nothing is left to send. */
  settle(): void {
    for (let round = 0; round < 8; round++) {
      while (this.flights.length > 0) this.deliver(0);
      this.resend();
      if (this.flights.length === 0) return;
    }
    throw new Error(`the group does not come to rest: ${JSON.stringify(this.flights[0]?.message.body.type)}`);
  }

  #fly({ toHub, message }: Flight): void {
    const flight = { toHub, message: travelled(message) };
    const { body } = flight.message;
    if (!toHub && body.type === 'update') this.#note(body);
    if (!toHub && body.type === 'snapshot') body.updates.forEach((update) => void this.#note(update));
    if (this.isImmediate) this.#land(flight);
    else this.flights.push(flight);
  }

  #note({ sequence, origin, change, variable, value, ticks, atNs, rank }: Update): void {
    const update = { sequence, origin, change, variable, value, ticks, atNs, rank };
    const present = this.order.get(sequence);
    if (present !== undefined && (present.origin !== origin || present.change !== change)) {
      throw new Error(`two updates have the sequence ${sequence}`);
    }
    this.order.set(sequence, update);
  }

  #land({ toHub, message }: Flight): void {
    const guest = this.guests[message.member - 1];
    if (toHub) this.hub.receive(message);
    else if (guest && !guest.isDead) guest.member.receive(message);
  }
}

/** `message` as another controller gets it. */
function travelled(message: MemberMessage): MemberMessage {
  let result: MemberMessage | undefined;
  new MessageReader('peer', MAX_WRITE_UPDATE_MESSAGE, decodeWriteUpdate).push(
    encodeWriteUpdate(message),
    (read) => {
      if ('body' in read) result = read;
    },
  );
  if (result === undefined) throw new Error('a message was not read');
  return result;
}
