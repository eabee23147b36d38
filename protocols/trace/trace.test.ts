// SPDX-License-Identifier: MIT
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import { describe, expect, test } from 'vitest';
import { anyEvent, END, HEADER } from '../../backend/trace/testing/logs.js';
import * as constants from './constants.js';
import { decodeRecord } from './decoder.js';
import { encodeEnd, encodeEvent, encodeHeader, type LogHeader, ProtoWriter } from './index.js';
import { traceSchema } from './schema.js';

const proto = readFileSync(new URL('trace.proto', import.meta.url), 'utf8');
const root = protobuf.parse(proto).root;
const originalNames = protobuf.parse(proto, { keepCase: true }).root;
const recordType = root.lookupType('oneclock.trace.Record');
const uint64 = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });

/** What `encode` writes, behind its size; proves that the size is right. */
function encoded(encode: (out: ProtoWriter) => void): Uint8Array {
  const out = new ProtoWriter(16);
  encode(out);
  const bytes = out.buffer.subarray(0, out.length);
  const reader = protobuf.Reader.create(bytes);
  const size = reader.uint32();
  expect(size).toBe(bytes.length - reader.pos);
  return bytes.subarray(reader.pos);
}

describe('trace.proto', () => {
  test('is what the schema says', () => {
    expect(traceSchema).toEqual(root.toJSON());
  });

  test.each([
    ['Record', constants.RecordField],
    ['Header', constants.HeaderField],
    ['Node', constants.NodeField],
    ['Link', constants.LinkField],
    ['Switch', constants.SwitchField],
    ['ConsoleOutput', constants.ConsoleField],
    ['NodeState', constants.StateField],
    ['Broadcast', constants.BroadcastField],
    ['Mark', constants.TextField],
    ['Fault', constants.TextField],
    ['Change', constants.ChangeField],
    ['Drive', constants.DriveField],
    ['Level', constants.LevelField],
    ['Wire', constants.WireField],
    ['Shared', constants.SharedField],
    ['VariableChanged', constants.VariableChangedField],
    ['VariableStored', constants.VariableStoredField],
    ['SlotEntry', constants.SlotEntryField],
    ['Warp', constants.WarpField],
    ['Pending', constants.PendingField],
    ['LineRaised', constants.LineRaisedField],
    ['WarpApplied', constants.WarpAppliedField],
    ['DeadlineMissed', constants.DeadlineMissedField],
    ['Act', constants.TextField],
    ['SerialData', constants.SerialDataField],
    ['End', constants.EndField],
  ])('has the field numbers of the constants: %s', (name, fields) => {
    const found = originalNames
      .lookupType(`oneclock.trace.${name}`)
      .fieldsArray.map((field) => [field.name.toUpperCase(), field.id]);
    expect(Object.fromEntries(found)).toEqual(fields);
  });

  test('has the field numbers of the constants: frames', () => {
    const numbers = ['FrameSent', 'FrameReceived'].flatMap((name) =>
      root
        .lookupType(`oneclock.trace.${name}`)
        .fieldsArray.map((field) => [field.name.toUpperCase(), field.id]),
    );
    expect(Object.fromEntries(numbers)).toEqual(constants.FrameField);
  });

  test('has the enums of the constants', () => {
    const names = (type: string) => Object.entries(root.lookupEnum(`oneclock.trace.${type}`).values);
    const written = (name: string) => name.toUpperCase().replace('-', '_');
    expect(names('Fate')).toEqual(constants.FATES.map((name, number) => [written(name), number]));
    expect(names('Driven').map(([name, number]) => [name.replace('DRIVEN_', ''), number])).toEqual(
      constants.DRIVES.map((name, number) => [written(name), number]),
    );
    expect(names('State').slice(1)).toEqual(
      constants.STATES.map((name, place) => [written(name), place + 1]),
    );
  });

  test('names the limits of the constants', () => {
    const text = proto.replace(/\s*\n\s*\/\/\s*/g, ' ');
    expect(text).toContain(`${constants.MAX_RECORD} bytes (MAX_RECORD in`);
    expect(text).toContain(`${constants.MAX_BYTES} bytes (MAX_BYTES in`);
  });
});

