// SPDX-License-Identifier: MIT
import { Calendar, type Domain, EventKind, Lookahead, type Timeline, type Way } from '../index.js';
import type { Participant, ParticipantHost } from '../participant.js';
import { after, type Duration, duration, earlier, type Instant, instant, NEVER, ZERO } from '../time.js';

/** A small generator for tests: the same seed, the same numbers (mulberry32). */
export function numbers(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** A participant of the model: it reacts to timers and messages with more of both, until its budget is spent. */
export interface ModelNode {
  readonly timers: Instant[];
  readonly random: (below: number) => number;
  readonly scale: bigint;
  budget: number;
}

/** One direction of a link. */
export interface ModelLink {
  readonly id: number;
  readonly from: number;
  readonly to: number;
  /** From each instant on, ascending, the first 0; undefined: what is sent is lost. */
  readonly latencies: readonly { readonly since: Instant; readonly latency: Duration | undefined }[];
}

export interface Model {
  readonly nodes: readonly number[];
  readonly links: readonly ModelLink[];
  readonly seed: number;
  /** Nanoseconds of one step of its times. */
  readonly scale: bigint;
}

/**
 * Random nodes and links whose latency may change, or that go down for a time; latency 0 is among them, and joins
 * domains. Every other model has one node that many are linked to, as a switch is.
 *
 * @param apart a node that is a domain of its own: none of its links is without latency
 */
export function randomModel(seed: number, scale = 1n, apart?: number): Model {
  const random = numbers(seed);
  const count = 1 + random(9);
  const nodes = Array.from({ length: count }, (_, index) => index);
  const links: ModelLink[] = [];
  const latency = (near: boolean) => {
    const steps = BigInt([0, 1, 3, 10, 50, 1000][random(6)] as number);
    return duration((near || steps > 0n ? steps : 1n) * scale);
  };
  for (let i = 0; i < count + random(8); i++) {
    const from = seed % 2 === 0 && random(3) > 0 ? 0 : random(count);
    const to = random(count);
    if (from === to) continue;
    const near = from !== apart && to !== apart;
    const latencies: { since: Instant; latency: Duration | undefined }[] = [
      { since: ZERO, latency: latency(near) },
    ];
    for (let since = random(150); since < 300 && random(3) === 0; since += 1 + random(100)) {
      const changed = random(4) === 0 ? undefined : latency(near);
      latencies.push({ since: instant(BigInt(since) * scale), latency: changed });
    }
    const id = links.length;
    links.push({ id, from, to, latencies }, { id: id + 1, from: to, to: from, latencies });
  }
  return { nodes, links, seed, scale };
}

/** What `link` takes for a message that is sent at `at`. */
export function latencyAt(link: ModelLink, at: Instant): Duration | undefined {
  return link.latencies.findLast(({ since }) => since <= at)?.latency;
}

export function startNode(model: Model, index: number): ModelNode {
  const random = numbers(model.seed * 31 + index);
  const { scale } = model;
  const timers = Array.from({ length: 1 + random(3) }, () => instant(BigInt(random(200)) * scale));
  return { timers, random, scale, budget: 40 };
}

/** What a node does at `at`, because of a timer or a message: the messages it sends, in order. */
export function react(node: ModelNode, at: Instant, links: readonly ModelLink[]): ModelLink[] {
  if (node.budget-- <= 0) return [];
  if (node.random(3) > 0) node.timers.push(after(at, duration(BigInt(1 + node.random(100)) * node.scale)));
  if (links.length === 0) return [];
  return Array.from({ length: node.random(3) }, () => links[node.random(links.length)] as ModelLink);
}

export function takeTimer(node: ModelNode, at: Instant): boolean {
  const place = node.timers.indexOf(at);
  if (place < 0) return false;
  node.timers.splice(place, 1);
  return true;
}

export function nextTimer(node: ModelNode): Instant {
  return node.timers.reduce(earlier, NEVER);
}

/** A line for each reaction: when, who, why. Sorted, so that what ran at once has no order. */
export type ModelTrace = string[];

export interface Message {
  readonly sent: Instant;
  readonly at: Instant;
  readonly from: number;
  readonly sequence: number;
}

/** A node of the model on the calendar. */
interface FakeNode {
  readonly id: number;
  readonly timeline: Timeline;
  /** A message has come to its timeline. */
  receive(message: Message): void;
}

class FakeParticipant implements Participant, FakeNode {
  now: Instant = ZERO;
  inbox: Message[] = [];
  readonly host: ParticipantHost;
  #until: Instant = ZERO;
  #last: Message | undefined;

  constructor(
    readonly id: number,
    private readonly node: ModelNode,
    readonly timeline: Domain,
    private readonly world: FakeWorld,
  ) {
    this.host = timeline.add(this);
  }

  get name(): string {
    return `n${this.id}`;
  }

  get wake(): Instant {
    return this.inbox.length > 0 ? this.now : nextTimer(this.node);
  }

  /** Handles what is due, as a guest would, and ends whenever the test lets it. */
  run(at: Instant, until: Instant): void {
    if (at < this.now) throw new Error(`T1: ${this.name} ran at ${at} after ${this.now}`);
    this.now = at;
    this.#until = until;
    this.world.later(() => this.#work());
  }

  curtail(until: Instant): void {
    if (until < this.#until) this.#until = until;
  }

  reach(at: Instant): void {
    if (at < this.now) throw new Error(`T6: ${this.name} was at ${this.now} when it was reached at ${at}`);
    this.now = at;
  }

  receive(message: Message): void {
    this.timeline.raise(this.id, {
      participant: this,
      deliver: (done) => {
        this.#take(message);
        done();
      },
    });
  }

  /** A message arrives at the present instant. */
  #take(message: Message): void {
    const { at, from, sequence } = message;
    if (this.now !== at) throw new Error(`T6: ${this.name} took a message of ${at} at ${this.now}`);
    const last = this.#last;
    // What was sent at this very instant may follow whatever had arrived before.
    if (last?.at === at && message.sent < at) {
      const ordered = last.from < from || (last.from === from && last.sequence < sequence);
      if (!ordered)
        throw new Error(`T3: ${this.name} took ${from}.${sequence} after ${last.from}.${last.sequence}`);
    }
    if (message.sent < at) this.#last = message;
    this.inbox.push(message);
  }

  #work(): void {
    for (let message = this.inbox.shift(); message; message = this.inbox.shift()) {
      this.#react(this.now, `message ${message.from}.${message.sequence}`);
    }
    for (;;) {
      const next = nextTimer(this.node);
      if (next >= this.#until) break;
      if (next > this.now) this.now = next;
      takeTimer(this.node, next);
      this.#react(this.now, 'timer');
    }
    this.host.quiet();
  }

  #react(at: Instant, why: string): void {
    this.world.trace.push(`${at} ${this.id} ${why}`);
    const links = this.world.linksFrom(this.id);
    if (at !== this.timeline.now)
      throw new Error(`T2: ${this.name} acts at ${at}, its domain is at ${this.timeline.now}`);
    for (const link of react(this.node, at, links)) this.world.send(this, link, at);
  }
}

/** The model on the real calendar, with participants that answer in an order that the test chooses. */
export class FakeWorld {
  readonly trace: ModelTrace = [];
  readonly nodes: FakeNode[];
  readonly calendar: Calendar;
  ended = false;
  barriers = 0;
  #safe: Instant = ZERO;
  readonly #pending: (() => void)[] = [];
  readonly #counters = new Map<number, number>();
  /** What holds now, by link. */
  readonly #latencies: (Duration | undefined)[] = [];

  constructor(
    private readonly model: Model,
    jobs: number,
    private readonly order: (below: number) => number,
    until: Instant,
    /** Makes the node that is in a world of its own, on the calendar. */
    apart?: { readonly node: number; make(world: FakeWorld): FakeNode },
  ) {
    this.calendar = new Calendar({
      jobs,
      until,
      activated: () => undefined,
      barrier: (safe) => {
        if (safe < this.#safe) throw new Error(`T1: the barrier went back from ${this.#safe} to ${safe}`);
        this.#safe = safe;
        this.barriers++;
      },
      ended: () => {
        this.ended = true;
      },
    });
    const group = joinZero(model);
    const domains = new Map<number, Domain>();
    this.nodes = model.nodes.map((index) => {
      if (index === apart?.node) return apart.make(this);
      const key = group[index] as number;
      const domain = domains.get(key) ?? this.calendar.addDomain();
      domains.set(key, domain);
      return new FakeParticipant(index, startNode(model, index), domain, this);
    });
  }

  linksFrom(node: number): ModelLink[] {
    return this.model.links.filter((link) => link.from === node);
  }

  /** A participant's work, done when the test picks it. */
  later(work: () => void): void {
    this.#pending.push(work);
  }

  send(from: FakeNode, link: ModelLink, at: Instant): void {
    const target = this.nodes[link.to] as FakeNode;
    const sequence = this.#count(from.id);
    const latency = this.#latencies[link.id];
    if (latency === undefined) return;
    const arrives = after(at, latency);
    from.timeline.post(target.timeline, {
      at: arrives,
      kind: EventKind.FRAME,
      source: from.id,
      sequence,
      apply: () => target.receive({ sent: at, at: arrives, from: from.id, sequence }),
    });
  }

  #count(source: number): number {
    const next = this.#counters.get(source) ?? 0;
    this.#counters.set(source, next + 1);
    return next;
  }

  run(): ModelTrace {
    this.start();
    while (this.work());
    if (!this.ended) throw new Error('the calendar stopped without an end');
    return this.trace;
  }

  /** Lets one participant answer. @returns whether there was one */
  work(): boolean {
    if (this.#pending.length === 0) return false;
    const [work] = this.#pending.splice(this.order(this.#pending.length), 1);
    work?.();
    return true;
  }

  start(): void {
    const lookahead = new Lookahead(this.calendar.timelines.length);
    for (const { id, from, to, latencies } of this.model.links) {
      const [a, b] = [from, to].map((node) => this.nodes[node]?.timeline) as [Timeline, Timeline];
      let way: Way | undefined;
      if (a !== b) way = lookahead.connect(a.index, b.index, undefined);
      for (const { since, latency } of latencies) {
        this.calendar.at(since, () => {
          if (this.#safe > since)
            throw new Error(`T6: a change of ${since} came when ${this.#safe} was safe`);
          this.#latencies[id] = latency;
          if (way) lookahead.change(way, latency);
        });
      }
    }
    this.calendar.start(lookahead);
  }
}

function joinZero(model: Model): number[] {
  const group = model.nodes.map((index) => index);
  for (let changed = true; changed; ) {
    changed = false;
    for (const { from, to, latencies } of model.links) {
      if (!latencies.some(({ latency }) => latency === 0n) || group[from] === group[to]) continue;
      const least = Math.min(group[from] as number, group[to] as number);
      group[from] = least;
      group[to] = least;
      changed = true;
    }
  }
  return group;
}

/**
 * The plain calendar: at each instant, all messages that are due are handed out; then, as long as there is one, the
 * first node with something to do does it: its messages, then its timers of that instant, until it has sent a
 * message that arrives at once.
 */
export function referenceTrace(model: Model, until: Instant): ModelTrace {
  const nodes = model.nodes.map((index) => startNode(model, index));
  const inboxes: { from: number; sequence: number }[][] = model.nodes.map(() => []);
  let messages: { at: Instant; from: number; sequence: number; to: number }[] = [];
  const counters = model.nodes.map(() => 0);
  const trace: ModelTrace = [];
  const act = (index: number, at: Instant, why: string) => {
    trace.push(`${at} ${index} ${why}`);
    const links = model.links.filter((link) => link.from === index);
    for (const link of react(nodes[index] as ModelNode, at, links)) {
      const sequence = counters[index] as number;
      counters[index] = sequence + 1;
      const latency = latencyAt(link, at);
      if (latency === undefined) continue;
      messages.push({ at: after(at, latency), from: index, sequence, to: link.to });
    }
  };
  for (;;) {
    const times = [...messages.map(({ at }) => at), ...nodes.map(nextTimer)];
    const now = times.reduce(earlier, NEVER);
    if (now >= until) return trace;
    for (;;) {
      const due = messages.filter(({ at }) => at === now);
      messages = messages.filter(({ at }) => at !== now);
      due.sort((a, b) => a.from - b.from || a.sequence - b.sequence);
      for (const message of due) inboxes[message.to]?.push(message);
      const index = nodes.findIndex((node, place) => inboxes[place]?.length || nextTimer(node) === now);
      if (index < 0) break;
      for (const { from, sequence } of inboxes[index]?.splice(0) ?? [])
        act(index, now, `message ${from}.${sequence}`);
      while (!messages.some(({ at }) => at === now) && takeTimer(nodes[index] as ModelNode, now))
        act(index, now, 'timer');
    }
  }
}
