// SPDX-License-Identifier: MIT
import type { Engine } from './engine.js';
import type { Source, Wait } from './wait.js';

interface Call {
  readonly wait: Wait<unknown>;
  /** Lets the wait go on; absent while the real promise is pending. */
  deliver: (() => void) | undefined;
}

/**
 * Promises of the real world, for which virtual time stands still. They are delivered in the order in which they
 * were begun to be waited for, so that the machine's speed cannot be seen (rule T8).
 */
export class External implements Source<unknown> {
  readonly #calls: Call[] = [];

  constructor(private readonly engine: Engine) {}

  add(wait: Wait<unknown>, promise: PromiseLike<unknown>): void {
    const call: Call = { wait, deliver: undefined };
    this.#calls.push(call);
    this.engine.hold();
    const settle = (deliver: () => void) => {
      call.deliver = deliver;
      this.#deliver();
    };
    promise.then(
      (value) => settle(() => wait.give(value)),
      (error) => settle(() => wait.fail(error)),
    );
  }

  describe(): string {
    return 'something outside of virtual time';
  }

  withdraw(wait: Wait<unknown>): void {
    const at = this.#calls.findIndex((call) => call.wait === wait);
    if (at < 0) return;
    this.#calls.splice(at, 1);
    this.engine.release();
    this.#deliver();
  }

  #deliver(): void {
    for (let call = this.#calls[0]; call?.deliver !== undefined; call = this.#calls[0]) {
      this.#calls.shift();
      call.deliver();
      this.engine.release();
    }
  }
}
