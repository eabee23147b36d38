// SPDX-License-Identifier: MIT
import type { AgentAnswer, ToGuest } from '../../protocols/agent/index.js';
import type { OneclockError } from '../errors.js';

/** An answer that is about an operation. */
export type Answer = Extract<AgentAnswer, { readonly id: number }>;

/** What an operation may ask of its session. */
export interface OperationHost {
  /** Sends a message, behind those that wait already. @throws OneclockError `INPUT` where too many wait */
  send(message: ToGuest): void;
  /** Makes sure that a message could be sent. @throws OneclockError `INPUT` */
  check(message: ToGuest): void;
  /** There may be something for {@link Operation.next}. */
  more(): void;
  /** For errors: the node's name. */
  readonly node: string;
}

/** Something that a guest does for the controller, from its first message to its last. */
export interface Operation {
  readonly id: number;
  /** What it begins with. Called once, when the guest has a place for it. */
  begin(): ToGuest;
  /** Its first message is on its way, and others may be sent. */
  begun(): void;
  /** The next piece of data for the guest, where there is one and the guest has room for it. */
  next(): ToGuest | undefined;
  /** What {@link next} gave is on its way. */
  sent?(): void;
  /**
   * Takes an answer.
   *
   * @returns undefined while the operation goes on; else what is to be called when it has been taken off the list
   * @throws ProtocolFault
   */
  take(answer: Answer): (() => void) | undefined;
  /** It will not be done, or not to the end: the guest has gone. */
  gone(error: OneclockError): void;
}

/** What no agent says. The message tells what was expected and what was found. */
export class ProtocolFault extends Error {}

/** @throws ProtocolFault */
export function unexpected(expected: string, answer: Answer): never {
  throw new ProtocolFault(`expected ${expected} of operation ${answer.id}, found ${answer.type}`);
}
