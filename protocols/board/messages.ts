// SPDX-License-Identifier: MIT
import type { RefusalReason } from './constants.js';

/** The messages of board.proto, which says what each means and who sends it. Times are nanoseconds. */

/** A board's clock; `monotonicNs - frozenNs` is its virtual time since it was booted, give or take `errorNs`. */
export interface BoardTime {
  readonly monotonicNs: bigint;
  readonly frozenNs: bigint;
  readonly errorNs: bigint;
}

export interface BoardProcess {
  readonly pid: number;
  readonly tree: boolean;
}

export interface BoardLatency {
  readonly lastNs: bigint;
  readonly worstNs: bigint;
}

export interface BoardLines {
  /** GPIO lines; empty: none. */
  readonly pause: string;
  readonly resume: string;
  readonly signal: string;
  /** 0: never. */
  readonly periodMs: number;
}

export interface BoardSettings {
  readonly tdf?: number;
  readonly watchdogMs?: number;
  readonly method?: string;
}

export interface BoardStatus {
  readonly time: BoardTime;
  readonly loaded: boolean;
  readonly frozen: boolean;
  readonly pauses: bigint;
  readonly resumes: bigint;
  readonly edges: bigint;
  readonly watchdogReleases: bigint;
  readonly barrierMisses: bigint;
  readonly frozenNs: bigint;
  readonly pauseLatency: BoardLatency;
  readonly resumeLatency: BoardLatency;
  readonly pauseSpread: BoardLatency;
  readonly processes: number;
  readonly threads: number;
  readonly tdf: number;
  readonly watchdogMs: number;
  readonly method: string;
  readonly clock: string;
  readonly tracking: string;
  /** Runs that have not ended. */
  readonly runs: readonly number[];
}

/** What has a number and is carried out once. */
export type BoardRequest =
  | ({ readonly type: 'loadModule' } & BoardLines)
  | { readonly type: 'unloadModule' }
  | ({ readonly type: 'configure' } & BoardSettings)
  | { readonly type: 'register'; readonly processes: readonly BoardProcess[] }
  | { readonly type: 'unregister'; readonly pids: readonly number[] }
  | { readonly type: 'start'; readonly run: number; readonly command: string }
  | { readonly type: 'signal'; readonly run: number; readonly signal: number }
  | { readonly type: 'setMode'; readonly freeze: boolean }
  | { readonly type: 'getStatus' }
  | { readonly type: 'release' };

export type ToBoardBody =
  | {
      readonly type: 'hello';
      readonly version: number;
      readonly session: Uint8Array;
      readonly resume: boolean;
    }
  | { readonly type: 'acknowledge' }
  | { readonly type: 'clock'; readonly number: number }
  | BoardRequest;

export interface ToBoard {
  /** 0 for what is not a request. */
  readonly request: number;
  readonly received: number;
  readonly body: ToBoardBody;
}

export interface BoardFailure {
  readonly type: 'failure';
  /** Such as `ESRCH`; empty where no kernel refused. */
  readonly errno: string;
  readonly text: string;
}

export type BoardAnswer =
  | { readonly type: 'done' }
  | BoardFailure
  | { readonly type: 'loaded'; readonly already: boolean }
  | { readonly type: 'started'; readonly pid: number; readonly time: BoardTime }
  | ({ readonly type: 'status' } & BoardStatus);

export type BoardEvent =
  | {
      readonly type: 'paused';
      readonly number: bigint;
      readonly pausedAtNs: bigint;
      readonly latencyNs: bigint;
      readonly spreadNs: bigint;
    }
  | {
      readonly type: 'resumed';
      readonly number: bigint;
      readonly pausedAtNs: bigint;
      readonly resumedAtNs: bigint;
      readonly latencyNs: bigint;
      readonly frozenNs: bigint;
      readonly watchdogReleases: bigint;
    }
  | {
      readonly type: 'console';
      readonly run: number;
      readonly time: BoardTime;
      readonly data: Uint8Array;
      readonly dropped: bigint;
    }
  | ({ readonly type: 'exited'; readonly run: number; readonly time: BoardTime } & BoardEnd)
  | { readonly type: 'problem'; readonly errno: string; readonly text: string };

/** How a run ended. */
export type BoardEnd = { readonly code: number } | { readonly signal: number };

export type ClockSample = {
  readonly type: 'clock';
  readonly number: number;
  readonly receivedNs: bigint;
  readonly sentNs: bigint;
  readonly time: BoardTime;
};

export type FromBoardBody =
  | {
      readonly type: 'welcome';
      readonly version: number;
      readonly agent: string;
      readonly lastRequest: number;
      readonly releaseAfterNs: bigint;
    }
  | { readonly type: 'refused'; readonly reason: RefusalReason; readonly text: string }
  | ClockSample
  | BoardAnswer
  | BoardEvent;

export interface FromBoard {
  /** 0 for what is not repeated. */
  readonly sequence: number;
  /** The request that this answers; 0: none. */
  readonly request: number;
  readonly body: FromBoardBody;
}
