// SPDX-License-Identifier: MIT
import { type Listener, NativeHub } from '../../host/native/index.js';
import {
  after,
  Domain,
  type Duration,
  duration,
  EventKind,
  earlier,
  formatInstant,
  type Instant,
  later,
  NEVER,
  type ParticipantHost,
  ZERO,
} from '../calendar/index.js';
import type { OneclockError } from '../errors.js';
import { pump } from '../run/pump.js';
import { ForeignClient } from './foreign-client.js';
import { Pages } from './pages.js';
import { Segment } from './segment.js';

/**
 * How far a client may run by itself. With shared memory it does not tell where it is, only that it is before the
 * end of its window, so whatever comes from outside, a new client say, comes in at the end of one.
 */
const WINDOW = duration(1_000_000_000n);

export interface ServerOptions {
  readonly time: string;
  readonly net: readonly string[];
  /** The calendar begins when this many have started. */
  readonly clients: number;
  readonly netDelay: Duration;
  /** The time of day at virtual time 0, in nanoseconds since 1970. */
  readonly timeOfDay: bigint;
  readonly until: Instant;
  readonly hangMs: number;
  readonly sharedMemory: boolean;
  readonly seed: bigint;
  report(text: string): void;
}

/** Why a server has ended. */
export interface ServerEnd {
  readonly at: Instant;
  /** Clients that broke the protocol or hung. */
  readonly faults: number;
}

/**
 * A calendar for clients of the `time-travel=ext:` protocol that somebody else starts. They may reach each other by
 * ways that are not seen here, with no delay, so they are one domain, with one page.
 */
export class Server {
  readonly #hub = new NativeHub();
  readonly #domain: Domain;
  readonly #pages: Pages;
  readonly #listeners: Listener[] = [];
  readonly #segments: Segment[] = [];
  readonly #connected = new Set<ForeignClient>();
  readonly #members = new Map<ForeignClient, ParticipantHost>();
  /** The least that any client may still see. */
  #reached: Instant = ZERO;
  #connections = 0;
  #broadcasts = 0;
  #begun = false;
  #open = false;
  #over = false;
  #faults = 0;
  #error: OneclockError | undefined;

