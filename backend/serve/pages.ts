// SPDX-License-Identifier: MIT
import { closeSync, openSync } from 'node:fs';
import { createSharedMemory, type OwnedMemory } from '../../host/native/index.js';
import { CONTROLLER_ID, SharedPage, sharedPageBytes } from '../../protocols/um-timetravel/index.js';
import type { PageSlot } from '../participants/time-client.js';

/** Clients that share the page; whoever comes after them goes by messages. */
const PAGE_CLIENTS = 1023;
/** A place in the page that nobody has: while it runs, clients leave their requests to messages. */
const OUTSIDER = PAGE_CLIENTS + 1;

/** The memory that a server's clients are given. */
export class Pages {
  readonly #memory: OwnedMemory = createSharedMemory(sharedPageBytes(OUTSIDER));
  readonly #page = new SharedPage(this.#memory.bytes, OUTSIDER);
  /** As large, since a client may look at its place before it sees that it cannot use any. */
  readonly #refusal: OwnedMemory = createSharedMemory(sharedPageBytes(OUTSIDER));
  readonly #log = openSync('/dev/null', 'r+');
  #next = 1;
  #closed = false;

  /** @param shared false: every client goes by messages */
  constructor(private readonly shared: boolean) {
    new SharedPage(this.#refusal.bytes, OUTSIDER).refuse();
  }

  /** A place for one more client. */
  slot(): PageSlot {
    const shares = this.shared && this.#next <= PAGE_CLIENTS;
    return {
      page: this.#page,
      id: shares ? this.#next++ : OUTSIDER,
      descriptor: (shares ? this.#memory : this.#refusal).descriptor,
      refusal: this.#refusal.descriptor,
      logDescriptor: this.#log,
    };
  }

  /** Nobody runs: requests may be left in the page, where they are looked for. */
  rest(): void {
    this.#page.runningId = CONTROLLER_ID;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#memory.close();
    this.#refusal.close();
    closeSync(this.#log);
  }
}
