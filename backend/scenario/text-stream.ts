// SPDX-License-Identifier: MIT
import { StringDecoder } from 'node:string_decoder';

/** Of what nobody has waited for, so many characters are kept: the last. */
const MAX_TEXT = 1 << 16;

/** What a script waits for in a text: these characters, or what matches. */
export type Pattern = string | RegExp;

/** What was found: the whole match, and its groups, as of a regular expression. */
export interface Found {
  readonly text: string;
  readonly groups: readonly (string | undefined)[];
}

interface Search {
  readonly pattern: Pattern;
  readonly found: (what: Found) => void;
}

/**
 * What a console or a serial line says, as a text to search in. A search begins behind what the one before it has found, so
 * that a script that waits, types, and waits again does not find the same words twice.
 */
export class TextStream {
  #decoder = new StringDecoder('utf8');
  #text = '';
  readonly #searches: Search[] = [];

  /** Takes what came. Searches are told as soon as it has what they look for. */
  push(bytes: Uint8Array): void {
    this.#text += this.#decoder.write(bytes as Buffer);
    while (this.#searches.length > 0) {
      const [{ pattern, found }] = this.#searches as [Search];
      const what = this.#take(pattern);
      if (what === undefined) break;
      this.#searches.shift();
      found(what);
    }
    // Not at each piece, which would copy all of it again and again.
    if (this.#text.length > 2 * MAX_TEXT) this.#text = this.#text.slice(-MAX_TEXT);
  }

  /**
   * Looks for `pattern`, in what nobody has found yet and in what will come. Searches are served in the order in which they
   * began. @returns what ends it
   */
  search(pattern: Pattern, found: (what: Found) => void): () => void {
    const search = { pattern, found };
    const what = this.#searches.length === 0 ? this.#take(pattern) : undefined;
    if (what !== undefined) found(what);
    else this.#searches.push(search);
    return () => {
      const place = this.#searches.indexOf(search);
      if (place < 0) return;
      this.#searches.splice(place, 1);
      this.push(new Uint8Array(0));
    };
  }

  /** Forgets what nobody has found, as that of another guest. Searches go on. */
  clear(): void {
    this.#text = '';
    this.#decoder = new StringDecoder('utf8');
  }

  /** What nobody has found yet: the last of it, where it is much. */
  get rest(): string {
    return this.#text;
  }

  #take(pattern: Pattern): Found | undefined {
    if (typeof pattern === 'string') {
      const place = this.#text.indexOf(pattern);
      if (place < 0) return undefined;
      this.#text = this.#text.slice(place + pattern.length);
      return { text: pattern, groups: [] };
    }
    // Neither 'g' nor 'y': where it begins to look is our business.
    const match = new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, '')).exec(this.#text);
    if (!match) return undefined;
    this.#text = this.#text.slice(match.index + match[0].length);
    return { text: match[0], groups: match.slice(1) };
  }
}
