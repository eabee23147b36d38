// SPDX-License-Identifier: MIT

/** Where interrupts of a partition wait that it has not taken. */
export interface Processor {
  /** Raises an interrupt, which the guest takes as soon as it can. */
  interrupt(vector: number): void;
  /** Whether that vector was raised and has not been taken. */
  interruptPending(vector: number): boolean;
}

/**
 * The lines of a partition while it is present. A processor remembers of a vector that it was raised, not how often: a
 * line that is raised again before the guest has taken it waits here, so that each counts once.
 */
export class Lines {
  readonly #taken = new Map<number, { readonly vector: number; waiting: number }>();

  constructor(private readonly processor: Processor) {}

  /** The partition takes `line`, or takes it by another vector. */
  take(line: number, vector: number): void {
    this.#taken.set(line, { vector, waiting: this.#taken.get(line)?.waiting ?? 0 });
  }

  has(line: number): boolean {
    return this.#taken.has(line);
  }

  raise(line: number): void {
    const taken = this.#taken.get(line);
    if (taken) taken.waiting++;
  }

  /** Hands the processor what it has room for. @returns whether that was anything */
  offer(): boolean {
    let offered = false;
    for (const taken of this.#taken.values()) {
      if (taken.waiting === 0 || this.processor.interruptPending(taken.vector)) continue;
      this.processor.interrupt(taken.vector);
      taken.waiting--;
      offered = true;
    }
    return offered;
  }

  /** The partition leaves: what waits is given to `keep`. */
  leave(keep: (line: number, count: number) => void): void {
    for (const [line, taken] of this.#taken) {
      if (taken.waiting > 0) keep(line, taken.waiting);
      taken.waiting = 0;
    }
  }
}
