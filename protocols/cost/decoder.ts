// SPDX-License-Identifier: MIT
import protobuf from 'protobufjs/light.js';
import { type Fields, inRange, list, number, sub, text, wide, within } from '../wire.js';
import { COST_VERSION } from './constants.js';
import type { CostRecord } from './record.js';
import { costSchema } from './schema.js';

const recordType = protobuf.Root.fromJSON(costSchema).lookupType('oneclock.cost.Record');
/** 2^63-1: later than every instant. */
const NEVER = 0x7fff_ffff_ffff_ffffn;

/**
 * Reads the bytes of a record, without the size before it.
 *
 * @throws Error that says what is wrong with the bytes
 */
export function decodeCostRecord(bytes: Uint8Array): CostRecord {
  const fields = recordType.decode(bytes) as unknown as Fields;
  if (fields.what === undefined) return { what: 'unknown' };
  if (text(fields, 'what') === 'header') {
    const header = sub(fields, 'header');
    within(header, 'version', COST_VERSION, COST_VERSION);
    return { what: 'header', nodes: [...list<string>(header, 'nodes')] };
  }
  const sample = sub(fields, 'sample');
  const virtualNs = wide(sample, 'virtualNs');
  if (virtualNs > NEVER) throw new Error(`expected a time up to ${NEVER}ns, found ${virtualNs}ns`);
  return {
    what: 'sample',
    sample: {
      virtualNs,
      wallUs: count(sample, 'wallUs'),
      ownCpuUs: count(sample, 'ownCpuUs'),
      nodes: list<Fields>(sample, 'nodes').map((each) => ({
        node: number(each, 'node'),
        ranUs: count(each, 'ranUs'),
        activations: number(each, 'activations'),
      })),
    },
  };
}

/** A uint64 that is exact as a number. */
function count(fields: Fields, name: string): number {
  return inRange(name, Number(wide(fields, name)), 0, Number.MAX_SAFE_INTEGER);
}
