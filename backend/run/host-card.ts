// SPDX-License-Identifier: MIT
import type { FrameChannel, FrameHub } from '../../host/native/index.js';
import type { Card } from './network.js';
import type { CardResult } from './result.js';

export interface HostCardOwner {
  /** The board has sent a frame. */
  transmit(frame: Uint8Array): void;
  /** The interface of this machine is down or gone. */
  lost(reason: string): void;
}

/**
 * The card of a board elsewhere, at the other end of a cable from a network interface of this machine: what comes in there is
 * what the board sends. Its carrier is that of the cable, whatever the link in the topology is.
 */
export class HostCard implements Card {
  readonly #channel: FrameChannel;
  #started = false;
  #received = 0;
  #sent = 0;
  #dropped = 0;

  /**
   * Opens the interface. What comes in before {@link start} is nobody's.
   *
   * @throws OneclockError `MACHINE`
   */
  constructor(hub: FrameHub, device: string, owner: HostCardOwner) {
    this.#channel = hub.openPacket(device, {
      onFrame: (frame) => {
        if (!this.#started) return;
        this.#received++;
        owner.transmit(frame.slice());
      },
      onLost: () => this.#drop(),
      onClose: (reason) => owner.lost(`the network interface ${device} of this machine is lost: ${reason}`),
    });
  }

  /** The run begins. */
  start(): void {
    this.#channel.missed();
    this.#started = true;
  }

  receive(frame: Uint8Array): boolean {
    const taken = this.#channel.send(frame);
    if (taken) this.#sent++;
    else this.#dropped++;
    return taken;
  }

  setLink(): void {
    // Nothing gets through a link that is down; but the cable to the board is there.
  }

  /** Frames from the board, to it, and those that got no further in either direction. */
  get counts(): CardResult {
    this.#dropped += this.#channel.missed();
    return { received: this.#received, sent: this.#sent, dropped: this.#dropped };
  }

  /** Safe to call twice. */
  close(): void {
    this.#dropped += this.#channel.missed();
    this.#channel.close();
  }

  #drop(): void {
    if (this.#started) this.#dropped++;
  }
}
