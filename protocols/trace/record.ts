// SPDX-License-Identifier: MIT
import type { DRIVES, FATES } from './constants.js';

/** What a run log holds: trace.proto in TypeScript, with the meaning of each field. */

/** The first record. */
export interface LogHeader {
  readonly topology: string;
  /** 0 … 2^64-1 */
  readonly seed: bigint;
  /** The time of day at virtual time 0, in nanoseconds since 1970-01-01T00:00:00Z; 0 … 2^64-1. */
  readonly start: bigint;
  readonly nodes: readonly LoggedNode[];
  readonly links: readonly LoggedLink[];
  readonly switches: readonly LoggedSwitch[];
  readonly wires: readonly LoggedWire[];
  readonly shared: readonly LoggedShared[];
}

export interface LoggedNode {
  readonly name: string;
  readonly kind: string;
  readonly interfaces: readonly string[];
  /** The names of its GPIO lines by offset. */
  readonly lines: readonly string[];
}

export interface LoggedLink {
  readonly name: string;
  /** `a.eth0` */
  readonly ends: readonly string[];
}

export interface LoggedSwitch {
  readonly name: string;
  /** `c.eth0` */
  readonly ports: readonly string[];
}

export interface LoggedWire {
  readonly name: string;
  /** `a.gpio0` */
  readonly pins: readonly string[];
}

/** A variable that guests share. */
export interface LoggedShared {
  readonly name: string;
  /** What guests call it. */
  readonly variable: number;
  /** The names of nodes. */
  readonly between: readonly string[];
  readonly method: string;
}

/** What a partition is told that it has missed. */
export interface LoggedWarp {
  readonly sequence: bigint;
  /** Nanoseconds since the first of its absences began. */
  readonly absent: bigint;
  readonly ticks: bigint;
  /** Lines with interrupts that were kept, in the order of their numbers. */
  readonly pending: readonly { readonly line: number; readonly count: number }[];
}

/** The last record. */
export interface LogEnd {
  readonly reason: string;
  readonly virtualNs: bigint;
  readonly events: number;
  readonly activations: number;
}

/** What became of a frame that was given to a cable. */
export type FrameFate = (typeof FATES)[number];

/** What a guest does to a line. */
export type LoggedDrive = (typeof DRIVES)[number];

/** What a node is from now on. */
export type LoggedState =
  | { readonly state: 'exited'; readonly code: number }
  | { readonly state: 'signalled'; readonly signal: number }
  | { readonly state: 'failed'; readonly text: string }
  | { readonly state: 'running' | 'ready' | 'killed' | 'evicted' | 'crashed' | 'hung' };

/** What a link, a port of a switch or a wire is from now on. A wire has a latency only; the rest is zero. */
export interface LoggedChange {
  /** The index of the link; in an event of a switch, that of the port; in one of a wire, 0. */
  readonly cable: number;
  readonly down: boolean;
  /** Nanoseconds, as is the jitter. */
  readonly latency: bigint;
  /** Bits per second; 0: a frame takes no time to serialise. */
  readonly rate: bigint;
  /** Chance that a frame is lost, in parts of 1 000 000 000. */
  readonly loss: number;
  readonly jitter: bigint;
  /** Frames that may wait behind the one that is being serialised. */
  readonly queue: number;
  /** Frames that were queued or on the way, and do not arrive. */
  readonly lost: number;
}

/** What happened, without when and to whom. `unknown` is only ever read: a kind that was added later. */
export type TraceEvent =
  | { readonly kind: 'activation' }
  | {
      readonly kind: 'frame-sent';
      readonly interface: number;
      readonly length: number;
      readonly crc: number;
      readonly fate: FrameFate;
      /** Nanoseconds to the other end of the cable; 0 unless delivered. */
      readonly travel: bigint;
    }
  | {
      readonly kind: 'frame-received';
      readonly interface: number;
      readonly length: number;
      readonly crc: number;
      /** The guest had no room for it. */
      readonly dropped: boolean;
    }
  | { readonly kind: 'console-output'; readonly data: Uint8Array }
  | { readonly kind: 'node-state'; readonly state: LoggedState }
  | { readonly kind: 'broadcast'; readonly value: bigint }
  | { readonly kind: 'mark' | 'fault' | 'act'; readonly text: string }
  | ({ readonly kind: 'change' } & LoggedChange)
  | { readonly kind: 'drive'; readonly line: number; readonly drive: LoggedDrive }
  | { readonly kind: 'level'; readonly high: boolean }
  | {
      readonly kind: 'variable-changed';
      /** An index in the header's `shared`. */
      readonly shared: number;
      readonly value: bigint;
      readonly ticks: bigint;
    }
  | {
      readonly kind: 'variable-stored';
      readonly shared: number;
      readonly value: bigint;
      /** The index of the node that made the change. */
      readonly origin: number;
      /** Its place in the order of all updates of the variable; 0: it has none. */
      readonly sequence: number;
    }
  /** `span`: nanoseconds that the partition has the processor for. */
  | { readonly kind: 'slot-entry'; readonly span: bigint; readonly warp: LoggedWarp | undefined }
  | { readonly kind: 'line-raised'; readonly line: number; readonly kept: boolean }
  | { readonly kind: 'warp-applied'; readonly sequence: bigint }
  /** `late`: nanoseconds since the deadline. */
  | { readonly kind: 'deadline-missed'; readonly task: bigint; readonly late: bigint }
  | {
      readonly kind: 'serial-data';
      readonly line: string;
      /** The node receives it. */
      readonly input: boolean;
      readonly data: Uint8Array;
    }
  | { readonly kind: 'unknown' };

/** A record, as it stands in the file. */
export type TraceRecord =
  | { readonly what: 'header'; readonly header: LogHeader }
  | {
      readonly what: 'event';
      /** Nanoseconds since the record before. */
      readonly delta: bigint;
      readonly node: number;
      readonly event: TraceEvent;
    }
  | { readonly what: 'end'; readonly delta: bigint; readonly end: LogEnd };
