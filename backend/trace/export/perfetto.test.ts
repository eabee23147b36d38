// SPDX-License-Identifier: MIT
import { readFileSync } from 'node:fs';
import protobuf from 'protobufjs';
import { describe, expect, test } from 'vitest';
import type { LogHeader } from '../../../protocols/trace/index.js';
import type { RunCost } from '../cost-file.js';
import { LogReader } from '../log-reader.js';
import type { RunLog } from '../run-log.js';
import { at, HEADER, writeLog } from '../testing/logs.js';
import { Perfetto } from './perfetto.js';

const proto = readFileSync(new URL('../../../protocols/perfetto/perfetto.proto', import.meta.url), 'utf8');
const traceType = protobuf.parse(proto).root.lookupType('oneclock.perfetto.Trace');

interface Packet {
  readonly timestamp: string;
  readonly trustedPacketSequenceId: number;
  readonly sequenceFlags: number;
  readonly clockSnapshot?: object;
  readonly internedData?: { readonly eventNames?: Name[]; readonly debugAnnotationNames?: Name[] };
  readonly trackDescriptor?: {
    readonly uuid: string;
    readonly name?: string;
    readonly parentUuid?: string;
    readonly process?: { readonly processName: string };
    readonly thread?: { readonly threadName: string };
    readonly counter?: object;
  };
  readonly trackEvent?: {
    readonly type: string;
    readonly trackUuid: string;
    readonly nameIid?: string;
    readonly name?: string;
    readonly counterValue?: string;
    readonly doubleCounterValue?: number;
    readonly flowIds?: string[];
    readonly terminatingFlowIds?: string[];
    readonly debugAnnotations?: { readonly nameIid: string; [value: string]: unknown }[];
  };
}
interface Name {
  readonly iid: string;
  readonly name: string;
}
/** An event as a viewer has it. */
interface Seen {
  readonly at: number;
  readonly type: string;
  /** `a/eth0` */
  readonly track: string;
  readonly name: string | undefined;
  readonly value: number | undefined;
  readonly begins: readonly string[];
  readonly ends: readonly string[];
  readonly notes: Readonly<Record<string, unknown>>;
}

/** What a viewer makes of the packets: sorted by time, with the names in the place of numbers. */
function view(tell: (log: RunLog) => void, header: LogHeader = HEADER, cost?: RunCost) {
  const reader = new LogReader(writeLog(tell, header));
  const perfetto = new Perfetto(reader.header, cost);
  const parts: Uint8Array[] = [];
  for (const event of reader) {
    perfetto.event(event);
    parts.push(Uint8Array.from(perfetto.take()));
  }
  const { end, damage } = reader;
  perfetto.close({ at: at(end?.virtualNs ?? 0n), end, damage });
  parts.push(Uint8Array.from(perfetto.take()));
  reader.close();
  const bytes = Buffer.concat(parts);
  const { packet } = traceType.toObject(traceType.decode(bytes), { longs: String, enums: String }) as {
    packet: Packet[];
  };
  const [names, notes, tracks] = [
    new Map<string, string>(),
    new Map<string, string>(),
    new Map<string, string>(),
  ];
  const seen: Seen[] = [];
  for (const { timestamp, internedData, trackDescriptor, trackEvent } of packet) {
    for (const { iid, name } of internedData?.eventNames ?? []) names.set(iid, name);
    for (const { iid, name } of internedData?.debugAnnotationNames ?? []) notes.set(iid, name);
    if (trackDescriptor) {
      const { uuid, parentUuid, process, thread, name } = trackDescriptor;
      const own = process?.processName ?? thread?.threadName ?? name;
      tracks.set(uuid, parentUuid === undefined ? `${own}` : `${tracks.get(parentUuid)}/${own}`);
    }
    if (!trackEvent) continue;
    const { type, trackUuid, nameIid, name, counterValue, doubleCounterValue } = trackEvent;
    const value = counterValue ?? doubleCounterValue;
    seen.push({
      at: Number(timestamp),
      type: type.replace('TYPE_', ''),
      track: tracks.get(trackUuid) as string,
      name: name ?? names.get(nameIid as string),
      value: value === undefined ? undefined : Number(value),
      begins: trackEvent.flowIds ?? [],
      ends: trackEvent.terminatingFlowIds ?? [],
      notes: Object.fromEntries(
        (trackEvent.debugAnnotations ?? []).map(({ nameIid: id, ...rest }) => [
          notes.get(id),
          Object.values(rest)[0],
        ]),
      ),
    });
  }
  seen.sort((a, b) => a.at - b.at);
  return { packet, seen };
}

