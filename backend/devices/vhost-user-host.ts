// SPDX-License-Identifier: MIT
import type { Hub } from '../../host/native/hub.js';
import type { MapShared } from '../../host/native/memory.js';
import type { OneclockError } from '../errors.js';
import type { Descriptors } from './descriptors.js';

/** What a session needs of this machine. */
export interface VhostUserHost {
  readonly hub: Hub;
  readonly mapShared: MapShared;
  readonly descriptors: Descriptors;
}

export interface SessionOptions {
  /**
   * Whether notifications may be messages that the other end waits for, as guests in virtual time need them. Else they
   * are by descriptor, and nobody waits. By default they may.
   */
  readonly inBand?: boolean;
}

/** What a session tells. */
export interface SessionEvents {
  /**
   * The device wants to interrupt the guest on `line`: call `deliver` when the guest may be disturbed. Told once
   * until then, however often the device wants it.
   */
  raise(line: number): void;
  /** A kick has come, and is not dealt with yet. */
  kicking?(): void;
  /**
   * Interrupts the guest for queue `line` by another way than a message.
   *
   * @returns false where there is none; the message is sent then
   */
  call?(line: number): boolean;
  /**
   * A kick that the guest waits for has been dealt with: call `answer` when the guest may go on, which is at once
   * where this is left out.
   */
  settle?(answer: () => void): void;
  /** The front-end has gone. The session is over. */
  onClosed(reason: string): void;
  /** The front-end or the driver broke the rules. The session is over. */
  onFailed(error: OneclockError): void;
}
