// SPDX-License-Identifier: MIT
import type { ExitTurn } from './kvm-exits.js';
import type { LinuxTurn } from './kvm-linux.js';
import type { Rate } from './kvm-updates.js';

/** What of KVM guests is measured. */
export const PARTS = ['exits', 'updates', 'linux'] as const;
export type Part = (typeof PARTS)[number];

/** What kvm-main is told. */
export interface KvmOrder {
  readonly parts: readonly Part[];
  readonly repetitions: number;
  /** The program of bare-exits.cc. */
  readonly bareExits: string;
  /** Exits in one measurement. */
  readonly exits: number;
  readonly updates: number;
  readonly pings: number;
}

/** What kvm-main has found out, turn by turn. A part that was not asked for is null. */
export interface KvmFigures {
  readonly exits: readonly ExitTurn[] | null;
  readonly updates: readonly (readonly Rate[])[] | null;
  readonly linux: readonly LinuxTurn[] | null;
}