/** The arrows, each as where it begins and ends. */
function arrows(seen: readonly Seen[]): string[] {
  return seen.flatMap((from) =>
    from.begins.flatMap((flow) =>
      seen
        .filter(({ ends }) => ends.includes(flow))
        .map((to) => `${from.track}@${from.at} ${to.track}@${to.at}`),
    ),
  );
}

describe('a trace of Perfetto', () => {
  test('has virtual time for its clock, and says which time of day it began at', () => {
    const { packet } = view(() => undefined);
    expect(packet[0]).toMatchObject({
      timestamp: '0',
      sequenceFlags: 1,
      clockSnapshot: {
        clocks: [
          { clockId: 6, timestamp: '0' },
          { clockId: 1, timestamp: String(HEADER.start) },
        ],
      },
    });
    expect(packet.slice(1).every((each) => each.sequenceFlags === 2)).toBe(true);
    expect(packet.every((each) => each.trustedPacketSequenceId === 1)).toBe(true);
  });

  test('has a slice for each activation, to the last thing that the node did in it', () => {
    const { seen } = view((log) => {
      log.activation(at(0), 0);
      log.activation(at(0), 1);
      log.frameSent(at(30), 0, 0, 98, 1, 'lost', undefined);
      log.frameReceived(at(40), 0, 0, 98, 2, false);
      log.activation(at(50), 0);
      log.activation(at(50), 0);
      log.consoleOutput(at(70), 0, Buffer.from('x'));
    });
    const slices = seen.filter(({ type }) => type.startsWith('SLICE'));
    expect(slices.map(({ at: time, type, track }) => `${time} ${type} ${track}`)).toEqual([
      '0 SLICE_BEGIN a/runs',
      '0 SLICE_BEGIN b/runs',
      '0 SLICE_END b/runs',
      '30 SLICE_END a/runs',
      '50 SLICE_BEGIN a/runs',
      '50 SLICE_END a/runs',
      '50 SLICE_BEGIN a/runs',
      '70 SLICE_END a/runs',
    ]);
  });

  test('has an arrow for each frame that crossed a link, not for those that were lost', () => {
    const { seen } = view((log) => {
      log.frameSent(at(10), 0, 0, 98, 1, 'delivered', at(1_010));
      log.frameSent(at(20), 0, 0, 98, 1, 'delivered', at(1_020));
      log.frameSent(at(25), 0, 0, 98, 1, 'queue-full', undefined);
      log.frameSent(at(30), 0, 0, 98, 5, 'delivered', at(1_030));
      log.frameSent(at(40), 0, 0, 98, 6, 'delivered', at(1_040));
      log.frameReceived(at(1_010), 1, 0, 98, 1, false);
      log.frameReceived(at(1_020), 1, 0, 98, 1, true);
      log.frameReceived(at(1_040), 1, 0, 98, 6, false);
      log.frameSent(at(2_000), 1, 0, 98, 6, 'delivered', at(3_000));
      log.frameReceived(at(3_000), 0, 0, 98, 6, false);
    });
    expect(arrows(seen)).toEqual([
      'a/eth0@10 b/eth0@1010',
      'a/eth0@20 b/eth0@1020',
      'a/eth0@40 b/eth0@1040',
      'b/eth0@2000 a/eth0@3000',
    ]);
    expect(seen.find(({ at: time }) => time === 25)?.name).toBe('sends, queue-full');
    expect(seen.find(({ at: time }) => time === 1_020)?.name).toBe('receives, no room');
    expect(seen.find(({ at: time }) => time === 10)?.notes).toEqual({
      interface: 'eth0',
      length: '98',
      crc32: '00000001',
      fate: 'delivered',
      arrives: '1010',
    });
  });

  const LAN: LogHeader = {
    ...HEADER,
    nodes: ['a', 'b', 'c'].map((name) => ({ name, kind: 'uml', interfaces: ['eth0'], lines: ['out', 'in'] })),
    links: [],
    switches: [{ name: 'lan', ports: ['a.eth0', 'b.eth0', 'c.eth0'] }],
    wires: [{ name: 'w', pins: ['a.out', 'b.in'] }],
  };

  test('has an arrow to each node that a frame came to through a switch, also among frames that are alike', () => {
    const { seen } = view((log) => {
      log.frameSent(at(10), 0, 0, 60, 7, 'delivered', at(20));
      log.frameSent(at(15), 1, 0, 60, 7, 'delivered', at(25));
      log.frameReceived(at(30), 1, 0, 60, 7, false);
      log.frameReceived(at(30), 2, 0, 60, 7, false);
      log.frameReceived(at(35), 0, 0, 60, 7, false);
      log.frameReceived(at(35), 2, 0, 60, 7, false);
      for (let n = 0; n < 3_000; n++) {
        log.frameSent(at(100 + 10 * n), 0, 0, 60, 100 + n, 'delivered', at(101 + 10 * n));
        log.frameReceived(at(102 + 10 * n), 1, 0, 60, 100 + n, false);
      }
    }, LAN);
    const found = arrows(seen);
    expect(found).toHaveLength(3_004);
    expect(found.slice(0, 5)).toEqual([
      'a/eth0@10 b/eth0@30',
      'a/eth0@10 c/eth0@30',
      'b/eth0@15 a/eth0@35',
      'b/eth0@15 c/eth0@35',
      'a/eth0@100 b/eth0@102',
    ]);
    expect(seen.filter(({ name }) => name === 'sends')).toHaveLength(3_002);
  });

  test('has an arrow from who drove a wire to the edge, and its level as a curve', () => {
    const { seen } = view((log) => {
      log.drive(at(0), 0, 0, 'low');
      log.drive(at(100), 0, 0, 'high');
      log.level(at(150), log.wire(0), true);
      log.drive(at(160), 0, 0, 'low');
      log.drive(at(170), 0, 0, 'high');
      log.level(at(210), log.wire(0), false);
      log.level(at(220), log.wire(0), true);
    }, LAN);
    expect(arrows(seen)).toEqual(['a/out@100 w/edges@150', 'a/out@160 w/edges@210', 'a/out@170 w/edges@220']);
    const levels = seen.filter(({ track }) => track === 'w/level');
    expect(levels.map(({ type, at: time, value }) => [type, time, value])).toEqual([
      ['COUNTER', 150, 1],
      ['COUNTER', 210, 0],
      ['COUNTER', 220, 1],
    ]);
  });

  test('has lines of consoles, faults, marks, shared variables, slots and the end', () => {
    const { seen } = view((log) => {
      log.consoleOutput(at(1), 0, Buffer.from('first li'));
      log.consoleOutput(at(2), 0, Buffer.from('ne \x1b[31mü\nsecond'));
      log.fault(at(3), 1, 'bad');
      log.mark(at(4), log.run, 'here');
      log.variableChanged(at(5), 0, 1, (1n << 64n) - 1n, 0n);
      log.variableStored(at(6), 1, 1, 12n, 0, 1);
      log.slotEntry(at(7), 1, 50n, undefined);
      log.level(at(8), log.wire(0), true);
    });
    const instants = seen
      .filter(({ type }) => type === 'INSTANT')
      .map((each) => `${each.at} ${each.track}: ${each.name}`);
    expect(instants).toEqual([
      '1 a/console: first line [31mü',
      '2 a/console: second',
      '3 b/events: fault: bad',
      '4 run/events: mark: here',
      '5 a/events: changes count to 18446744073709551615',
      '6 b/events: gets count 12, update 1 of a',
      '8 ready/edges: high',
      '60000000000 run/events: the run ends (until) after 12 events and 7 activations',
    ]);
    const counters = seen.filter(({ track }) => track.endsWith('shared count'));
    expect(counters.map(({ track, value }) => [track, value])).toEqual([
      ['a/shared count', 2 ** 64],
      ['b/shared count', 12],
    ]);
    expect(seen.filter(({ track }) => track === 'b/slot').map(({ type, at: time }) => [type, time])).toEqual([
      ['SLICE_BEGIN', 7],
      ['SLICE_END', 57],
    ]);
  });

  test('has wall time as curves over virtual time', () => {
    const { seen } = view(() => undefined, HEADER, {
      nodes: ['b', 'a', 'gone'],
      damage: undefined,
      samples: [
        {
          virtualNs: 0n,
          wallUs: 50_000,
          ownCpuUs: 90_000,
          nodes: [{ node: 0, ranUs: 25_000, activations: 1 }],
        },
        {
          virtualNs: 500n,
          wallUs: 100_000,
          ownCpuUs: 100_000,
          nodes: [{ node: 1, ranUs: 50_000, activations: 1 }],
        },
      ],
    });
    expect(
      seen.filter(({ type }) => type === 'COUNTER').map((each) => [each.at, each.track, each.value]),
    ).toEqual([
      [0, 'run/wall clock', 50],
      [0, 'run/CPU of the controller', 0],
      [0, 'b/wall time', 50],
      [500, 'run/wall clock', 100],
      [500, 'run/CPU of the controller', 20],
      [500, 'b/wall time', 0],
      [500, 'a/wall time', 100],
    ]);
  });
});
