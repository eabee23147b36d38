// SPDX-License-Identifier: MIT
import { readFileSync } from 'node:fs';

/** One message of a recording. */
export interface Recorded {
  /** Whether the kernel sent it; else it is the controller's. */
  readonly fromClient: boolean;
  readonly bytes: Uint8Array;
  readonly op: number;
  readonly descriptors: number;
}

/** A line of a recording; undefined for a comment. */
export function parseRecorded(line: string): Recorded | undefined {
  const match = /^([<>]) ([0-9a-f]{8}) ([0-9a-f]{8}) ([0-9a-f]{16})(?: \+(\d))?$/.exec(line);
  if (!match) return undefined;
  const [, mark, op = '', sequence = '', time = '', descriptors = '0'] = match;
  const bytes = Buffer.from(op + sequence + time, 'hex');
  return { fromClient: mark === '>', bytes, op: bytes.readUInt32LE(), descriptors: Number(descriptors) };
}

/** What a kernel and a controller said to each other; the files tell how they were made. */
export function readRecording(name: 'shared' | 'messages'): Recorded[] {
  const text = readFileSync(new URL(`linux-6.12-${name}.hex`, import.meta.url), 'utf8');
  return text.split('\n').flatMap((line) => parseRecorded(line) ?? []);
}

/** The operations that one side has used. */
export function operations(recording: readonly Recorded[], fromClient: boolean): Set<number> {
  return new Set(recording.filter((message) => message.fromClient === fromClient).map(({ op }) => op));
}
