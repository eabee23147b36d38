// SPDX-License-Identifier: MIT

/** A uint64, as protobufjs gives it. */
export interface Wide {
  readonly low: number;
  readonly high: number;
}

/** A decoded message; a sub-message that is absent is null, anything else that is absent has its default. */
export interface Fields {
  readonly [name: string]: unknown;
}

/** Reads fields of a decoded message; the schema says of which type each is. */
export function number(fields: Fields, name: string): number {
  return fields[name] as number;
}

export function text(fields: Fields, name: string): string {
  return fields[name] as string;
}

/** A text that is shown on the user's terminal: nothing in it may steer the terminal. */
export function printable(fields: Fields, name: string): string {
  return text(fields, name).replace(/\p{C}/gu, '?');
}

export function flag(fields: Fields, name: string): boolean {
  return fields[name] as boolean;
}

/** @returns bytes that share no memory with the message */
export function bytes(fields: Fields, name: string): Uint8Array {
  return Uint8Array.from(fields[name] as Uint8Array);
}

export function wide(fields: Fields, name: string): bigint {
  const { low, high } = fields[name] as Wide;
  return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
}

export function list<T>(fields: Fields, name: string): readonly T[] {
  return fields[name] as readonly T[];
}

/** @throws Error where it is absent */
export function sub(fields: Fields, name: string): Fields {
  const value = fields[name] as Fields | null;
  if (value === null) throw new Error(`expected ${name}, found none`);
  return value;
}

/** @throws Error where the number is not from `least` to `most` */
export function within(fields: Fields, name: string, least: number, most: number): number {
  return inRange(name, number(fields, name), least, most);
}

export function inRange(what: string, value: number, least: number, most: number): number {
  if (value < least || value > most) {
    throw new Error(`expected a ${what} from ${least} to ${most}, found ${value}`);
  }
  return value;
}
