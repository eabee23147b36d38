// SPDX-License-Identifier: MIT
import { readFileSync } from 'node:fs';
import protobuf from 'protobufjs';
import { expect, test } from 'vitest';
import * as constants from './constants.js';

const proto = readFileSync(new URL('perfetto.proto', import.meta.url), 'utf8');
const root = protobuf.parse(proto, { keepCase: true }).root;

test.each([
  ['Trace', constants.TraceField],
  ['TracePacket', constants.PacketField],
  ['ClockSnapshot', constants.SnapshotField],
  ['Clock', constants.ClockField],
  ['InternedData', constants.InternedField],
  ['InternedName', constants.NameField],
  ['TrackDescriptor', constants.TrackField],
  ['ProcessDescriptor', constants.ProcessField],
  ['ThreadDescriptor', constants.ThreadField],
  ['CounterDescriptor', constants.CounterField],
  ['TrackEvent', constants.EventField],
  ['DebugAnnotation', constants.AnnotationField],
])('perfetto.proto has the field numbers of the constants: %s', (name, fields) => {
  const found = root
    .lookupType(`oneclock.perfetto.${name}`)
    .fieldsArray.map((field) => [field.name.toUpperCase(), field.id]);
  expect(Object.fromEntries(found)).toEqual(fields);
});

test('perfetto.proto has the types of events of the constants', () => {
  const { values } = root.lookupEnum('oneclock.perfetto.TrackEvent.Type');
  const named = Object.entries(constants.EventType).map(([name, number]) => [`TYPE_${name}`, number]);
  expect(values).toEqual({ TYPE_UNSPECIFIED: 0, ...Object.fromEntries(named) });
});
