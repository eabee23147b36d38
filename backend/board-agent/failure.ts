// SPDX-License-Identifier: MIT
import type { BoardFailure } from '../../protocols/board/index.js';

/** Characters of a text for a person: a message has to fit into the protocol whatever a program has printed. */
const MAX_TEXT = 1000;

/** What `error` is to the controller: the kernel's errno, if it was the kernel, and a line of text. */
export function failureOf(error: unknown): Omit<BoardFailure, 'type'> {
  const { code, message } = error as NodeJS.ErrnoException;
  return {
    errno: typeof code === 'string' && /^E[A-Z0-9]+$/.test(code) ? code : '',
    text: (typeof message === 'string' ? message : String(error)).slice(0, MAX_TEXT),
  };
}

/** A request that cannot be carried out, with the errno that says why. */
export function refusal(errno: string, text: string): Error {
  return Object.assign(new Error(text), { code: errno });
}
