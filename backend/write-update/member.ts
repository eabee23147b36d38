// SPDX-License-Identifier: MIT
import {
  MAX_RANK,
  MAX_SIZE,
  MAX_VARIABLE,
  type MemberBody,
  type MemberMessage,
  type Update,
} from '../../protocols/write-update/index.js';
import type { Instant } from '../calendar/time.js';
import { OneclockError } from '../errors.js';
import { Link, MAX_UNACKNOWLEDGED } from './link.js';
import { fits, type Method } from './order.js';
import { Replica } from './replica.js';

export interface MemberPort {
  /** Carries a message to the hub; it may be lost, repeated and delayed. */
  send(message: MemberMessage): void;
  /**
   * The value is to be stored in the guest, into a variable that it has registered, in one atomic access. Must not call
   * the member.
   */
  write(update: Update): void;
}

/** What is not the same for every member. */
export interface MemberOptions {
  /** How errors call it; undefined: by its number. */
  readonly name?: string | undefined;
  /** Whether what carries its messages loses and repeats nothing, and keeps their order. */
  readonly isReliable?: boolean;
}

/** One guest's part in a group: its registered variables, and what it knows of all. */
export class Member {
  readonly #link: Link;
  readonly #replica: Replica;
  /** Registered variables, with their sizes in bytes. */
  readonly #sizes = new Map<number, number>();
  #changes = 0;
  #lastChange = 0n;
  #sequence = 0;
  #state: 'outside' | 'joining' | 'joined' | 'left' = 'outside';
  #isLeaving = false;
  readonly #name: string;

  /** @param id 1 to 65535, of no other guest of the run before or after */
  constructor(
    readonly id: number,
    private readonly method: Method,
    private readonly port: MemberPort,
    { name = `member ${id}`, isReliable = false }: MemberOptions = {},
  ) {
    this.#name = name;
    this.#link = new Link(id, (message) => port.send(message), isReliable);
    this.#replica = new Replica(method);
  }

  /** `joined`: it knows what the group knew. `left`: nothing is sent or written any more. */
  get state(): 'outside' | 'joining' | 'joined' | 'left' {
    return this.#state;
  }

  /** The update that a variable has its value from, as far as it is known. */
  latest(variable: number): Update | undefined {
    return this.#replica.get(variable);
  }

  /** To be called once, before all else. What the guest does may follow at once. */
  join(): void {
    this.#state = 'joining';
    this.#link.send({ type: 'join' });
  }

  /**
   * The guest registers a variable. If the group is known to have set it, the value is written at once.
   *
   * @throws OneclockError PARTICIPANT where it has registered it with another size
   */
  register(variable: number, size: number): void {
    const present = this.#sizes.get(variable);
    if (
      variable < 1 ||
      variable > MAX_VARIABLE ||
      size < 1 ||
      size > MAX_SIZE ||
      (present ?? size) !== size
    ) {
      this.#fail(`a variable of ${present ?? `1 to ${MAX_SIZE}`} bytes`, `variable ${variable} of ${size}`);
    }
    if (present !== undefined || this.#isOver()) return;
    this.#sizes.set(variable, size);
    this.#send({ type: 'register', variable, size });
    const update = this.#replica.get(variable);
    if (update !== undefined) this.#write(update);
  }

  /**
   * The guest changes a variable. Local first: it has the value already. Ordered: it gets it by {@link MemberPort.write}
   * when its turn has come, which may be before this returns.
   *
   * @throws OneclockError PARTICIPANT where it has not registered the variable, or the value does not fit
   */
  change(variable: number, value: bigint, ticks: bigint, at: Instant): void {
    const size = this.#sizes.get(variable);
    if (this.#isOver()) return;
    if (size === undefined) return this.#fail('a registered variable', `${variable}`);
    this.#checkValue(value, size);
    if (at < this.#lastChange) this.#fail(`a change not before ${this.#lastChange}`, `one at ${at}`);
    const rank = this.#rank(variable, at);
    this.#lastChange = at;
    this.#changes += 1;
    const update: Update = {
      sequence: 0,
      origin: this.id,
      change: this.#changes,
      variable,
      value,
      ticks,
      atNs: at,
      rank,
    };
    if (this.method === 'local-first' && !this.#replica.take(update)) {
      // A later change of another is known: the guest has just stored over it.
      this.#write(this.#replica.get(variable) as Update);
    }
    this.#send({ type: 'update', ...update });
  }

  /** The guest leaves, after what it has sent before. */
  leave(): void {
    if (this.#isOver()) return;
    this.#isLeaving = true;
    this.#send({ type: 'leave' });
  }

  /**
   * Takes a message of the hub.
   *
   * @throws OneclockError PARTICIPANT where the hub breaks the protocol
   */
  receive(message: MemberMessage): void {
    if (this.#state === 'left') return;
    const { body } = message;
    // The hub's Leave has no number.
    if (body.type === 'leave') {
      this.#state = 'left';
      return;
    }
    const isNext = this.#check(() => this.#link.receive(message));
    if (isNext) this.#take(body);
    this.#link.acknowledge();
  }

  /** Sends again what may be lost; to be called now and then. */
  resend(): void {
    if (this.#state !== 'left') this.#link.resend();
  }

  #take(body: MemberBody): void {
    if (body.type === 'snapshot' && this.#state === 'joining') {
      this.#state = 'joined';
      this.#sequence = body.sequence;
      for (const update of body.updates) this.#takeUpdate(update);
    } else if (body.type === 'update' && this.#state === 'joined') {
      const { type, ...update } = body;
      // Local first, one's own updates do not come back.
      const isNext =
        this.method === 'ordered' ? update.sequence === this.#sequence + 1 : update.sequence > this.#sequence;
      if (!isNext) this.#fail(`the update after ${this.#sequence}`, `${update.sequence}`);
      this.#sequence = update.sequence;
      this.#takeUpdate(update);
    } else {
      this.#fail(this.#state === 'joining' ? 'a snapshot' : 'an update', `${body.type}`);
    }
  }

  /** Local first: behind everything that is known of the same instant. */
  #rank(variable: number, at: Instant): number {
    const known = this.#replica.get(variable);
    if (this.method === 'ordered' || known?.atNs !== at) return 0;
    if (known.origin === this.id) return known.rank;
    if (known.rank >= MAX_RANK)
      this.#fail(`at most ${MAX_RANK} changes on each other at one instant`, 'another');
    return known.rank + 1;
  }

  #takeUpdate(update: Update): void {
    if (this.#replica.take(update)) this.#write(update);
  }

  #write(update: Update): void {
    const size = this.#sizes.get(update.variable);
    if (size === undefined) return;
    this.#checkValue(update.value, size);
    this.port.write(update);
  }

  #checkValue(value: bigint, size: number): void {
    if (!fits(value, size)) this.#fail(`a value of ${size} bytes`, `${value}`);
  }

  #send(body: MemberBody): void {
    if (this.#link.unacknowledged >= MAX_UNACKNOWLEDGED) {
      this.#fail('a hub that acknowledges', `${MAX_UNACKNOWLEDGED} messages without an answer`);
    }
    this.#link.send(body);
  }

  #isOver(): boolean {
    return this.#isLeaving || this.#state === 'left';
  }

  #check<T>(action: () => T): T {
    try {
      return action();
    } catch (error) {
      throw new OneclockError('PARTICIPANT', `${this.#name}: ${(error as Error).message}`, {
        cause: error,
      });
    }
  }

  #fail(expected: string, found: string): never {
    throw new OneclockError('PARTICIPANT', `${this.#name}: expected ${expected}, found ${found}`);
  }
}
