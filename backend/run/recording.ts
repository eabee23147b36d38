// SPDX-License-Identifier: MIT
import { closeSync } from 'node:fs';
import {
  encodeEntry,
  encodeHeader,
  Framing,
  MAX_RECORDED_BYTES,
  type RecordedInput,
  type RecordingHeader,
} from '../../protocols/recording/index.js';
import { type Instant, later, type RealTime, ZERO } from '../calendar/index.js';
import { writeFully } from '../trace/write-fully.js';
import type { BoardsOwner } from './boards.js';
import type { Copper } from './host-line.js';
import type { Card } from './network.js';
import type { NodeOwner } from './node.js';

/**
 * Records what comes from real time into virtual time (recording.proto).
 *
 * **What it depends on.** Virtual time takes nothing from real time but what {@link RealTime} posts, and what its clock shows
 * at each barrier, by which the windows of the guests are. So a run that gets the same of both is the same.
 *
 * **The clock.** Whoever asks for the time in real time gets that of the last entry: the clock is read when something comes, and
 * at each barrier, and stands in between. What is done within an input happens at the time of that input.
 */
export class Recorder {
  readonly #framing = new Framing();
  /** What waits to be written. */
  #pieces: Uint8Array[] = [];
  #now: Instant = ZERO;
  /** The time of the last entry that was written. */
  #written: Instant = ZERO;
  #clock: () => Instant = () => ZERO;
  /** Inputs that are being handled, one within the other. */
  #depth = 0;
  /** A barrier that is not written yet. */
  #barrier: Instant | undefined;
  /** Whether nobody could run after it, so that it is nothing if the next one follows at once. */
  #isIdle = false;
  /** Frames that came to nodes in real time. */
  #frames = 0n;
  #closed = false;

  /** @param descriptor open for writing, at the beginning of an empty file, and the recorder's own from then on */
  constructor(
    private readonly descriptor: number,
    header: RecordingHeader,
  ) {
    this.#put(encodeHeader(header));
    // At once: that of a run that is killed early is a recording.
    this.flush();
  }

  /** The time in real time. */
  get now(): Instant {
    return this.#now;
  }

  /** Says what shows the time. */
  follow(clock: () => Instant): void {
    this.#clock = clock;
  }

  /** Something comes, now, and is handled by `act`. */
  input<T>(what: RecordedInput | (() => RecordedInput), act: () => T): T {
    this.#tick();
    this.#depth++;
    try {
      this.#writeBarrier();
      this.#write(this.#now, typeof what === 'function' ? what() : what);
      return act();
    } finally {
      this.#depth--;
    }
  }

