// SPDX-License-Identifier: MIT

/** Four time stamps of one exchange, in nanoseconds, each of its own machine's CLOCK_MONOTONIC. */
export interface ClockExchange {
  /** The controller sent the request. */
  readonly askedNs: bigint;
  /** The board had it, and sent the answer. */
  readonly receivedNs: bigint;
  readonly sentNs: bigint;
  /** The controller had the answer. */
  readonly answeredNs: bigint;
}

/** The board's CLOCK_MONOTONIC less the controller's. */
export interface ClockOffset {
  readonly offsetNs: bigint;
  /** The true offset is at most this far away. */
  readonly uncertaintyNs: bigint;
}

/** How much two crystals of 50 parts in a million each may drift apart, as a fraction: 1/10000. */
const DRIFT_DIVISOR = 10_000n;

/**
 * Estimates the offset of a board's clock, as NTP does (RFC 5905, section 8): the way there and back is known in sum
 * only, so half of it is the uncertainty. The exchange with the least of it stands until its age makes it worse than
 * a new one.
 */
export class ClockEstimate {
  #best: (ClockOffset & { readonly atNs: bigint }) | undefined;

  add({ askedNs, receivedNs, sentNs, answeredNs }: ClockExchange): void {
    const away = answeredNs - askedNs - (sentNs - receivedNs);
    // A clock that goes backward, or an answer from before its request: of no use.
    if (away < 0n || sentNs < receivedNs) return;
    const offset = {
      offsetNs: (receivedNs - askedNs + (sentNs - answeredNs)) / 2n,
      uncertaintyNs: away / 2n + 1n,
      atNs: answeredNs,
    };
    const old = this.at(answeredNs);
    if (old === undefined || offset.uncertaintyNs <= old.uncertaintyNs) this.#best = offset;
  }

  /** @param nowNs the controller's clock @returns undefined where there was no exchange yet */
  at(nowNs: bigint): ClockOffset | undefined {
    if (this.#best === undefined) return undefined;
    const { offsetNs, uncertaintyNs, atNs } = this.#best;
    const age = nowNs > atNs ? nowNs - atNs : 0n;
    return { offsetNs, uncertaintyNs: uncertaintyNs + age / DRIFT_DIVISOR };
  }
}
