// SPDX-License-Identifier: MIT

/** What an agent waits for at most, in milliseconds of wall time, and what it keeps. */
export interface AgentBounds {
  /** From a connection's first packet to its Hello. */
  readonly helloMs: number;
  /** Without any message from the controller, before the connection counts as lost. */
  readonly silentMs: number;
  /** From the loss of the connection to the release of the board. */
  readonly releaseAfterMs: number;
  /** Between two looks at the module where the kernel does not tell of changes. */
  readonly frozenPollMs: number;
  /** From the end of a run to the report of it, while its descendants hold its output open. */
  readonly drainMs: number;
  /** Bytes that are kept until the controller has acknowledged them; then output waits, or is dropped. */
  readonly keptBytes: number;
  /** Bytes that may wait for the controller to read; more than are kept, as those may be sent again at once. */
  readonly unreadBytes: number;
  /** Connections that have not said Hello yet. */
  readonly strangers: number;
}

export const AGENT_BOUNDS: AgentBounds = {
  helloMs: 5_000,
  silentMs: 5_000,
  releaseAfterMs: 10_000,
  frozenPollMs: 2,
  drainMs: 50,
  keptBytes: 1_048_576,
  unreadBytes: 4_194_304,
  strangers: 32,
};
