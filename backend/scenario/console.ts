// SPDX-License-Identifier: MIT
import { OneclockError } from '../errors.js';
import type { Span } from './engine/index.js';
import { type Site, waitFor } from './site.js';
import { type Found, type Pattern, TextStream } from './text-stream.js';

/** What a node says, and what can be said to it: its console, or a serial line. */
export class TextLine {
  readonly #stream = new TextStream();
  /** What tells those who wait that nothing more comes. */
  readonly #waiting = new Set<() => void>();
  #ended = false;

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
  waitFor(pattern: Pattern, { timeout }: { readonly timeout?: Span } = {}): Promise<Found> {
    return waitFor<Found>(this.site, `${shown(pattern)} on ${this.name}`, timeout, (event) => {
      let found = false;
      const giveUp = this.#stream.search(pattern, (what) => {
        found = true;
        this.site.later(() => event.succeed(what));
      });
      const fail = () => {
        const text = `${this.name} has ended without ${shown(pattern)}`;
        if (!found) event.fail(new OneclockError('PARTICIPANT', text));
      };
      if (this.#ended) fail();
      this.#waiting.add(fail);
      return () => {
        giveUp();
        this.#waiting.delete(fail);
      };
    });
  }

  /** Nothing more is said: whoever waits is told. Called in a turn of the script. */
  end(): void {
    this.#ended = true;
    for (const fail of [...this.#waiting]) fail();
  }

  /** What was said so far was said by another guest. */
  clear(): void {
    this.#stream.clear();
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
