// SPDX-License-Identifier: MIT
import type { AgentEnd } from '../agent/index.js';
import type { ToRun } from '../control/index.js';

/** The messages of recording.proto, which says what each means. */

export interface RecordingHeader {
  /** SHA-256, 32 bytes. */
  readonly topology: Uint8Array;
  readonly file: string;
  readonly seed: bigint;
  readonly until: bigint | undefined;
  readonly interactive: boolean;
  readonly messagesOnly: boolean;
}

/** What a person does to a program in a guest; `more`: it may write more. */
export type ShellAct = ToRun | { readonly type: 'more' } | { readonly type: 'gone' };

export type RecordedInput =
  | { readonly type: 'barrier' }
  | { readonly type: 'deliver' }
  | { readonly type: 'frame'; readonly node: number; readonly interface: number; readonly bytes: Uint8Array }
  | {
      readonly type: 'drive';
      readonly node: number;
      readonly line: number;
      readonly level: 0 | 1 | undefined;
    }
  | { readonly type: 'released'; readonly node: number }
  | {
      readonly type: 'console';
      readonly node: number;
      readonly bytes: Uint8Array;
      readonly at: bigint | undefined;
    }
  /** Without an end: it is ready. */
  | { readonly type: 'reported'; readonly node: number; readonly end: AgentEnd | undefined }
  | { readonly type: 'ended'; readonly node: number; readonly at: bigint; readonly end: AgentEnd }
  | { readonly type: 'failed'; readonly node: number; readonly text: string }
  | { readonly type: 'level'; readonly high: boolean; readonly at: bigint }
  | {
      readonly type: 'sense';
      readonly node: number;
      readonly line: number;
      readonly high: boolean;
      readonly at: bigint;
    }
  | { readonly type: 'copper'; readonly wire: number; readonly held: boolean }
  | { readonly type: 'refused'; readonly frame: bigint }
  | {
      readonly type: 'shell';
      readonly shell: number;
      readonly node: number;
      readonly at: bigint;
      readonly act: ShellAct;
    }
  | { readonly type: 'end' };

export interface RecordedEntry {
  readonly passed: bigint;
  readonly input: RecordedInput;
}
