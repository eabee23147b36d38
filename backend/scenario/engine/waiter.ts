// SPDX-License-Identifier: MIT
import type { Engine } from './engine.js';
import { Owner, type Source, Wait } from './wait.js';

class Outside extends Owner {
  fire(): boolean {
    return false;
  }
}

/** Makes waits for whoever runs at the moment. */
export class Waiter {
  /** Code that runs outside of all processes. */
  readonly outside = new Outside('outside of processes');

  constructor(readonly engine: Engine) {}

  get owner(): Owner {
    return (this.engine.owner as Owner | undefined) ?? this.outside;
  }

  /**
   * A promise that whoever runs waits for. `begin` puts the wait where its source finds it; it is not called where
   * the process is to be interrupted at this wait.
   */
  wait<T>(source: Source<T>, begin: (wait: Wait<T>) => void): Promise<T> {
    const { owner } = this;
    const interruption = owner.takeInterruption();
    if (interruption !== undefined) return Promise.reject(interruption);
    const wait = new Wait(this.engine, owner, source);
    begin(wait);
    return wait.promise;
  }
}
