// SPDX-License-Identifier: MIT
import { readFileSync } from 'node:fs';
import { trimShared } from '../../host/native/index.js';

/** How much of the guests' memory may count as this process's, in pages of 4 KiB. */
const LIMIT = 8 * 256;
/**
 * After how many frames that is looked at, in a run of one guest. The kernel maps some 64 pages around what a frame
 * touches, so many guests reach the limit by few frames each.
 */
const FRAMES = 2048;

/**
 * Keeps this process small. Whatever frame it reads or writes in a guest's memory makes one more page of that memory
 * resident here, until all of the guests' buffers are.
 */
export class Memory {
  readonly #base = sharedPages();
  readonly #interval: number;
  #frames = 0;

  constructor(guests: number) {
    this.#interval = Math.ceil(FRAMES / guests);
  }

  /** A frame was written to a guest's memory. */
  touched(): void {
    if (++this.#frames % this.#interval === 0) this.trim();
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
