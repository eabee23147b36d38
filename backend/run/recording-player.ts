// SPDX-License-Identifier: MIT
import type { GuestReport } from '../../protocols/agent/index.js';
import type { RecordedEntry, RecordedInput } from '../../protocols/recording/index.js';
import {
  after,
  type Duration,
  duration,
  formatInstant,
  type Instant,
  NO_TIME,
  REAL_TIME_WINDOW,
  type RealTime,
  ZERO,
} from '../calendar/index.js';
import { MAX_FRAME_BYTES, MIN_FRAME_BYTES } from '../devices/virtio-net.js';
import { OneclockError } from '../errors.js';
import type { BoardsOwner } from './boards.js';
import type { Copper } from './host-line.js';
import type { Card } from './network.js';
import type { NodeOwner, RunNode } from './node.js';
import { PERSONS_LATENCY, type Persons } from './persons.js';
import type { Recording } from './recording-file.js';

export interface PlayerOwner {
  readonly timeline: RealTime;
  readonly nodes: readonly RunNode[];
  readonly boards: BoardsOwner;
  readonly persons: Persons | undefined;
  /** The recorded run came to its end, or, with an error, no more of it can be played. */
  ended(error?: OneclockError): void;
}

/** A node that was in real time, with what hears of it. */
interface Played {
  readonly node: RunNode;
  readonly owner: NodeOwner;
}

/**
 * Plays a recording: at each barrier of the calendar, what came from real time since the one before, and what the time was
 * there. That is all that the run depends on, so it is the recorded run again.
 */
export class Player {
  readonly #entries: Generator<RecordedEntry, void>;
  readonly #played = new Map<number, Played>();
  /** What hears of copper, by the place of the wire. */
  readonly #coppers = new Map<number, (held: boolean) => void>();
  #owner: PlayerOwner | undefined;
  #now: Instant = ZERO;
  /** At the last barrier: guests are ahead of it by what they may be. */
  #barrier: Instant = ZERO;
  #written: Instant = ZERO;
  #frames = 0n;
  #isOver = false;

  constructor(readonly recording: Recording) {
    this.#entries = recording.entries();
  }

  /** The time in real time. */
  get now(): Instant {
    return this.#now;
  }

  /** Begins, with the first barrier. */
  begin(owner: PlayerOwner): void {
    this.#owner = owner;
  }

  /** A node that was in real time. */
  add(node: RunNode, owner: NodeOwner): void {
    this.#played.set(node.spec.index, { node, owner });
  }

  /** What was beyond the lines of this machine on the wire at `wire`. */
  copper(wire: number): Copper {
    return {
      name: `wire ${wire}`,
      drive: () => undefined,
      listen: (heard) => this.#coppers.set(wire, heard),
    };
  }

  /** In the place of a card of a node that was in real time. */
  card(): Card {
    return {
      receive: () => !this.recording.refused.has(this.#frames++),
      setLink: () => undefined,
    };
  }

  /** A barrier begins: plays what was before it. */
  play(): void {
    const owner = this.#owner;
    if (this.#isOver || !owner) return;
    try {
      for (;;) {
        const next = this.#entries.next();
        if (next.done) {
          this.#end(owner);
          return;
        }
        const { passed, input } = next.value;
        this.#written = after(this.#written, duration(passed));
        this.#now = this.#written;
        if (input.type === 'barrier') {
          this.#barrier = this.#now;
          return;
        }
        if (input.type === 'end') {
          this.#end(owner);
          return;
        }
        this.#do(owner, input);
      }
    } catch (error) {
      if (!(error instanceof OneclockError) || error.code !== 'INPUT') throw error;
      this.#isOver = true;
      owner.ended(error);
    }
  }

  #end(owner: PlayerOwner): void {
    this.#isOver = true;
    const { damage } = this.recording;
    if (damage === undefined) {
      owner.ended();
      return;
    }
    const text = `the recording was played up to ${formatInstant(this.#now)} s of virtual time, where it is damaged: ${damage}`;
    owner.ended(new OneclockError('INPUT', text));
  }

  #do(owner: PlayerOwner, input: RecordedInput): void {
    const { boards, timeline } = owner;
    switch (input.type) {
      case 'deliver':
        timeline.deliver();
        break;
      case 'frame': {
        const { node, owner: its } = this.#node(input.node);
        check('an interface', input.interface, node.spec.interfaces.length);
        const { length } = input.bytes;
        if (length < MIN_FRAME_BYTES || length > MAX_FRAME_BYTES) throw bad(`a frame, found ${length} bytes`);
        its.transmit(node, input.interface, input.bytes);
        break;
      }
      case 'drive': {
        const { node, owner: its } = this.#node(input.node);
        check('a line', input.line, node.spec.lines.length);
        its.drive(node, input.line, input.level);
        break;
      }
      case 'released': {
        const { node, owner: its } = this.#node(input.node);
        its.released(node);
        break;
      }
      case 'console': {
        const { node, owner: its } = this.#node(input.node);
        if (input.at === undefined) its.console(node, input.bytes);
        else boards.console(node, input.at as Instant, input.bytes);
        break;
      }
      case 'reported':
        this.#report(input);
        break;
      case 'ended':
        boards.ended(this.#node(input.node).node, input.at as Instant, input.end);
        break;
      case 'failed': {
        const { node } = this.#node(input.node);
        boards.failed(node, new OneclockError('PARTICIPANT', input.text));
        break;
      }
      case 'level':
        this.#checkInstant(input.at, NO_TIME);
        boards.level(input.at as Instant, input.high ? 1 : 0);
        break;
      case 'sense': {
        const node = owner.nodes[input.node];
        if (!node || this.#played.has(input.node)) throw bad(`a guest, found node ${input.node}`);
        check('a line', input.line, node.spec.lines.length);
        this.#checkInstant(input.at, REAL_TIME_WINDOW);
        boards.senses(node, input.line, input.high ? 1 : 0, input.at as Instant);
        break;
      }
      case 'copper': {
        const heard = this.#coppers.get(input.wire);
        if (!heard) throw bad(`a wire with lines of this machine, found wire ${input.wire}`);
        heard(input.held);
        break;
      }
      case 'shell': {
        const node = owner.nodes[input.node];
        if (!owner.persons || !node || this.#played.has(input.node)) throw bad('no shell, found one');
        this.#checkInstant(input.at, PERSONS_LATENCY);
        owner.persons.replay(input);
        break;
      }
    }
  }

  #report({ node: index, end }: Extract<RecordedInput, { type: 'reported' }>): void {
    const { node, owner } = this.#node(index);
    const report: GuestReport =
      end === undefined
        ? { type: 'ready' }
        : 'code' in end
          ? { type: 'exited', ...end }
          : { type: 'signalled', ...end };
    node.note(report);
    owner.reported(node, report);
  }

  /** No event comes where guests may have been already. */
  #checkInstant(at: bigint, ahead: Duration): void {
    const earliest = after(this.#barrier, ahead);
    if (at < earliest) throw bad(`an instant from ${earliest} on, found ${at}`);
  }

  #node(index: number): Played {
    const played = this.#played.get(index);
    if (!played) throw bad(`a node in real time, found node ${index}`);
    return played;
  }
}

function check(what: string, found: number, count: number): void {
  if (found >= count) throw bad(`${what} below ${count}, found ${found}`);
}

function bad(text: string): OneclockError {
  return new OneclockError('INPUT', `the recording does not fit to its topology: expected ${text}`);
}
