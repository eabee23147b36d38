// SPDX-License-Identifier: MIT

const [TILDE, DOT, RETURN, NEWLINE] = [0x7e, 0x2e, 0x0d, 0x0a];

/** Finds `~.` at the beginning of a line in what a person types, as ssh does. `~~` there is one `~`. */
export class Escape {
  #atBegin = true;
  #tilde = false;

  /** @returns what is to be passed on, and whether the person leaves behind it */
  take(typed: Uint8Array): { readonly bytes: Uint8Array; readonly leave: boolean } {
    const bytes: number[] = [];
    for (const byte of typed) {
      if (this.#tilde) {
        this.#tilde = false;
        if (byte === DOT) return { bytes: Uint8Array.from(bytes), leave: true };
        bytes.push(TILDE);
        if (byte === TILDE) {
          this.#atBegin = false;
          continue;
        }
      } else if (this.#atBegin && byte === TILDE) {
        this.#tilde = true;
        continue;
      }
      bytes.push(byte);
      this.#atBegin = byte === RETURN || byte === NEWLINE;
    }
    return { bytes: Uint8Array.from(bytes), leave: false };
  }
}