  /** @throws OneclockError `INPUT` where a socket cannot be made; nothing is left then */
  constructor(private readonly options: ServerOptions) {
    this.#domain = new Domain(0, {
      windowDone: () => {
        this.#open = false;
        this.#poke();
      },
      distance: () => NEVER,
      activated: (_client, at) => {
        this.#reached = later(this.#reached, at);
      },
      changed: () => undefined,
      unseen: true,
    });
    this.#pages = new Pages(options.sharedMemory);
    try {
      this.#listeners.push(this.#hub.listen(options.time, (descriptor) => this.#connect(descriptor)));
      options.net.forEach((path, index) => {
        this.#segments.push(this.#segment(path, index));
      });
    } catch (error) {
      this.dispose();
      throw error;
    }
  }

  /** Serves until the last client has left, or time has come to its end. */
  async serve(): Promise<ServerEnd> {
    try {
      await pump(
        this.#hub,
        () => this.#over || this.#error !== undefined,
        () => this.#checkHangs(),
      );
      if (this.#error) throw this.#error;
      return { at: this.#now, faults: this.#faults };
    } finally {
      this.dispose();
    }
  }

  abort(error: OneclockError): void {
    this.#error ??= error;
  }

  /** Closes every connection and removes the sockets. Safe to call twice. */
  dispose(): void {
    for (const client of this.#connected) client.close();
    this.#connected.clear();
    for (const listener of this.#listeners) listener.close();
    for (const segment of this.#segments) segment.close();
    this.#hub.close();
    this.#pages.close();
  }

  /** What is known of the time. */
  get #now(): Instant {
    return later(this.#reached, this.#domain.now);
  }

  #segment(path: string, index: number): Segment {
    const { netDelay, seed } = this.options;
    return new Segment(
      this.#hub,
      this.#domain,
      { path, index, delay: netDelay, seed },
      {
        stamp: (exact) => this.#stamp(exact),
        settle: (answer) => this.#settle(answer),
        poke: () => this.#poke(),
        report: (text, fault) => this.#report(text, fault),
      },
    );
  }

  #connect(descriptor: number): void {
    const client = new ForeignClient(
      ++this.#connections,
      this.#pages.slot(),
      {
        timeOfDay: this.options.timeOfDay,
        started: (started) => this.#started(started),
        quiet: (quiet) => this.#quiet(quiet),
        reached: () => this.#now,
        requested: (from, at, acknowledge) => this.#requested(from, at, acknowledge),
        broadcast: (from, value) => this.#broadcast(from, value),
        left: (left, error, orderly) => this.#left(left, error, !orderly),
      },
      this.#hub,
      descriptor,
    );
    this.#connected.add(client);
  }

  #started(client: ForeignClient): void {
    client.beginAt(this.#domain.horizon);
    this.#members.set(client, this.#domain.add(client));
    this.#report(`${client.name} starts at ${formatInstant(this.#domain.horizon)}`);
    if (this.#members.size >= this.options.clients) this.#begun = true;
    this.#poke();
  }

  #quiet(client: ForeignClient): void {
    this.#reached = later(this.#reached, client.now);
    this.#pages.rest();
    this.#members.get(client)?.quiet();
  }

  /** While one client runs, another that was touched by it asks for its turn: the first may not pass that. */
  #requested(from: ForeignClient, at: Instant, acknowledge: () => void): void {
    const running = this.#domain.running;
    if (running && running !== from) running.curtail(later(at, running.now));
    if (running !== from) this.#settle(acknowledge);
    else acknowledge();
  }

  /** Answers somebody when the client that runs has heard of its grant's shortening. */
  #settle(answer: () => void): void {
    const running = this.#domain.running as ForeignClient | undefined;
    running?.sign();
    if (running) running.whenSettled(answer);
    else answer();
  }

  /** Who does not stand still for it has gone on meanwhile, to somewhere before the end of the window. */
  #stamp(exact: boolean): Instant {
    return exact && this.#open ? this.#domain.now : this.#domain.horizon;
  }

  #broadcast(from: ForeignClient, value: bigint): void {
    const at = this.#stamp(this.#domain.running === from);
    for (const client of this.#members.keys()) {
      if (client === from) continue;
      this.#domain.post(this.#domain, {
        at,
        kind: EventKind.BROADCAST,
        source: from.id,
        sequence: this.#broadcasts++,
        apply: () => this.#domain.raise(client.id, client.notify(value)),
      });
    }
    this.#poke();
  }

  #left(client: ForeignClient, error: OneclockError, fault: boolean): void {
    const host = this.#members.get(client);
    this.#connected.delete(client);
    this.#members.delete(client);
    const text = `${client.name} left at ${formatInstant(this.#now)}: ${error.message}`;
    this.#report(`${text}; its last message was ${client.lastMessage}`, fault);
    if (this.#domain.running === client) this.#pages.rest();
    host?.gone();
    if (this.#begun && this.#members.size === 0) this.#over = true;
  }

  #report(text: string, fault = false): void {
    if (fault) this.#faults++;
    this.options.report(text);
  }

  /** Opens the next window, if there is anything to do in it. */
  #poke(): void {
    if (!this.#begun || this.#open || this.#over) return;
    const { until } = this.options;
    const { next, horizon } = this.#domain;
    if (until < NEVER && next >= until) this.#over = true;
    else if (next < NEVER) {
      this.#open = true;
      this.#domain.open(earlier(until, after(later(next, horizon), WINDOW)));
    }
  }

  #checkHangs(): void {
    const { hangMs } = this.options;
    for (const client of [...this.#members.keys()]) client.checkHang(hangMs);
    for (const segment of this.#segments) segment.checkHang(hangMs);
  }
}
