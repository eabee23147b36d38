// SPDX-License-Identifier: MIT
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import { describe, expect, test } from 'vitest';
import { ProtoWriter } from '../trace/index.js';
import * as constants from './constants.js';
import { decodeCostRecord } from './decoder.js';
import { type CostSample, encodeCostHeader, encodeCostSample } from './index.js';
import { costSchema } from './schema.js';

const proto = readFileSync(new URL('cost.proto', import.meta.url), 'utf8');
const root = protobuf.parse(proto).root;
const originalNames = protobuf.parse(proto, { keepCase: true }).root;
const recordType = root.lookupType('oneclock.cost.Record');

/** What `encode` writes, behind its size; proves that the size is right. */
function encoded(encode: (out: ProtoWriter) => void): Uint8Array {
  const out = new ProtoWriter(16);
  encode(out);
  const reader = protobuf.Reader.create(out.buffer.subarray(0, out.length));
  const size = reader.uint32();
  expect(size).toBe(out.length - reader.pos);
  return out.buffer.subarray(reader.pos, out.length);
}

const count = fc.nat({ max: Number.MAX_SAFE_INTEGER });
const uint32 = fc.nat({ max: 0xffff_ffff });
const sample: fc.Arbitrary<CostSample> = fc.record({
  virtualNs: fc.bigInt({ min: 0n, max: (1n << 63n) - 1n }),
  wallUs: count,
  ownCpuUs: count,
  nodes: fc.array(fc.record({ node: uint32, ranUs: count, activations: uint32 }), { maxLength: 20 }),
});

describe('cost.proto', () => {
  test('is what the schema says', () => {
    expect(costSchema).toEqual(root.toJSON());
  });

  test.each([
    ['Record', constants.RecordField],
    ['Header', constants.HeaderField],
    ['Sample', constants.SampleField],
    ['NodeCost', constants.NodeCostField],
  ])('has the field numbers of the constants: %s', (name, fields) => {
    const found = originalNames
      .lookupType(`oneclock.cost.${name}`)
      .fieldsArray.map((field) => [field.name.toUpperCase(), field.id]);
    expect(Object.fromEntries(found)).toEqual(fields);
  });

  test('names the limit of the constants', () => {
    expect(proto.replace(/\s*\n\s*\/\/\s*/g, ' ')).toContain(
      `${constants.MAX_COST_RECORD} bytes (MAX_COST_RECORD in`,
    );
  });
});

describe('a record of costs', () => {
  test('is what protobufjs would have written, and is read as it was', () => {
    fc.assert(
      fc.property(sample, (value) => {
        const bytes = encoded((out) => encodeCostSample(out, value));
        expect(Buffer.from(recordType.encode(recordType.decode(bytes)).finish())).toEqual(Buffer.from(bytes));
        expect(decodeCostRecord(bytes)).toEqual({ what: 'sample', sample: value });
      }),
    );
  });

  test('can be a header', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme' })), (nodes) => {
        const bytes = encoded((out) => encodeCostHeader(out, nodes));
        expect(decodeCostRecord(bytes)).toEqual({ what: 'header', nodes });
      }),
    );
  });

  test('may be of a kind that was added later', () => {
    expect(decodeCostRecord(Uint8Array.of(0x1a, 0))).toEqual({ what: 'unknown' });
  });

  test.each([
    ['another version', [0x0a, 0x02, 0x08, 0x02], 'expected a version from 1 to 1, found 2'],
    ['a field that is cut short', [0x12, 0x7f, 0x0a], /index out of range/],
    [
      'a time past the end of time',
      [0x12, 0x0b, 0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
      /expected a time up to/,
    ],
    [
      'a count that is no exact number',
      [0x12, 0x0b, 0x10, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
      /expected a wallUs from 0/,
    ],
  ])('is refused with %s', (_, bytes, message) => {
    expect(() => decodeCostRecord(Uint8Array.from(bytes))).toThrow(message);
  });
});
