// SPDX-License-Identifier: MIT

/** Bytes of a line that are kept. */
const MAX_LINE = 512;
const LF = 0x0a;

interface Line {
  readonly at: bigint;
  bytes: number[];
}

/** Puts lines together from what guests write to their consoles, in whatever pieces. */
export class ConsoleLines {
  /** The lines under way, by node. */
  readonly #lines = new Map<number, Line>();

  /** @param line takes each line that is not empty; `at` is when its first byte was written */
  constructor(private readonly line: (at: bigint, node: number, text: string) => void) {}

  write(at: bigint, node: number, data: Uint8Array): void {
    for (const byte of data) {
      if (byte === LF) {
        this.#end(node);
        continue;
      }
      let line = this.#lines.get(node);
      if (line === undefined) {
        line = { at, bytes: [] };
        this.#lines.set(node, line);
      }
      if (line.bytes.length < MAX_LINE) line.bytes.push(byte);
    }
  }

  /** Gives the lines that have no end. */
  close(): void {
    for (const node of [...this.#lines.keys()]) this.#end(node);
  }

  #end(node: number): void {
    const line = this.#lines.get(node);
    if (line === undefined) return;
    this.#lines.delete(node);
    const text = Buffer.from(line.bytes).toString('utf8').replace(/\p{C}/gu, '');
    if (text !== '') this.line(line.at, node, text);
  }
}
