// SPDX-License-Identifier: MIT
import type { Instant } from './time.js';

/**
 * What an event does, and its place among the events of one instant.
 *
 * The order of these numbers is rule T3's second key and is deliberate. Changes of the topology come first, so
 * that what is sent at their instant meets the new state. Frames reach the fabric of a switch before frames reach
 * guests, so that a frame that crosses a switch in no time is on its way when the guests of that instant are
 * disturbed. A script hears of what happened at an instant when all of it has. Interrupts come last: whatever happens to a guest's devices at one instant costs it one interrupt.
 */
export const EventKind = {
  CHANGE: 0,
  FABRIC: 1,
  FRAME: 2,
  EDGE: 3,
  INPUT: 4,
  BROADCAST: 5,
  SCRIPT: 6,
  INTERRUPT: 7,
} as const;
export type EventKind = (typeof EventKind)[keyof typeof EventKind];

/** Something that happens at an instant. */
export interface CalendarEvent {
  readonly at: Instant;
  readonly kind: EventKind;
  /** Who caused it: an identity that is the same in every run of the same topology. */
  readonly source: number;
  /** Counts the events of one source; it makes the order total. */
  readonly sequence: number;
  /** Makes it happen. Called once, while no participant of the domain runs. */
  apply(): void;
}

/**
 * Rule T3: events are ordered by (time, kind, source, source's sequence), and by nothing that depends on the
 * machine, such as the order in which messages came in.
 */
export function happensBefore(a: CalendarEvent, b: CalendarEvent): boolean {
  if (a.at !== b.at) return a.at < b.at;
  if (a.kind !== b.kind) return a.kind < b.kind;
  if (a.source !== b.source) return a.source < b.source;
  return a.sequence < b.sequence;
}
