// SPDX-License-Identifier: MIT
import { OneclockError } from '../errors.js';
import type { CableSpec, ChangeSpec } from '../topology/model.js';
import { parsePercent, parseRate } from '../topology/units.js';
import type { Span } from './engine/index.js';
import { readSpan } from './engine/span.js';

/** What a link does from now on, as a topology would say it. What is left out stays as it is. */
export interface CableChange {
  readonly latency?: Span;
  /** Bits per second: `100mbit`. */
  readonly rate?: string;
  /** The chance that a frame is lost: `0.1%`. */
  readonly loss?: string;
  readonly jitter?: Span;
  /** Frames that may wait, 0 to 1000000. */
  readonly queue?: number;
}

const HOUR = 3_600_000_000_000n;
const MAX_RATE = 1_000_000_000_000n;
const MAX_QUEUE = 1_000_000;
const MAX_LOSS = 1_000_000_000n;

/** @throws OneclockError `INPUT` that says which value cannot be */
export function readCable(change: CableChange): ChangeSpec['cable'] {
  const { latency, rate, loss, jitter, queue, ...others } = change;
  for (const key of Object.keys(others)) throw refused(key, 'one of latency, rate, loss, jitter, queue', key);
  return {
    latency: latency === undefined ? undefined : readDelay('latency', latency),
    rate: rate === undefined ? undefined : readRate(rate),
    loss: loss === undefined ? undefined : readLoss(loss),
    jitter: jitter === undefined ? undefined : readDelay('jitter', jitter),
    queue: queue === undefined ? undefined : readQueue(queue),
  };
}

function readDelay(key: string, span: Span): CableSpec['latency'] {
  const delay = readSpan(span);
  if (delay > HOUR) throw refused(key, 'a duration of at most 1h', span);
  return delay;
}

function readRate(text: string): bigint {
  const rate = parseRate(text);
  if (rate !== undefined && rate > 0n && rate <= MAX_RATE) return rate;
  throw refused('rate', 'a rate with a unit up to 1tbit, such as 100mbit', text);
}

function readLoss(text: string): number {
  const loss = parsePercent(text);
  if (loss !== undefined && loss <= MAX_LOSS) return Number(loss);
  throw refused('loss', 'a percentage from 0% to 100%, such as 0.1%', text);
}

function readQueue(value: number): number {
  if (Number.isInteger(value) && value >= 0 && value <= MAX_QUEUE) return value;
  throw refused('queue', `a whole number from 0 to ${MAX_QUEUE}`, value);
}

function refused(key: string, expected: string, found: unknown): OneclockError {
  return new OneclockError('INPUT', `${key}: expected ${expected}; found ${String(found)}`);
}
