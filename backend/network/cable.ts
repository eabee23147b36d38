// SPDX-License-Identifier: MIT
import { type Instant, instant, NEVER, ZERO } from '../calendar/time.js';
import { invariant } from '../errors.js';
import type { CableSpec } from '../topology/model.js';
import { InstantQueue } from './instant-queue.js';
import type { Random } from './random.js';

/** Nanoseconds in a second times bits in a byte: what a byte takes at 1 bit/s. */
const BYTE_AT_ONE_BIT = 8_000_000_000n;
const CERTAIN = 1_000_000_000;

/**
 * What became of a frame.
 *
 * - `delivered`: its first bit enters the cable at `starts`, all of it is at the other end at `arrives`
 *   ({@link NEVER} where that lies past the end of time).
 * - `lost`: it took its time on the cable from `starts` on, and did not arrive.
 * - `queue-full`: it never reached the cable.
 * - `link-down`: nor did this one, for nothing gets through.
 */
export type Passage =
  | { readonly fate: 'delivered'; readonly starts: Instant; readonly arrives: Instant }
  | { readonly fate: 'lost'; readonly starts: Instant }
  | { readonly fate: 'queue-full' | 'link-down' };

/** `frames` = `delivered` + all of `dropped`, at every moment. */
export interface CableStatistics {
  /** Given to the cable, with what was dropped. */
  readonly frames: number;
  readonly bytes: number;
  /** Arrived, or on the way to the other end. */
  readonly delivered: number;
  readonly deliveredBytes: number;
  readonly dropped: {
    readonly queueFull: number;
    readonly lost: number;
    /** Given to it while it was down, or cut off when it went down. */
    readonly linkDown: number;
  };
}

const QUEUE_FULL: Passage = Object.freeze({ fate: 'queue-full' });
const LINK_DOWN: Passage = Object.freeze({ fate: 'link-down' });

/**
 * One direction of a cable: a queue that drops at its tail, a serialiser, and a delay.
 *
 * **Bytes** are those of the Ethernet frame as virtio-net carries it, from the destination address to the end of
 * the payload. Preamble, frame check sequence and gap between frames are not counted, and short frames are not
 * padded: `rate` is a rate of frame bytes.
 *
 * **Rate**: a frame starts when the one before it has finished, and takes bytes * 8 / rate seconds. The finish is
 * kept as an exact fraction of a nanosecond while the cable is busy; only the instants that are given out are
 * rounded, up to the next nanosecond. So errors do not add up, and a busy cable carries exactly its rate.
 *
 * **Queue**: `queue` frames may wait behind the one that is being serialised. A frame that finishes at the very
 * instant another is sent has left.
 *
 * **Chance**: each frame that reached the cable makes two draws, in this order: whether it is lost, then
 * its jitter. Both are made whatever `loss` and `jitter` are, so the n-th accepted frame meets the same luck
 * whichever of the two is in use, and a higher loss loses a superset of the frames.
 *
 * **Order**: no frame arrives before one that was sent earlier; jitter, and a change to a shorter latency, can at
 * most make the two arrive together.
 *
 * **Down**: what is in the queue or on the way when the cable goes down does not arrive, and what is given to it until
 * it comes up reaches nothing. It comes up idle.
 */
export class Cable {
  /** The instant of the last call. */
  private now = ZERO;
  /** The end of the last accepted frame is `finish` + `remainder` / `denominator` nanoseconds, exactly. */
  private finish = 0n;
  private remainder = 0n;
  /** A byte takes `numerator` / `denominator` nanoseconds, in lowest terms. */
  private numerator = 0n;
  private denominator = 1n;
  private jitterLimit = 1n;
  /** The rounded ends of the frames that have not finished: the one on the cable, then those that wait. */
  private readonly unfinished = new InstantQueue();
  private lastArrival = ZERO;
  private frames = 0;
  private bytes = 0;
  private delivered = 0;
  private deliveredBytes = 0;
  private queueFull = 0;
  private lost = 0;
  private linkDown = 0;
  private connected = true;

  /** @param random the cable's own stream: two cables that share one disturb each other's luck */
  constructor(
    private current: CableSpec,
    private readonly random: Random,
  ) {
    this.adopt(current);
  }

  /** Whether anything gets through. */
  get up(): boolean {
    return this.connected;
  }

  /** What holds for the next frame. */
  get spec(): CableSpec {
    return this.current;
  }

  get statistics(): CableStatistics {
    return {
      frames: this.frames,
      bytes: this.bytes,
      delivered: this.delivered,
      deliveredBytes: this.deliveredBytes,
      dropped: { queueFull: this.queueFull, lost: this.lost, linkDown: this.linkDown },
    };
  }

