// SPDX-License-Identifier: MIT

/** How a program has ended. */
export type AgentEnd = { readonly code: number } | { readonly signal: number };

/** What every guest reports of itself; agent.proto says when. */
export type GuestReport =
  | { readonly type: 'ready' }
  | { readonly type: 'exited'; readonly code: number }
  | { readonly type: 'signalled'; readonly signal: number }
  | { readonly type: 'failed'; readonly text: string };

/** What a guest answers that has an agent; bytes are views of the message that they came in, and the receiver's. */
export type AgentAnswer =
  | { readonly type: 'started'; readonly id: number; readonly pid: number }
  | { readonly type: 'output'; readonly id: number; readonly stream: 1 | 2; readonly bytes: Uint8Array }
  | { readonly type: 'ended'; readonly id: number; readonly end: AgentEnd }
  | { readonly type: 'data'; readonly id: number; readonly bytes: Uint8Array }
  | { readonly type: 'done'; readonly id: number; readonly mode: number }
  | { readonly type: 'refused'; readonly id: number; readonly text: string; readonly error: number }
  | { readonly type: 'credit'; readonly id: number; readonly bytes: number }
  | { readonly type: 'taken'; readonly bytes: number };

/** A message from a guest. */
export type FromGuest = GuestReport | AgentAnswer;

export function isReport(message: FromGuest): message is GuestReport {
  return REPORTS.has(message.type);
}

const REPORTS: ReadonlySet<string> = new Set<GuestReport['type']>(['ready', 'exited', 'signalled', 'failed']);

export interface TerminalSize {
  /** Characters, 0 to 65535; 0: not known. */
  readonly rows: number;
  readonly columns: number;
}

/** A program to run: an argument vector, or a line for /bin/sh. */
export interface ExecRequest {
  readonly command: string | readonly string[];
  readonly cwd?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly terminal?: TerminalSize;
  readonly user?: string;
}

/** A message to a guest's agent. */
export type ToGuest =
  | ({ readonly type: 'exec'; readonly id: number; readonly credit: number } & ExecRequest)
  | { readonly type: 'stdin'; readonly id: number; readonly bytes: Uint8Array; readonly end: boolean }
  | { readonly type: 'signal'; readonly id: number; readonly number: number }
  | { readonly type: 'resize'; readonly id: number; readonly terminal: TerminalSize }
  | { readonly type: 'credit'; readonly id: number; readonly bytes: number }
  | { readonly type: 'put'; readonly id: number; readonly path: string; readonly mode: number }
  | { readonly type: 'data'; readonly id: number; readonly bytes: Uint8Array; readonly end: boolean }
  | { readonly type: 'get'; readonly id: number; readonly path: string; readonly credit: number }
  | { readonly type: 'cancel'; readonly id: number };