  /** Lets happen what is due in real time. */
  deliver(timeline: RealTime): void {
    this.#tick();
    if (timeline.due <= this.#now) this.input({ type: 'deliver' }, () => timeline.deliver());
  }

  /** The calendar is about to hold a barrier. */
  closing(): void {
    this.#tick();
    if (!this.#isIdle) this.#writeBarrier();
    this.#barrier = this.#now;
    this.#isIdle = false;
  }

  /** It has opened windows; `idle`: there are none. */
  opened(idle: boolean): void {
    this.#isIdle = idle;
  }

  /** What the devices of a node in real time tell, on its way to `owner`. */
  node(owner: NodeOwner): NodeOwner {
    return {
      acts: (node, what) => owner.acts(node, what),
      transmit: (from, place, bytes) =>
        this.input({ type: 'frame', node: from.spec.index, interface: place, bytes }, () =>
          owner.transmit(from, place, bytes),
        ),
      console: (from, bytes) => {
        for (const piece of pieces(bytes)) {
          this.input({ type: 'console', node: from.spec.index, bytes: piece, at: undefined }, () =>
            owner.console(from, piece),
          );
        }
      },
      drive: (from, line, level) =>
        this.input({ type: 'drive', node: from.spec.index, line, level }, () =>
          owner.drive(from, line, level),
        ),
      released: (from) => this.input({ type: 'released', node: from.spec.index }, () => owner.released(from)),
      reported: (from, message) => {
        const end =
          message.type === 'exited'
            ? { code: message.code }
            : message.type === 'signalled'
              ? { signal: message.signal }
              : undefined;
        this.input({ type: 'reported', node: from.spec.index, end }, () => {
          // Its devices know of the time before this.
          if (end) from.endedAt = this.#now;
          owner.reported(from, message);
        });
      },
      failed: (from, error) =>
        this.input({ type: 'failed', node: from.spec.index, text: error.message }, () =>
          owner.failed(from, error),
        ),
    };
  }

  /** What boards tell, on its way to `owner`. */
  boards(owner: BoardsOwner): BoardsOwner {
    return {
      level: (at, level) =>
        this.input({ type: 'level', high: level === 1, at }, () => owner.level(at, level)),
      senses: (node, line, level, at) =>
        this.input({ type: 'sense', node: node.spec.index, line, high: level === 1, at }, () =>
          owner.senses(node, line, level, at),
        ),
      console: (node, at, bytes) => {
        for (const piece of pieces(bytes)) {
          this.input({ type: 'console', node: node.spec.index, bytes: piece, at }, () =>
            owner.console(node, at, piece),
          );
        }
      },
      ended: (node, at, end) =>
        this.input({ type: 'ended', node: node.spec.index, at, end }, () => owner.ended(node, at, end)),
      failed: (node, error) =>
        this.input({ type: 'failed', node: node.spec.index, text: error.message }, () =>
          owner.failed(node, error),
        ),
      // It ends the run, and is no input.
      stuck: (error) => owner.stuck(error),
    };
  }

  /** What is beyond the lines of this machine on the wire at `wire`. */
  copper(wire: number, copper: Copper): Copper {
    return {
      name: copper.name,
      drive: (active) => copper.drive(active),
      listen: (heard) =>
        copper.listen((held) => this.input({ type: 'copper', wire, held }, () => heard(held))),
    };
  }

  /** A card of a node in real time: whether it has room is up to that. */
  card(card: Card): Card {
    return {
      receive: (bytes) => {
        const frame = this.#frames++;
        const taken = card.receive(bytes);
        if (!taken) this.input({ type: 'refused', frame }, () => undefined);
        return taken;
      },
      setLink: (up) => card.setLink(up),
    };
  }

  /** Hands what was gathered to the kernel; called now and then. @throws OneclockError `MACHINE` where the recording cannot be written */
  flush(): void {
    if (this.#closed || this.#pieces.length === 0) return;
    const bytes = Buffer.concat(this.#pieces);
    this.#pieces = [];
    writeFully(this.descriptor, bytes, 'the recording');
  }

  /** The run is over. Later calls of any method write nothing. @throws as {@link flush} */
  close(): void {
    if (this.#closed) return;
    this.#writeBarrier();
    this.#write(this.#now, { type: 'end' });
    try {
      this.flush();
    } finally {
      this.#closed = true;
      closeSync(this.descriptor);
    }
  }

  #tick(): void {
    if (this.#depth === 0) this.#now = later(this.#now, this.#clock());
  }

  #writeBarrier(): void {
    const at = this.#barrier;
    this.#barrier = undefined;
    if (at !== undefined) this.#write(at, { type: 'barrier' });
  }

  #write(at: Instant, input: RecordedInput): void {
    if (this.#closed) return;
    this.#put(encodeEntry({ passed: at - this.#written, input }));
    this.#written = at;
  }

  #put(message: Uint8Array): void {
    this.#pieces.push(this.#framing.frame(message));
  }
}

function* pieces(bytes: Uint8Array): Iterable<Uint8Array> {
  for (let from = 0; from < bytes.length; from += MAX_RECORDED_BYTES) {
    yield bytes.subarray(from, from + MAX_RECORDED_BYTES);
  }
}
