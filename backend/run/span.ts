// SPDX-License-Identifier: MIT
import type { EventKind, Instant, Timeline } from '../calendar/index.js';
import type { Cable } from '../network/index.js';
import type { CableState } from '../topology/cable-states.js';
import type { Frame, SendFate } from './network.js';

/** What became of a frame at the near end, and when it is at the other one. */
export interface Sending {
  readonly fate: SendFate;
  readonly arrives: Instant | undefined;
}

/** One direction of a link, or of a port of a switch: a cable from one domain to another, on a calendar. */
export class Span {
  /** Frames that were put on the way; those of them that have arrived, or never will; and those that never will. */
  #sent = 0;
  #settled = 0;
  #cut = 0;
  #bytesUnderway = 0;

  constructor(
    readonly cable: Cable,
    private readonly ends: { readonly from: Timeline; readonly to: Timeline },
    private readonly order: { readonly kind: EventKind; readonly source: number },
    /** Called in the domain that it leads to. */
    private readonly arrive: (at: Instant, frame: Frame) => void,
  ) {}

  /** The domain that it leads to. */
  get to(): Timeline {
    return this.ends.to;
  }

  /** Takes a frame, at the present instant of the domain that it comes from. */
  send(at: Instant, frame: Frame): Sending {
    const passage = this.cable.send(at, frame.bytes.length);
    if (passage.fate !== 'delivered') return { fate: passage.fate, arrives: undefined };
    const { arrives } = passage;
    const sequence = this.#sent++;
    this.#bytesUnderway += frame.bytes.length;
    const { kind, source } = this.order;
    this.ends.from.post(this.ends.to, {
      at: arrives,
      kind,
      source,
      sequence,
      apply: () => {
        if (sequence < this.#cut) return;
        this.#settled = sequence + 1;
        this.#bytesUnderway -= frame.bytes.length;
        this.arrive(arrives, frame);
      },
    });
    return { fate: 'delivered', arrives };
  }

  /**
   * From `at` on it is as `state` says; called when everything before `at` has happened, and nothing after it.
   *
   * @returns how many frames were queued or on the way, and do not arrive
   */
  change(at: Instant, state: CableState): number {
    this.cable.change(at, state);
    if (state.up === this.cable.up) return 0;
    if (state.up) {
      this.cable.bringUp(at);
      return 0;
    }
    // Frames of one cable arrive in the order in which they were sent.
    const underway = this.#sent - this.#settled;
    this.cable.takeDown(at, underway, this.#bytesUnderway);
    this.#cut = this.#settled = this.#sent;
    this.#bytesUnderway = 0;
    return underway;
  }
}
