// SPDX-License-Identifier: MIT
import type { AgentEnd, TerminalSize } from '../agent/index.js';

/** The messages of control.proto, which says what each means. */

export type ToRun =
  | {
      readonly type: 'open';
      /** What is not known is of a later version. */
      readonly version: number;
      readonly node: string;
      /** Undefined: a shell. */
      readonly command: string | undefined;
      /** Undefined: the program gets pipes. */
      readonly terminal: TerminalSize | undefined;
    }
  | { readonly type: 'input'; readonly bytes: Uint8Array; readonly end: boolean }
  | { readonly type: 'resize'; readonly terminal: TerminalSize }
  | { readonly type: 'signal'; readonly number: number };

export type FromRun =
  | { readonly type: 'begun' }
  | { readonly type: 'output'; readonly stream: 1 | 2; readonly bytes: Uint8Array }
  | { readonly type: 'ended'; readonly end: AgentEnd }
  | { readonly type: 'refused'; readonly text: string; readonly input: boolean };
