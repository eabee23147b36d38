// SPDX-License-Identifier: MIT
import { Uints } from './lists.js';
import type { RunModel, Track } from './run-model.js';

/** Characters of a line; what is longer is given as several. */
const MAX_LINE = 4096;
/** Characters of all lines of a node; those after them are not shown. */
const MAX_TEXT = 64_000_000;

/** What a node wrote to its console, in lines. They are made when they are looked at, as far as the log has come. */
export class ConsoleLines {
  /** The event at which each line's first byte was written. */
  readonly events = new Uints();
  readonly texts: string[] = [];
  /** Whether there was more than {@link MAX_TEXT}. */
  cut = false;
  private readonly decoder = new TextDecoder();
  private read = 0;
  private open = false;
  private characters = 0;

  constructor(
    private readonly run: RunModel,
    private readonly track: Track,
  ) {}

  /** Reads on what the log has now. */
  update(): this {
    const { events } = this.track.ticks.console;
    for (; this.read < events.length && !this.cut; this.read++) this.add(events.at(this.read));
    return this;
  }

  /** How many lines begin before event `event`. */
  before(event: number): number {
    let [low, high] = [0, this.events.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.events.at(middle) < event) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  private add(index: number): void {
    const event = this.run.log.event(index);
    if (event.kind !== 'console-output') return;
    let rest = this.decoder.decode(event.data, { stream: true });
    this.characters += rest.length;
    this.cut = this.characters > MAX_TEXT;
    while (rest !== '') {
      if (!this.open) {
        this.events.push(index);
        this.texts.push('');
        this.open = true;
      }
      const last = this.texts.length - 1;
      const room = MAX_LINE - (this.texts[last] as string).length;
      const newline = rest.indexOf('\n');
      const end = newline >= 0 && newline <= room ? newline : Math.min(rest.length, room);
      this.texts[last] += plain(rest.slice(0, end));
      const ends = end === newline;
      rest = rest.slice(ends ? end + 1 : end);
      if (ends || (this.texts[last] as string).length >= MAX_LINE || end === room) this.open = false;
    }
  }
}

/** Without what steers a terminal; other characters that cannot be seen become dots. */
function plain(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters that it is about
  const bare = text.replaceAll(/\u001b\[[0-9;?]*[A-Za-z]/g, '').replaceAll('\r', '');
  return bare.replaceAll(/[\p{Cc}\p{Cf}]/gu, (found) => (found === '\t' ? '\t' : '·'));
}
