// SPDX-License-Identifier: MIT
import { expect } from 'vitest';
import type { Sighting } from './capture.js';

/** One direction of a cable without loss and jitter, whose rate makes a byte take whole nanoseconds. */
export interface CableModel {
  readonly latencyNs: bigint;
  readonly bitsPerSecond: bigint;
  /** Frames that may wait behind the one on the cable. */
  readonly queue: number;
}

/** What becomes of frames by the arithmetic alone: when each arrives; undefined where the queue was full. */
export function predict(sent: readonly Sighting[], cable: CableModel): (bigint | undefined)[] {
  const finishes: bigint[] = [];
  return sent.map(({ at, bytes }) => {
    const waiting = finishes.filter((finish) => finish > at).length;
    if (waiting > cable.queue) return undefined;
    const begin = waiting > 0 ? (finishes.at(-1) as bigint) : at;
    const finish = begin + (BigInt(bytes.length) * 8_000_000_000n) / cable.bitsPerSecond;
    finishes.push(finish);
    return finish + cable.latencyNs;
  });
}

/** Every frame that was sent arrived when the arithmetic says, or was dropped where it says so. */
export function expectPassage(
  sent: readonly Sighting[],
  received: readonly Sighting[],
  cable: CableModel,
): void {
  const fates = predict(sent, cable);
  expect(sent.map(({ dropped }) => dropped !== undefined)).toEqual(fates.map((fate) => fate === undefined));
  const through = sent.flatMap(({ bytes }, place) => {
    const arrives = fates[place];
    return arrives === undefined ? [] : [{ at: arrives, bytes: bytes.toString('hex') }];
  });
  // What arrives after the end of the run is not in its capture.
  expect(received.map(({ at, bytes }) => ({ at, bytes: bytes.toString('hex') }))).toEqual(
    through.slice(0, received.length),
  );
  expect(through.length - received.length).toBeLessThanOrEqual(cable.queue + 1);
}