  /**
   * A frame of `bytes` comes to the near end.
   *
   * @param at not before the instant of any earlier call
   * @throws OneclockError INTERNAL where time runs backward or `bytes` is not a whole number
   */
  send(at: Instant, bytes: number): Passage {
    this.advance(at);
    invariant(Number.isSafeInteger(bytes) && bytes >= 0, () => `a frame of ${bytes} bytes came to a cable`);
    this.frames++;
    this.bytes += bytes;
    if (!this.connected) {
      this.linkDown++;
      return LINK_DOWN;
    }
    if (this.unfinished.size > this.current.queue) {
      this.queueFull++;
      return QUEUE_FULL;
    }
    const starts = this.serialise(at, bytes);
    const lost = this.random.belowNumber(CERTAIN) < this.current.loss;
    const delay = this.drawJitter();
    if (lost) {
      this.lost++;
      return { fate: 'lost', starts };
    }
    const earliest = instant(this.roundedFinish() + this.current.latency + delay);
    if (earliest > this.lastArrival) this.lastArrival = earliest;
    this.delivered++;
    this.deliveredBytes += bytes;
    return { fate: 'delivered', starts, arrives: this.lastArrival };
  }

  /**
   * From `at` on the cable is another one. Frames that were sent keep their times, also those that still wait;
   * the next frame starts after them. A new rate begins at a whole nanosecond: the fraction of the last finish
   * is rounded up, once. Frames that wait in a queue that became shorter stay in it.
   *
   * @param at not before the instant of any earlier call
   */
  change(at: Instant, spec: CableSpec): void {
    this.advance(at);
    if (spec.rate !== this.current.rate) {
      this.finish = this.roundedFinish();
      this.remainder = 0n;
    }
    this.adopt(spec);
  }

  /**
   * From `at` on nothing gets through.
   *
   * @param at not before the instant of any earlier call
   * @param frames how many were `delivered` and do not arrive, since their arrival is not before `at`
   * @param bytes theirs
   */
  takeDown(at: Instant, frames: number, bytes: number): void {
    this.advance(at);
    this.connected = false;
    this.delivered -= frames;
    this.deliveredBytes -= bytes;
    this.linkDown += frames;
    while (this.unfinished.size > 0) this.unfinished.shift();
    this.lastArrival = at;
  }

  /** From `at` on frames get through again. */
  bringUp(at: Instant): void {
    this.advance(at);
    this.connected = true;
  }

  private adopt(spec: CableSpec): void {
    const possible =
      spec.latency >= 0n &&
      (spec.rate === undefined || spec.rate > 0n) &&
      Number.isInteger(spec.loss) &&
      spec.loss >= 0 &&
      spec.loss <= CERTAIN &&
      spec.jitter >= 0n &&
      spec.jitter < NEVER &&
      spec.queue >= 0;
    invariant(
      possible,
      () =>
        `an impossible cable: latency ${spec.latency}ns, rate ${spec.rate}, loss ${spec.loss}, ` +
        `jitter ${spec.jitter}ns, queue ${spec.queue}`,
    );
    const rate = spec.rate ?? BYTE_AT_ONE_BIT;
    const common = greatestCommonDivisor(BYTE_AT_ONE_BIT, rate);
    this.numerator = spec.rate === undefined ? 0n : BYTE_AT_ONE_BIT / common;
    this.denominator = rate / common;
    this.jitterLimit = spec.jitter + 1n;
    this.current = spec;
  }

  /** Moves to `at` and lets go of the frames that have finished by then. */
  private advance(at: Instant): void {
    const from = this.now;
    invariant(
      at >= from,
      () => `time ran backward on a cable: a call at ${at}ns came after one at ${from}ns`,
    );
    this.now = at;
    for (;;) {
      const end = this.unfinished.peek();
      if (end === undefined || end > at) return;
      this.unfinished.shift();
    }
  }

  /** Puts a frame behind those that have not finished. @returns the instant at which it starts */
  private serialise(at: Instant, bytes: number): Instant {
    if (this.unfinished.size === 0) {
      this.finish = at;
      this.remainder = 0n;
    }
    const starts = instant(this.roundedFinish());
    const parts = this.remainder + BigInt(bytes) * this.numerator;
    if (this.denominator === 1n) {
      this.finish += parts;
    } else {
      this.finish += parts / this.denominator;
      this.remainder = parts % this.denominator;
    }
    const ends = instant(this.roundedFinish());
    if (ends > at) this.unfinished.push(ends);
    return starts;
  }

  private roundedFinish(): bigint {
    return this.remainder === 0n ? this.finish : this.finish + 1n;
  }

  private drawJitter(): bigint {
    if (this.jitterLimit !== 1n) return this.random.below(this.jitterLimit);
    this.random.skip();
    return 0n;
  }
}

function greatestCommonDivisor(a: bigint, b: bigint): bigint {
  return b === 0n ? a : greatestCommonDivisor(b, a % b);
}
