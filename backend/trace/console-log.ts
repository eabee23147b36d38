// SPDX-License-Identifier: MIT
import { closeSync } from 'node:fs';
import { formatInstant, type Instant } from '../calendar/index.js';
import { writeFully } from './write-fully.js';

/** Bytes of a line; what is longer is given as several. */
export const MAX_LINE = 16_384;
/** What errors call the file. */
const WHAT = 'a console log';
/** Bytes that are gathered before they are written. */
const CHUNK = 65_536;
const LF = 0x0a;
const CR = 0x0d;
/** Columns of the time, as in the kernel's own log. */
const TIME_WIDTH = 15;

/**
 * Writes `console/NODE.log`: what a guest wrote to its console, each line behind the virtual time at which its first
 * byte was written: `[    1.234567890] text`. The carriage return of a CR LF is left out; other bytes are as the
 * guest wrote them. A line of more than {@link MAX_LINE} bytes goes on in a line with a time of its own, and the last
 * line gets an end if it has none.
 */
export class ConsoleLog {
  private readonly chunk = Buffer.allocUnsafe(CHUNK);
  private used = 0;
  /** Bytes of the line under way; undefined: the next byte begins one. */
  private lineBytes: number | undefined;
  /** When the guest wrote a CR that is written by us unless LF follows. */
  private heldReturn: Instant | undefined;
  private closed = false;

  /** @param descriptor open for writing, at the beginning of an empty file, and the log's own from then on */
  constructor(private readonly descriptor: number) {}

  /**
   * Takes what the guest wrote at `at`. After {@link close} it is without effect.
   *
   * @throws OneclockError MACHINE where the file cannot be written
   */
  write(at: Instant, bytes: Uint8Array): void {
    if (this.closed) return;
    let from = 0;
    while (from < bytes.length) {
      const byte = bytes[from] as number;
      if (byte === LF) {
        this.endLine(at);
        from++;
      } else if (byte === CR) {
        this.letGoReturn();
        // A line that begins with it has its time, whatever becomes of it.
        if (this.lineBytes === undefined) this.beginLine(at);
        this.heldReturn = at;
        from++;
      } else {
        this.letGoReturn();
        this.beginLine(at);
        const end = this.plainEnd(bytes, from);
        this.append(bytes.subarray(from, end));
        this.lineBytes = (this.lineBytes ?? 0) + end - from;
        from = end;
      }
    }
  }

  /** Hands everything that was gathered to the kernel. @throws OneclockError MACHINE */
  flush(): void {
    const length = this.used;
    this.used = 0;
    writeFully(this.descriptor, this.chunk.subarray(0, length), WHAT);
  }

  /**
   * Ends the line under way and the file, and closes the descriptor, also when writing fails. Later calls do nothing.
   *
   * @throws OneclockError MACHINE where the file cannot be written
   */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    try {
      this.letGoReturn();
      if (this.lineBytes !== undefined) this.append(Uint8Array.of(LF));
      this.flush();
    } finally {
      closeSync(this.descriptor);
    }
  }

  /** Where in `bytes` the line under way is interrupted: by its end, its greatest length or a CR. */
  private plainEnd(bytes: Uint8Array, from: number): number {
    const limit = Math.min(bytes.length, from + MAX_LINE - (this.lineBytes ?? 0));
    let end = from + 1;
    while (end < limit && bytes[end] !== LF && bytes[end] !== CR) end++;
    return end;
  }

  /** Sees to it that there is a line with room for a byte. */
  private beginLine(at: Instant): void {
    if (this.lineBytes === MAX_LINE) this.endLine(at);
    if (this.lineBytes !== undefined) return;
    this.append(Buffer.from(`[${formatInstant(at).padStart(TIME_WIDTH)}] `, 'latin1'));
    this.lineBytes = 0;
  }

  private endLine(at: Instant): void {
    if (this.lineBytes === undefined) this.beginLine(at);
    this.heldReturn = undefined;
    this.append(Uint8Array.of(LF));
    this.lineBytes = undefined;
  }

  /** The CR that was held is not part of a CR LF. */
  private letGoReturn(): void {
    if (this.heldReturn === undefined) return;
    const at = this.heldReturn;
    this.heldReturn = undefined;
    this.beginLine(at);
    this.append(Uint8Array.of(CR));
    this.lineBytes = (this.lineBytes ?? 0) + 1;
  }

  private append(bytes: Uint8Array): void {
    if (this.used + bytes.length > CHUNK) this.flush();
    this.chunk.set(bytes, this.used);
    this.used += bytes.length;
  }
}
