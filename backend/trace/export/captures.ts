// SPDX-License-Identifier: MIT
import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { LogHeader } from '../../../protocols/trace/index.js';
import { Heap } from '../../calendar/heap.js';
import { OneclockError } from '../../errors.js';
import { sectionHeader } from '../pcapng.js';
import { type CapturedPacket, CaptureFile } from './capture-file.js';

/** What of the captures is wanted. */
export interface CaptureSelection {
  /** In nanoseconds of virtual time, from the first to before the second. */
  readonly from: bigint;
  readonly to: bigint;
  /** Whether frames at an interface such as `a.eth0` are wanted. */
  wants(name: string): boolean;
}

/** A capture, and its next frame. */
interface Source {
  readonly capture: CaptureFile;
  /** Its place among the captures. */
  readonly place: number;
  /** By its own interfaces: the number in the file that is made; undefined: it is not wanted. */
  readonly numbers: readonly (number | undefined)[];
  next: CapturedPacket;
}

/** The captures of a run, by the names of its links and switches. @throws OneclockError INPUT where there are none */
export function captureFiles(log: string, header: LogHeader): string[] {
  const folder = join(dirname(log), 'pcap');
  const files = [...header.links, ...header.switches]
    // Names in a log are input: none may lead elsewhere.
    .filter(({ name }) => basename(name) === name && !name.includes('\0'))
    .map(({ name }) => join(folder, `${name}.pcapng`))
    .filter((file) => existsSync(file));
  if (files.length > 0) return files;
  throw new OneclockError(
    'INPUT',
    `there are no captures in ${folder}: give the directory of a run that had links`,
  );
}

/**
 * Merges captures into one, by time and then by the order of the files: the interfaces of all, then the frames. Memory is
 * bounded by the number of captures.
 *
 * @param start the time of day at virtual time 0, in nanoseconds since 1970
 */
export class CaptureMerge {
  readonly #captures: CaptureFile[] = [];
  /** Frames that were given. */
  frames = 0;

  /** @throws OneclockError INPUT where one cannot be read */
  constructor(
    files: readonly string[],
    private readonly start: bigint,
    private readonly selection: CaptureSelection,
  ) {
    try {
      for (const file of files) this.#captures.push(new CaptureFile(file));
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** What is wrong with the captures, by file; complete when all blocks were given. */
  get damages(): { readonly file: string; readonly damage: CaptureFile['damage'] }[] {
    return this.#captures.flatMap(({ file, damage }) => (damage === undefined ? [] : [{ file, damage }]));
  }

  /** The blocks of the merged capture, each valid until the next one is asked for. */
  *blocks(): Generator<Uint8Array, void> {
    yield sectionHeader();
    const sources = new Heap<Source>(comesBefore);
    let interfaces = 0;
    for (const [place, capture] of this.#captures.entries()) {
      const numbers = capture.interfaces.map(({ name }) =>
        this.selection.wants(name) ? interfaces++ : undefined,
      );
      for (const [index, { block }] of capture.interfaces.entries()) {
        if (numbers[index] !== undefined) yield block;
      }
      const next = capture.next();
      if (next) sources.push({ capture, place, numbers, next });
    }
    const from = this.start + this.selection.from;
    const to = this.start + this.selection.to;
    for (let source = sources.pop(); source !== undefined; source = sources.pop()) {
      const { timestamp, block, interface: index } = source.next;
      const number = source.numbers[index];
      // Later ones of this capture are later in time.
      if (timestamp >= to) continue;
      if (timestamp >= from && number !== undefined) {
        block.writeUInt32LE(number, 8);
        this.frames++;
        yield block;
      }
      const next = source.capture.next();
      if (next === undefined) continue;
      source.next = next;
      sources.push(source);
    }
  }

  close(): void {
    for (const capture of this.#captures) capture.close();
  }
}

function comesBefore(a: Source, b: Source): boolean {
  const [first, second] = [a.next.timestamp, b.next.timestamp];
  return first < second || (first === second && a.place < b.place);
}
