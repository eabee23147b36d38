// SPDX-License-Identifier: MIT
import type { MemberBody, MemberMessage } from '../../protocols/write-update/index.js';

/** Messages that may be under way to an end that does not answer; then it counts as lost. */
export const MAX_UNACKNOWLEDGED = 4096;

/**
 * One end of what joins a member and the hub: over a carrier that may lose, repeat and delay messages it hands over
 * each once and in order, as long as {@link resend} is called now and then. What comes out of turn is dropped, and sent
 * again by the other end; so nothing but one's own messages is ever kept.
 *
 * Over a carrier that is reliable, that is, loses and repeats nothing and keeps the order, nothing is kept or
 * acknowledged.
 */
export class Link {
  #sent = 0;
  #received = 0;
  /** The other end has not been told of the last message that came. */
  #owes = false;
  /** Messages that the other end has not acknowledged, the last of them `#sent`. */
  readonly #kept: MemberBody[] = [];

  constructor(
    private readonly member: number,
    private readonly carry: (message: MemberMessage) => void,
    private readonly isReliable = false,
  ) {}

  /** How many messages the other end has not acknowledged. */
  get unacknowledged(): number {
    return this.#kept.length;
  }

  send(body: MemberBody): void {
    if (!this.isReliable) this.#kept.push(body);
    this.#sent += 1;
    this.#carry(this.#sent, body);
  }

  /** Sends again what has not been acknowledged. */
  resend(): void {
    const first = this.#sent - this.#kept.length + 1;
    for (const [place, body] of [...this.#kept].entries()) this.#carry(first + place, body);
  }

  /** Says how far messages have arrived, unless something that was sent since has said it. */
  acknowledge(): void {
    if (this.#owes) this.#carry(0, { type: 'acknowledge' });
  }

  /**
   * Takes a message of the other end.
   *
   * @returns whether it is the next one, so that it counts
   * @throws Error where the other end acknowledges what was never sent
   */
  receive({ number, received }: MemberMessage): boolean {
    if (received > this.#sent)
      throw new Error(`expected at most ${this.#sent} messages received, found ${received}`);
    const forgotten = received - (this.#sent - this.#kept.length);
    if (forgotten > 0) this.#kept.splice(0, forgotten);
    if (number === 0) return false;
    // Of what came before, too: the acknowledgement may have been lost.
    this.#owes = !this.isReliable;
    if (number !== this.#received + 1) {
      if (this.isReliable) throw new Error(`expected message ${this.#received + 1}, found ${number}`);
      return false;
    }
    this.#received = number;
    return true;
  }

  #carry(number: number, body: MemberBody): void {
    this.#owes = false;
    this.carry({ member: this.member, number, received: this.#received, body });
  }
}
