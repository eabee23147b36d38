// SPDX-License-Identifier: MIT
import type { Update } from '../../protocols/write-update/index.js';

/**
 * How a change becomes everybody's.
 *
 * - `ordered`: sent to all, then updated everywhere, the sender included, in the hub's order.
 * - `local-first`: updated locally, then sent to the others; of two changes the later one stands.
 */
export type Method = 'ordered' | 'local-first';

/**
 * Whether `update` stands where `other` stood. For the updates of one variable this is a total order, the same for
 * everyone, so it does not matter in which order they arrive.
 *
 * Ordered: by the hub's sequence. Local first: by virtual time, then rank, member, and the member's own count.
 */
export function supersedes(method: Method, update: Update, other: Update): boolean {
  if (method === 'ordered') return update.sequence > other.sequence;
  if (update.atNs !== other.atNs) return update.atNs > other.atNs;
  if (update.rank !== other.rank) return update.rank > other.rank;
  if (update.origin !== other.origin) return update.origin > other.origin;
  return update.change > other.change;
}

/** Whether `value` is an unsigned number of `size` bytes. */
export function fits(value: bigint, size: number): boolean {
  return value >= 0n && value >> BigInt(8 * size) === 0n;
}
