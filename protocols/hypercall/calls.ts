// SPDX-License-Identifier: MIT
import { End, LINES, MAX_VARIABLE, MAX_VECTOR, MIN_VECTOR, Op, PageLayout } from './constants.js';

/** 2^63-1: later than every instant. */
const NEVER = 0x7fff_ffff_ffff_ffffn;
const WORD_BYTES = 8n;

/** An operation that a guest has rung; hypercall.h says what each means. Times are nanoseconds. */
export type Call =
  | { readonly op: 'get' | 'update' | 'getTod' }
  | { readonly op: 'advance'; readonly to: bigint }
  | { readonly op: 'register'; readonly address: number; readonly size: number; readonly variable: number }
  | { readonly op: 'changed'; readonly variable: number; readonly value: bigint; readonly ticks: bigint }
  | { readonly op: 'partition'; readonly vector: number; readonly period: bigint }
  | { readonly op: 'line'; readonly line: number; readonly vector: number }
  | { readonly op: 'warped'; readonly sequence: bigint }
  | { readonly op: 'missed'; readonly task: bigint; readonly deadline: bigint }
  | { readonly op: 'end'; readonly how: End };

/** What of a guest its calls are checked against. */
export interface GuestBounds {
  /** Bytes of memory, from guest-physical address 0. */
  readonly memoryBytes: number;
  /** Guest-physical address of the page. */
  readonly page: number;
  /** The guest's time. */
  readonly now: bigint;
}

/**
 * Reads what a guest has rung; every bound that needs no more than `guest` has been checked.
 *
 * @param op what was written to the port, or RBX
 * @param args {@link ARGS} unsigned 64-bit numbers
 * @throws Error that says what was expected and what was found; the guest is to end
 */
export function decodeCall(op: number | bigint, args: readonly bigint[], guest: GuestBounds): Call {
  const [first = 0n, second = 0n, third = 0n] = args;
  switch (Number(op)) {
    case Op.GET:
      return { op: 'get' };
    case Op.UPDATE:
      return { op: 'update' };
    case Op.GET_TOD:
      return { op: 'getTod' };
    case Op.ADVANCE:
      return { op: 'advance', to: within('an instant', first, guest.now, NEVER) };
    case Op.REGISTER: {
      const size = small('a size', second, 1, 8);
      return { op: 'register', address: place(first, size, guest), size, variable: variable(third) };
    }
    case Op.CHANGED:
      return { op: 'changed', variable: variable(first), value: second, ticks: third };
    case Op.PARTITION:
      return { op: 'partition', vector: vector(first), period: within('a period', second, 1n, NEVER) };
    case Op.LINE:
      return { op: 'line', line: small('a line', first, 0, LINES - 1), vector: vector(second) };
    case Op.WARPED:
      return { op: 'warped', sequence: first };
    case Op.MISSED:
      return { op: 'missed', task: first, deadline: within('a deadline', second, 0n, guest.now) };
    case Op.END:
      return { op: 'end', how: small('an end', first, End.OFF, End.PANIC) as End };
    default:
      throw new Error(`expected an operation, found ${op}`);
  }
}

function variable(value: bigint): number {
  return small('a variable', value, 1, MAX_VARIABLE);
}

function vector(value: bigint): number {
  return small('a vector', value, MIN_VECTOR, MAX_VECTOR);
}

/** The address of a variable: one word holds it, and none of it is ours. */
function place(address: bigint, size: number, { memoryBytes, page }: GuestBounds): number {
  const last = address + BigInt(size) - 1n;
  if (last >= BigInt(memoryBytes) || address / WORD_BYTES !== last / WORD_BYTES) {
    throw new Error(
      `expected a variable in one aligned word of ${memoryBytes} bytes of memory, found ${hex(address)} and ${size} bytes`,
    );
  }
  // Pages and words are aligned: a word lies in the page as its first byte does.
  if (address >= BigInt(page) && address < BigInt(page + PageLayout.BYTES)) {
    throw new Error(`expected a variable outside the page at ${hex(BigInt(page))}, found ${hex(address)}`);
  }
  return Number(address);
}

function small(what: string, value: bigint, least: number, most: number): number {
  return Number(within(what, value, BigInt(least), BigInt(most)));
}

function within(what: string, value: bigint, least: bigint, most: bigint): bigint {
  if (value >= least && value <= most) return value;
  throw new Error(`expected ${what} from ${least} to ${most}, found ${value}`);
}

function hex(value: bigint): string {
  return `0x${value.toString(16)}`;
}
