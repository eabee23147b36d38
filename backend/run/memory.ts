// SPDX-License-Identifier: MIT
import { readFileSync } from 'node:fs';
import { trimShared } from '../../host/native/index.js';

/** How much of the guests' memory may count as this process's, in pages of 4 KiB. */
const LIMIT = 16 * 256;
/** After how many frames, each of which touches a page at least, that is looked at. */
const FRAMES = 64;

/**
 * Keeps this process small. Whatever frame it reads or writes in a guest's memory makes one more page of that memory
 * resident here, until all of the guests' buffers are.
 */
export class Memory {
  readonly #base = sharedPages();
  #frames = 0;

  /** A frame was written to a guest's memory. */
  touched(): void {
    if (++this.#frames % FRAMES === 0) this.trim();
  }

  /** Gives the guests' pages back where there are too many. */
  trim(): void {
    if (sharedPages() - this.#base > LIMIT) trimShared();
  }
}

/** Resident pages of files and shared memory: proc(5), statm. */
function sharedPages(): number {
  return Number(readFileSync('/proc/self/statm', 'latin1').split(' ')[2]);
}
