// SPDX-License-Identifier: MIT
import type { METHODS } from './constants.js';

/** The messages of write-update.proto, which says what each means and who sends it. */

export interface Update {
  readonly sequence: number;
  readonly origin: number;
  readonly change: number;
  readonly variable: number;
  readonly value: bigint;
  readonly ticks: bigint;
  readonly atNs: bigint;
  readonly rank: number;
}

export type MemberBody =
  | { readonly type: 'acknowledge' }
  | { readonly type: 'join' }
  | { readonly type: 'snapshot'; readonly sequence: number; readonly updates: readonly Update[] }
  | { readonly type: 'register'; readonly variable: number; readonly size: number }
  | ({ readonly type: 'update' } & Update)
  | { readonly type: 'leave' };

/** Between a member and the hub. */
export interface MemberMessage {
  readonly member: number;
  readonly number: number;
  readonly received: number;
  readonly body: MemberBody;
}

/** Between two controllers. */
export interface Hello {
  readonly version: number;
  /** What is not known is of a later version. */
  readonly method: (typeof METHODS)[number];
}

/** Between two controllers. */
export interface Credit {
  readonly messages: number;
}

export type WriteUpdateMessage =
  | MemberMessage
  | { readonly member: 0; readonly hello: Hello }
  | { readonly member: 0; readonly credit: Credit };
