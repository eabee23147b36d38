// SPDX-License-Identifier: MIT

/** The contract of hypercall.h, which says what it all means. Names are those of the header without ONECLOCK_HC_. */

export const HYPERCALL_VERSION = 1;

/** CPUID leaf whose EBX, ECX and EDX hold the signature, padded with zeroes. */
export const CPUID = 0x4000_0000;
export const SIGNATURE = 'oneclock';

/** Ports, 32 bits wide. */
export const Port = { START: 0x6c0, BELL: 0x6c4 } as const;

/** RAX of VMCALL and VMMCALL. */
export const HYPERCALL_NUMBER = 30;

/** Bits. */
export const Feature = { HYPERCALL: 1, WRITE_UPDATE: 2, ORDERED: 4, PARTITION: 8, REAL: 16 } as const;

/** Operations, all from the guest to the VMM. */
export const Op = {
  GET: 4,
  UPDATE: 5,
  GET_TOD: 8,
  ADVANCE: 16,
  REGISTER: 17,
  CHANGED: 18,
  PARTITION: 24,
  LINE: 25,
  WARPED: 26,
  MISSED: 27,
  END: 32,
} as const;
export type Op = (typeof Op)[keyof typeof Op];

/** How a guest ends. */
export const End = { OFF: 0, REBOOT: 1, PANIC: 2 } as const;
export type End = (typeof End)[keyof typeof End];

/** A result is the negative of one of these, or no error. */
export const ResultError = { VERSION: 64, FEATURE: 65, FULL: 66 } as const;
export type ResultError = (typeof ResultError)[keyof typeof ResultError];

export const VARIABLE_JIFFIES = 1;
export const MAX_VARIABLE = 65_535;
export const MIN_VECTOR = 32;
export const MAX_VECTOR = 255;
/** Interrupt lines of a partition. */
export const LINES = 32;
/** Arguments of an operation. */
export const ARGS = 3;
/** `req` of a guest that requests nothing. */
export const NO_REQUEST = 0xffff_ffff_ffff_ffffn;

/** `struct oneclock_hc_page`: offsets and sizes in bytes. */
export const PageLayout = {
  BYTES: 4096,
  NOW: 0,
  FREE_UNTIL: 8,
  REQ: 16,
  TOD: 24,
  ARG: 32,
  RET: 56,
  VERSION: 64,
  FEATURES: 68,
  VECTOR: 72,
  RESERVED: 76,
  RESERVED2: 80,
  WARP: 128,
  RESERVED3: 296,
} as const;

/** `struct oneclock_hc_warp`: offsets and sizes in bytes. */
export const WarpLayout = {
  BYTES: 168,
  SEQUENCE: 0,
  LEFT: 8,
  ENTERED: 16,
  SLOT_END: 24,
  TICKS: 32,
  PENDING: 40,
} as const;
