// SPDX-License-Identifier: MIT
import {
  after,
  type Duration,
  duration,
  formatDuration,
  type Instant,
  instant,
  NEVER,
} from '../calendar/time.js';
import { OneclockError } from '../errors.js';

/** A slot of a major frame, as it is written. */
export interface SlotSpec {
  readonly partition: string;
  /** From the beginning of the frame. */
  readonly at: Duration;
  readonly length: Duration;
}

/** A slot in one frame: a partition has the processor from `start` up to, and not including, `end`. */
export interface Slot {
  readonly start: Instant;
  readonly end: Instant;
}

/**
 * Who has a processor when: the slots of a major frame, which is repeated from the beginning of the run on.
 */
export class Schedule {
  readonly #tables = new Map<string, SlotSpec[]>();

  /** @throws OneclockError `INPUT` where a slot is empty, leaves the frame, or begins before the end of the one before it */
  constructor(
    readonly frame: Duration,
    slots: readonly SlotSpec[],
  ) {
    if (frame <= 0n) throw bad(`expected a frame above 0s; found ${formatDuration(frame)}`);
    let free = 0n;
    slots.forEach((slot, place) => {
      const { partition, at, length } = slot;
      const end = duration(at + length);
      if (length <= 0n) throw bad(`expected a length above 0s in slot ${place} of ${partition}`);
      if (at < free || end > frame) {
        throw bad(
          `expected slot ${place} of ${partition} between ${formatDuration(duration(free))} and ` +
            `${formatDuration(frame)}; found it from ${formatDuration(at)} to ${formatDuration(end)}`,
        );
      }
      free = end;
      const table = this.#tables.get(partition);
      if (table) table.push(slot);
      else this.#tables.set(partition, [slot]);
    });
  }

  /** The slot in which `partition` has the processor at `at`; undefined: it is absent. */
  slotAt(partition: string, at: Instant): Slot | undefined {
    const table = this.#table(partition);
    const offset = at % this.frame;
    // The last that does not begin after it.
    const slot = table[firstFrom(table, offset + 1n) - 1];
    if (slot === undefined || offset >= slot.at + slot.length) return undefined;
    return this.#place(slot, at - offset);
  }

  /** The first slot of `partition` that begins at `at` or later; undefined: there is none before NEVER. */
  slotFrom(partition: string, at: Instant): Slot | undefined {
    const table = this.#table(partition);
    const offset = at % this.frame;
    const slot = table[firstFrom(table, offset)];
    const frame = at - offset;
    const place = slot
      ? this.#place(slot, frame)
      : this.#place(table[0] as SlotSpec, after(instant(frame), this.frame));
    return place.start === NEVER ? undefined : place;
  }

  #table(partition: string): readonly SlotSpec[] {
    const table = this.#tables.get(partition);
    if (table === undefined) throw bad(`expected a slot of ${partition}; found none`);
    return table;
  }

  #place(slot: SlotSpec, frame: bigint): Slot {
    const start = instant(frame + slot.at);
    return { start, end: after(start, slot.length) };
  }
}

/** The place of the first slot that begins at `offset` or later. */
function firstFrom(table: readonly SlotSpec[], offset: bigint): number {
  let [low, high] = [0, table.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((table[middle] as SlotSpec).at < offset) low = middle + 1;
    else high = middle;
  }
  return low;
}

function bad(message: string): OneclockError {
  return new OneclockError('INPUT', message);
}