describe('a record that is written by hand', () => {
  test('is what protobufjs would have written, and is read as it was', () => {
    fc.assert(
      fc.property(uint64, fc.nat({ max: 0xffff_ffff }), anyEvent(), (delta, node, event) => {
        const bytes = encoded((out) => encodeEvent(out, delta, node, event));
        expect(Buffer.from(recordType.encode(recordType.decode(bytes)).finish())).toEqual(Buffer.from(bytes));
        expect(decodeRecord(bytes)).toEqual({ what: 'event', delta, node, event });
      }),
      { numRuns: 2000 },
    );
  });

  test('says to protobufjs what was meant', () => {
    const sent = encoded((out) =>
      encodeEvent(out, 1_005_000n, 1, {
        kind: 'frame-sent',
        interface: 2,
        length: 98,
        crc: 0xdeadbeef,
        fate: 'lost',
        travel: 0n,
      }),
    );
    const options = { longs: String, enums: String, oneofs: true };
    expect(recordType.toObject(recordType.decode(sent), options)).toEqual({
      delta: '1005000',
      node: 1,
      what: 'frameSent',
      frameSent: { interface: 2, length: 98, crc: 0xdeadbeef, fate: 'LOST' },
    });
    const end = encoded((out) => encodeEnd(out, (1n << 63n) - 1n, END));
    expect(recordType.toObject(recordType.decode(end), options)).toEqual({
      delta: '9223372036854775807',
      what: 'end',
      end: { reason: 'until', virtualNs: '60000000000', events: '12', activations: '7' },
    });
  });

  test('can be a header', () => {
    const name = fc.string({ maxLength: 200 });
    const names = fc.array(name, { maxLength: 5 });
    const header: fc.Arbitrary<LogHeader> = fc.record({
      topology: name,
      seed: uint64,
      start: uint64,
      nodes: fc.array(fc.record({ name, kind: name, interfaces: names, lines: names })),
      wires: fc.array(fc.record({ name, pins: names })),
      shared: fc.array(
        fc.record({
          name,
          variable: fc.nat({ max: 65_535 }),
          between: names,
          method: fc.constantFrom('ordered', ''),
        }),
      ),
      links: fc.array(fc.record({ name, ends: names })),
      switches: fc.array(fc.record({ name, ports: names })),
    });
    fc.assert(
      fc.property(header, (value) => {
        const bytes = encoded((out) => encodeHeader(out, value));
        expect(Buffer.from(recordType.encode(recordType.decode(bytes)).finish())).toEqual(Buffer.from(bytes));
        expect(decodeRecord(bytes)).toEqual({ what: 'header', header: value });
      }),
    );
  });

  test('is refused where the header would be too large', () => {
    const nodes = Array.from({ length: 20_000 }, (_, index) => ({
      name: `a-node-with-a-rather-long-name-${index}`,
      kind: 'uml',
      interfaces: ['eth0', 'eth1'],
      lines: ['gpio0'],
    }));
    const encode = () => encodeHeader(new ProtoWriter(16), { ...HEADER, nodes });
    expect(encode).toThrow(/the topology is too large: its names take \d+ bytes in the run log/);
  });
});

describe('a record that is read', () => {
  /** `event` with `extra` bytes behind it. */
  const activation = (...extra: number[]) => Uint8Array.of(0x08, 0x05, 0x2a, 0x00, ...extra);

  test('may have fields and kinds that were added later', () => {
    const event = { what: 'event', delta: 5n, node: 0 };
    const unknownField = [0xa2, 0x06, 0x02, 0x01, 0x02];
    expect(decodeRecord(activation(...unknownField))).toEqual({ ...event, event: { kind: 'activation' } });
    expect(decodeRecord(Uint8Array.of(0x08, 0x05, ...unknownField))).toEqual({
      ...event,
      event: { kind: 'unknown' },
    });
  });

  test.each([
    [
      'a format that is not known',
      [0x1a, 0x02, 0x08, 0x03],
      'expected a log of format 1 to 2, found format 3',
    ],
    ['no format', [0x1a, 0x00], 'expected a log of format 1 to 2, found format 0'],
    ['a fate that is not known', [0x32, 0x02, 0x20, 0x09], 'expected a fate of a frame, found number 9'],
    ['a state that is not known', [0x4a, 0x02, 0x08, 0x0a], 'expected a state of a node, found number 10'],
    ['no state', [0x4a, 0x00], 'expected a state of a node, found number 0'],
    ['a field that is cut short', [0x42, 0x7f, 0x0a], /index out of range/],
    ['a wire type that does not exist', [0x47], /invalid wire type/],
    [
      'a count that is no exact number',
      [0x22, 0x0a, 0x18, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
      /expected a count below 2\^53/,
    ],
  ])('is refused with %s', (_, bytes, message) => {
    expect(() => decodeRecord(Uint8Array.from(bytes))).toThrow(message);
  });

  test('may be of the format before', () => {
    expect(decodeRecord(Uint8Array.of(0x1a, 0x02, 0x08, 0x01))).toMatchObject({ what: 'header' });
  });

  test('shares no memory with its source', () => {
    const source = Uint8Array.of(0x42, 0x03, 0x0a, 0x01, 0x41);
    const record = decodeRecord(source);
    source.fill(0);
    expect(record).toMatchObject({ event: { kind: 'console-output', data: Uint8Array.of(0x41) } });
  });
});
