// SPDX-License-Identifier: MIT
import type { BoardEvent, BoardStatus } from '../../protocols/board/index.js';
import type { OneclockError } from '../errors.js';
import type { BoardSpec } from '../topology/model.js';
import type { Level } from '../wires/index.js';
import type { RunNode } from './node.js';

/** What takes part in a run in real time, and is frozen by a line: what has an agent, or a live guest. */
export interface Board {
  readonly node: RunNode;
  /** Its place among the boards. */
  readonly place: number;
  readonly spec: BoardSpec;
  /** Its process; undefined where it has none of its own here, or none yet. */
  readonly pid: number | undefined;
  /** Whether a part of it is on this machine, and has not been seen to end. */
  readonly alive: boolean;
  /** What it has used of this machine's processors, where the table of processes does not tell. */
  readonly cpuMs: number | undefined;
  /** What `run` is called in its events. */
  readonly run: number | undefined;
  /** Whether its processes see the time for which they are frozen: `hidden` or `visible`. */
  readonly clock: string | undefined;
  /** How often its watchdog had let it go before the run began. */
  readonly watchdogReleases: bigint;
  /** How long it stays frozen at most without a word from the controller. */
  readonly watchdogMs: number;
  /** Whether it takes no part any more. */
  readonly isGone: boolean;
  /** Whether it has handled the edges of its lines, as far as we can know. */
  readonly isSettled: boolean;
  /** Starts it and makes it ready to be frozen. Bounded. @throws OneclockError */
  prepare(): Promise<void>;
  /** Starts its `run`, which begins when the board, which is frozen, is let go. */
  begin(): Promise<Pick<BoardStatus, 'time' | 'pauses' | 'frozenNs'>>;
  isFrozen(): Promise<boolean>;
  /** The line that freezes boards has changed, and it has a pin there, `line`. */
  sense(line: string, level: Level): void;
  /** It is frozen since `frozenMs`: its watchdog waits for {@link watchdogMs} from now on. */
  extendWatchdog(frozenMs: number): void;
  /** Puts everything back. Bounded. */
  release(): Promise<void>;
  close(): void;
}

export interface BoardOwner {
  event(event: BoardEvent): void;
  /** The board is lost. */
  failed(error: OneclockError): void;
}
