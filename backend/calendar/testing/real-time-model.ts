// SPDX-License-Identifier: MIT
import type { RealTime } from '../real-time.js';
import { after, between, type Duration, duration, earlier, type Instant, ZERO } from '../time.js';
import {
  FakeWorld,
  type Message,
  type Model,
  type ModelNode,
  type ModelTrace,
  nextTimer,
  react,
  startNode,
  takeTimer,
} from './model.js';

/** Fractions of the way to the next thing that a clock goes in one step. */
const PARTS = 4;

/** A board of the model: what it does, it does at the present time of its clock, unless it is frozen. */
class FakeBoard {
  readonly #inbox: Message[] = [];
  readonly #node: ModelNode;

  constructor(
    readonly id: number,
    readonly timeline: RealTime,
    model: Model,
    private readonly world: RealTimeWorld,
  ) {
    this.#node = startNode(model, id);
  }

  get next(): Instant {
    return nextTimer(this.#node);
  }

  receive(message: Message): void {
    if (message.at > this.timeline.now)
      throw new Error(`T6: a board took a message of ${message.at} at ${this.timeline.now}`);
    this.#inbox.push(message);
  }

  act(): void {
    // Within one instant, what has been sent later may have come sooner.
    this.#inbox.sort((a, b) => Number(a.at - b.at) || a.from - b.from || a.sequence - b.sequence);
    for (const { from, sequence } of this.#inbox.splice(0)) this.#react(`message ${from}.${sequence}`);
    for (let next = this.next; next <= this.timeline.now; next = this.next) {
      takeTimer(this.#node, next);
      this.#react('timer');
    }
  }

  #react(why: string): void {
    const at = this.timeline.now;
    this.world.fake.trace.push(`${at} ${this.id} ${why}`);
    for (const link of react(this.#node, at, this.world.fake.linksFrom(this.id)))
      this.world.fake.send(this, link, at);
  }
}

export interface Pace {
  /** How far the clock goes on past its horizon before it is stopped; 0: it stops there, and at whatever is due. */
  readonly overrun: Duration;
  /** Whether the clock goes straight to what comes next. */
  readonly straight: boolean;
  /** Whether guests are done before it goes on. */
  readonly quick?: boolean;
}

/** The model on the real calendar, one of whose nodes is a board; with a clock that the test drives as a run does. */
export class RealTimeWorld {
  readonly fake: FakeWorld;
  freezes = 0;
  #now: Instant = ZERO;
  #frozen = true;
  #timeline!: RealTime;
  #board!: FakeBoard;

  constructor(
    model: Model,
    board: number,
    jobs: number,
    private readonly random: (below: number) => number,
    private readonly until: Instant,
    private readonly pace: Pace,
  ) {
    this.fake = new FakeWorld(model, jobs, random, until, {
      node: board,
      make: ({ calendar }) => {
        this.#timeline = calendar.addRealTime(() => this.#now);
        this.#board = new FakeBoard(board, this.#timeline, model, this);
        return this.#board;
      },
    });
  }

  get worstLateness(): bigint {
    return this.#timeline.worstLateness;
  }

  run(): ModelTrace {
    const { fake, random, pace } = this;
    fake.start();
    while (!fake.ended) {
      this.#step();
      if (fake.ended) break;
      // Else guests and boards are as fast as they like.
      const worked = (pace.quick || random(2) === 0) && fake.work();
      if (!worked && !this.#frozen) this.#pass();
      else if (!worked && !fake.work())
        throw new Error(`all wait for each other at ${this.#now}, horizon ${this.#timeline.horizon}`);
    }
    return fake.trace;
  }

  /** As Boards.step() does. */
  #step(): void {
    const timeline = this.#timeline;
    const { calendar } = this.fake;
    timeline.deliver();
    if (timeline.outbox.length > 0 || this.#now >= calendar.wake) calendar.resume();
    if (this.#now >= timeline.horizon) this.#freeze();
    else if (calendar.waiting) this.#frozen = false;
  }

  #freeze(): void {
    // Where the run has ended, they stand as well.
    if (!this.#frozen && !this.fake.ended) this.freezes++;
    this.#frozen = true;
  }

  /** The board does what there is to do now, and its clock goes on. */
  #pass(): void {
    const { overrun, straight } = this.pace;
    this.#board.act();
    const timeline = this.#timeline;
    const { calendar } = this.fake;
    if (timeline.outbox.length > 0 && calendar.waiting) return;
    let end = [timeline.due, timeline.horizon, this.#board.next].reduce(earlier, this.until);
    if (straight || this.random(2) === 0) end = earlier(end, calendar.wake);
    if (end <= this.#now) return;
    const way = between(this.#now, end);
    const parts = straight ? PARTS : 1 + this.random(PARTS);
    const late = overrun === 0n ? 0n : BigInt(this.random(Number(overrun) + 1));
    this.#now = after(this.#now, duration((way * BigInt(parts)) / BigInt(PARTS) + late));
  }
}
