// SPDX-License-Identifier: MIT
import { after, duration, type Instant, NEVER, type Participant } from '../calendar/index.js';
import { OneclockError } from '../errors.js';
import type { Engine } from '../scenario/engine/index.js';

const ONE = duration(1n);

/** The error for a script that acts when it does not run. */
export function notItsTurn(): OneclockError {
  return new OneclockError(
    'INPUT',
    'the script acts while it is not its turn: it awaited something that is not of virtual time, such as a file or a timer ' +
      'of Node.js; await that by sim.external(...), or it is within what decides on frames, which only decides',
  );
}

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
    if (this.engine.next < at) {
      // Events are put for the present instant or later; this one came when the script's present was past.
      this.quiet(notItsTurn());
      return;
    }
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
