// SPDX-License-Identifier: MIT
import type { Span } from './engine/index.js';
import type { Site } from './site.js';
import { type Found, type Pattern, TextStream } from './text-stream.js';

/** What a node says, and what can be said to it: its console, or a serial line. */
export class TextLine {
  readonly #stream = new TextStream();

  constructor(
    private readonly site: Site,
    /** `the console of a` */
    readonly name: string,
    private readonly send: (bytes: Uint8Array) => void,
  ) {}

  /** All that was said and that no {@link waitFor} has taken. */
  get text(): string {
    return this.#stream.rest;
  }

  /**
   * Waits for `pattern` in what is said behind that which the last wait has found. The script goes on at the instant at which
   * it is said.
   *
   * @throws TimedOut after `timeout` of virtual time
   */
  async waitFor(pattern: Pattern, { timeout }: { readonly timeout?: Span } = {}): Promise<Found> {
    const { sim } = this.site;
    const event = sim.event<Found>(`${shown(pattern)} on ${this.name}`);
    const giveUp = this.#stream.search(pattern, (what) => this.site.later(() => event.succeed(what)));
    try {
      return await (timeout === undefined ? event : sim.timeout(event, timeout));
    } finally {
      giveUp();
    }
  }

  /** Types `text` on it. */
  type(text: string): void {
    this.write(new TextEncoder().encode(text));
  }

  /** Sends `bytes` to it. */
  write(bytes: Uint8Array): void {
    this.send(bytes);
  }

  /** The node has said something. */
  push(bytes: Uint8Array): void {
    this.#stream.push(bytes);
  }
}

function shown(pattern: Pattern): string {
  return typeof pattern === 'string' ? JSON.stringify(pattern) : String(pattern);
}
