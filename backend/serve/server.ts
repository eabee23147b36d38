// SPDX-License-Identifier: MIT
import { openSync } from 'node:fs';
import { createSharedMemory, type Listener, NativeHub, type OwnedMemory } from '../../host/native/index.js';
import { SharedPage, sharedPageBytes } from '../../protocols/um-timetravel/index.js';
import {
  Domain,
  type Duration,
  formatInstant,
  type Instant,
  NEVER,
  type ParticipantHost,
} from '../calendar/index.js';
import { OneclockError } from '../errors.js';
import { pump } from '../run/pump.js';
import { ForeignClient } from './foreign-client.js';
import { Segment } from './segment.js';

/** Clients that share the page; whoever comes after them goes by messages. */
const PAGE_CLIENTS = 1023;
/** A place in the page that nobody has: while it runs, clients leave their requests to messages. */
const OUTSIDER = PAGE_CLIENTS + 1;

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

interface Member {
  readonly client: ForeignClient;
  readonly host: ParticipantHost;
}

/**
 * A calendar for clients of the `time-travel=ext:` protocol that somebody else starts. They may reach each other by
 * ways that are not seen here, with no delay, so they are one domain, with one page.
 */
export class Server {
  readonly #hub = new NativeHub();
  readonly #domain: Domain;
  readonly #memory: OwnedMemory;
  readonly #page: SharedPage;
  /** A page that no client takes. */
  readonly #refusal: OwnedMemory;
  readonly #null = openSync('/dev/null', 'r+');
  readonly #listener: Listener;
  readonly #segments: Segment[];
  readonly #connected = new Set<ForeignClient>();
  readonly #members = new Map<ForeignClient, Member>();
  #nextId = 1;
  #begun = false;
  #open = false;
  #over = false;
  #faults = 0;
  #error: OneclockError | undefined;

  /** @throws OneclockError `INPUT` where a socket cannot be made */
  constructor(private readonly options: ServerOptions) {
    this.#domain = new Domain(0, {
      windowDone: () => {
        this.#open = false;
        if (options.until < NEVER && this.#domain.next >= options.until) this.#over = true;
      },
      activated: () => undefined,
    });
    this.#memory = createSharedMemory(sharedPageBytes(OUTSIDER));
    this.#page = new SharedPage(this.#memory.bytes, OUTSIDER);
    this.#refusal = createSharedMemory(sharedPageBytes(1));
    new SharedPage(this.#refusal.bytes, 1).refuse();
    this.#listener = this.#hub.listen(options.time, (descriptor) => this.#connect(descriptor));
    this.#segments = options.net.map(
      (path, index) =>
        new Segment(this.#hub, this.#domain, {
          path,
          index,
          delay: options.netDelay,
          seed: options.seed,
          poke: () => this.#poke(),
          report: options.report,
        }),
    );
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
      return { at: this.#domain.now, faults: this.#faults };
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
    this.#listener.close();
    for (const segment of this.#segments) segment.close();
    this.#hub.close();
    this.#memory.close();
    this.#refusal.close();
  }

  #connect(descriptor: number): void {
    const id = this.#nextId++;
    const shares = this.options.sharedMemory && id <= PAGE_CLIENTS;
    const slot = {
      page: this.#page,
      id: shares ? id : OUTSIDER,
      descriptor: (shares ? this.#memory : this.#refusal).descriptor,
      logDescriptor: this.#null,
    };
    const client = new ForeignClient(
      id,
      slot,
      {
        timeOfDay: this.options.timeOfDay,
        started: (started) => this.#started(started),
        quiet: (quiet) => this.#members.get(quiet)?.host.quiet(),
        now: () => this.#domain.now,
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
    client.reach(this.#domain.now);
    this.#members.set(client, { client, host: this.#domain.add(client) });
    this.options.report(`${client.name} started at ${formatInstant(this.#domain.now)}`);
    if (!this.#begun && this.#members.size < this.options.clients) return;
    this.#begun = true;
    this.#poke();
  }

  /** While one client runs, another that was touched by it asks for its turn: the first may not pass that. */
  #requested(from: ForeignClient, at: Instant, acknowledge: () => void): void {
    const running = this.#domain.running;
    if (running === undefined || running === from) {
      acknowledge();
      return;
    }
    running.curtail(at);
    this.#members.get(running as ForeignClient)?.client.whenSettled(acknowledge);
  }

  #broadcast(from: ForeignClient, value: bigint): void {
    for (const { client } of this.#members.values()) {
      if (client !== from) this.#domain.raise(client.id, client.notify(value));
    }
  }

  #left(client: ForeignClient, error: OneclockError, fault: boolean): void {
    const member = this.#members.get(client);
    this.#connected.delete(client);
    this.#members.delete(client);
    if (fault) this.#faults++;
    const at = formatInstant(this.#domain.now);
    this.options.report(
      `${client.name} left at ${at}: ${error.message}; its last message was ${client.lastMessage}`,
    );
    member?.host.gone();
    if (this.#begun && this.#members.size === 0) this.#over = true;
  }

  /** Goes on, where the domain had nothing left to do. */
  #poke(): void {
    if (!this.#begun || this.#open || this.#over) return;
    this.#open = true;
    this.#domain.open(this.options.until);
  }

  #checkHangs(): void {
    for (const { client } of [...this.#members.values()]) {
      if (client.busyMs < this.options.hangMs) continue;
      client.close();
      const text = `it hangs: it has been running for ${this.options.hangMs / 1000} s of wall time`;
      this.#left(client, new OneclockError('PARTICIPANT', text), true);
    }
  }
}
