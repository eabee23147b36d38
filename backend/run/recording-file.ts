// SPDX-License-Identifier: MIT
import { createHash } from 'node:crypto';
import { openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  decodeEntry,
  decodeHeader,
  type RecordedEntry,
  type RecordingHeader,
  Unframing,
} from '../../protocols/recording/index.js';
import { OneclockError } from '../errors.js';
import { Recorder } from './recording.js';

const RECORDING_FILE = 'recording';
/** The copy of the topology file beside it. */
const TOPOLOGY_FILE = 'topology.yaml';

/** A run to be recorded. */
export interface RecordingSource {
  /** The topology file: its path and its text. */
  readonly file: string;
  readonly text: string;
}

/** Begins the recording of a run in the run directory `out`. @throws OneclockError `MACHINE` where it cannot be written */
export function record(
  out: string,
  { file, text }: RecordingSource,
  rest: Omit<RecordingHeader, 'file' | 'topology'>,
): Recorder {
  writeFileSync(join(out, TOPOLOGY_FILE), text);
  const descriptor = openSync(join(out, RECORDING_FILE), 'w', 0o600);
  return new Recorder(descriptor, { ...rest, file, topology: digest(text) });
}

/** A recording, read from a run directory. */
export class Recording {
  readonly header: RecordingHeader;
  /** The topology as it was when it was recorded. */
  readonly topology: string;
  /** Frames for which nodes in real time had no room, by their numbers. */
  readonly refused = new Set<bigint>();
  /** What is wrong behind the last entry that can be read; undefined: nothing. */
  readonly damage: string | undefined;
  readonly #file: Uint8Array;
  /** Where the entries begin, and where they end; bytes. */
  readonly #begin: number;
  readonly #end: number;

  /** @throws OneclockError `INPUT` where there is none, or it is of another topology */
  constructor(readonly out: string) {
    this.#file = read(out, RECORDING_FILE);
    const unframing = new Unframing(this.#file);
    try {
      this.header = decodeHeader(unframing.next() ?? new Uint8Array());
    } catch (cause) {
      throw refusal(join(out, RECORDING_FILE), `is no recording: ${(cause as Error).message}`, cause);
    }
    this.#begin = unframing.offset;
    this.topology = Buffer.from(read(out, TOPOLOGY_FILE)).toString();
    if (!Buffer.from(this.header.topology).equals(digest(this.topology))) {
      throw refusal(
        join(out, TOPOLOGY_FILE),
        'was changed since the run was recorded: what was recorded would not fit to it',
      );
    }
    this.damage = this.#survey(unframing);
    this.#end = unframing.offset;
  }

  /** All entries, up to the damage. */
  *entries(): Generator<RecordedEntry, void> {
    const unframing = new Unframing(this.#file.subarray(0, this.#end));
    for (unframing.next(); unframing.offset < this.#end; ) {
      yield decodeEntry(unframing.next() as Uint8Array);
    }
  }

  #survey(unframing: Unframing): string | undefined {
    const place = () => `at byte ${unframing.offset} of ${join(this.out, RECORDING_FILE)}`;
    let whole = this.#begin;
    try {
      for (let message = unframing.next(); message; message = unframing.next()) {
        const { input } = decodeEntry(message);
        if (input.type === 'end') return undefined;
        if (input.type === 'refused') this.refused.add(input.frame);
        whole = unframing.offset;
      }
    } catch (error) {
      const where = place();
      // Of a message with the right check and a wrong content, too.
      unframing.offset = whole;
      return `${where}: ${(error as Error).message}`;
    }
    return `${place()}: expected the end of the recording, found the end of the file: the run was killed`;
  }
}

function read(out: string, name: string): Uint8Array {
  try {
    return readFileSync(join(out, name));
  } catch (cause) {
    const why = 'a run is recorded by oneclock run --record --out';
    throw refusal(join(out, name), `cannot be read (${(cause as Error).message}): ${why}`, cause);
  }
}

function refusal(path: string, text: string, cause?: unknown): OneclockError {
  return new OneclockError('INPUT', `${path} ${text}`, { cause });
}

function digest(text: string): Uint8Array {
  return createHash('sha256').update(text).digest();
}
