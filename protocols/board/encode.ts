// SPDX-License-Identifier: MIT
import protobuf from 'protobufjs/light.js';
import { REFUSALS } from './constants.js';
import type { FromBoard, ToBoard } from './messages.js';
import { boardSchema } from './schema.js';

const root = protobuf.Root.fromJSON(boardSchema);
export const toBoardType = root.lookupType('oneclock.board.ToBoard');
export const fromBoardType = root.lookupType('oneclock.board.FromBoard');

/** `message` as it travels: its size, then its bytes. */
export function encodeToBoard(message: ToBoard): Uint8Array {
  return toBoardType.encodeDelimited(toBoardFields(message)).finish();
}

/** `message` without the size before it. */
export function toBoardMessage(message: ToBoard): Uint8Array {
  return toBoardType.encode(toBoardFields(message)).finish();
}

function toBoardFields({ request, received, body }: ToBoard): Record<string, unknown> {
  const { type, ...fields } = body;
  return toWire({ request, received, [type]: fields });
}

/** `message` as it travels: its size, then its bytes. */
export function encodeFromBoard({ sequence, request, body }: FromBoard): Uint8Array {
  const { type, ...fields } = body;
  const known = body.type === 'refused' ? { ...fields, reason: REFUSALS.indexOf(body.reason) } : fields;
  return fromBoardType.encodeDelimited(toWire({ sequence, request, [type]: known })).finish();
}

/** The fields have the names of board.proto; only 64-bit numbers have another form in protobufjs. */
function toWire(fields: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [name, wireValue(value)]),
  );
}

function wireValue(value: unknown): unknown {
  if (typeof value === 'bigint') {
    return { low: Number(value & 0xffff_ffffn) | 0, high: Number(value >> 32n) | 0, unsigned: true };
  }
  if (Array.isArray(value)) return value.map(wireValue);
  if (typeof value === 'object' && value !== null && !(value instanceof Uint8Array)) return toWire(value);
  return value;
}
