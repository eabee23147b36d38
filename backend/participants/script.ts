// SPDX-License-Identifier: MIT
import { after, duration, type Instant, NEVER, type Participant } from '../calendar/index.js';
import type { Engine } from '../scenario/engine/index.js';

const ONE = duration(1n);

/**
 * A script: one instant of its engine is one activation. It is quiet when all of its promise jobs are done, so, unlike
 * guests, it needs turns of the event loop while it runs.
 */
export class ScriptParticipant implements Participant {
  readonly name = 'script';
  /** Whether it runs. */
  busy = false;
  /** Whether nothing of it happens any more. */
  over = false;

  constructor(
    readonly id: number,
    private readonly engine: Engine,
    /** Called when it has become quiet, with what it threw, if anything. */
    private readonly quiet: (failure: unknown) => void,
  ) {}

  get wake(): Instant {
    return this.over ? NEVER : this.engine.next;
  }

  get now(): Instant {
    return this.engine.now;
  }

  run(at: Instant): void {
    this.busy = true;
    this.engine.reach(at);
    this.engine.run(after(at, ONE), (failure) => {
      this.busy = false;
      this.quiet(failure);
    });
  }

  /** It gets one instant at a time. */
  curtail(): void {}

  /** Nothing interrupts it. */
  reach(): void {}
}
