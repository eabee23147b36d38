// SPDX-License-Identifier: MIT

/** What a controller waits for at most on a board, in milliseconds of wall time. */
export interface BoardLinkBounds {
  /** From the first packet of a connection to Welcome. */
  readonly connectMs: number;
  /** For the first connection, while the board cannot be reached. */
  readonly reachMs: number;
  /** For a new connection after one was lost; as long as agents keep a session by default. */
  readonly returnMs: number;
  /** Between two attempts to connect: at first, then twice as long each time, up to the second. */
  readonly firstPauseMs: number;
  readonly longestPauseMs: number;
  /** Between two signs of life, which are samples of the board's clock. */
  readonly heartbeatMs: number;
  /** Without any message from the board, before the connection counts as lost. */
  readonly silentMs: number;
  /** From a request to its answer. */
  readonly requestMs: number;
  /** The same for loading and unloading the module. */
  readonly moduleMs: number;
  /** Bytes of answers and events after which they are acknowledged. */
  readonly acknowledgeBytes: number;
}

export const BOARD_LINK_BOUNDS: BoardLinkBounds = {
  connectMs: 5_000,
  reachMs: 10_000,
  returnMs: 10_000,
  firstPauseMs: 50,
  longestPauseMs: 1_000,
  heartbeatMs: 1_000,
  silentMs: 4_000,
  requestMs: 10_000,
  moduleMs: 30_000,
  acknowledgeBytes: 65_536,
};
