// SPDX-License-Identifier: MIT
import { createHash } from 'node:crypto';
import { existsSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAX_BYTES, type TraceEvent } from '../../protocols/trace/index.js';
import { type Instant, NEVER } from '../calendar/index.js';
import { logHeader } from './log-header.js';
import { LogReader } from './log-reader.js';
import { RunLog } from './run-log.js';
import { anyEvent, at, END, HEADER, tellEvent, temporaryFolder, writeLog } from './testing/logs.js';

interface Told {
  readonly when: Instant;
  readonly node: number;
  readonly event: TraceEvent;
}

const RUN = HEADER.nodes.length + HEADER.switches.length;
/** The last node: a wire. */
const LAST = RUN + HEADER.wires.length;

/** Told of nodes only, besides frames. */
const OF_NODES = new Set([
  'drive',
  'variable-changed',
  'variable-stored',
  'slot-entry',
  'line-raised',
  'warp-applied',
  'deadline-missed',
]);

/** What each node does, in order; few times, so that many events share one. */
const lives: fc.Arbitrary<Told[][]> = fc.tuple(
  ...Array.from({ length: LAST + 1 }, (_, node) =>
    fc
      .array(fc.record({ when: fc.nat({ max: 12 }), event: anyEvent(node === 0 ? 2 : 1) }), {
        maxLength: 8,
      })
      .map((life) =>
        life
          .sort((a, b) => a.when - b.when)
          .map(({ when, event }) => ({ when: at(when), node, event: event }))
          // A log does not tell console output of no bytes, nor frames of the run itself and wires, nor
          // changes of nodes, lines and the like of what is no node, and levels of what is no wire.
          .filter(({ event }) => event.kind !== 'console-output' || event.data.length > 0)
          .filter(({ event }) => node < RUN || !event.kind.startsWith('frame'))
          .filter(({ event }) => node >= HEADER.nodes.length || event.kind !== 'change')
          .filter(({ event }) => node < HEADER.nodes.length || !OF_NODES.has(event.kind))
          .filter(({ event }) => node > RUN || event.kind !== 'level'),
      ),
  ),
);

/** What a log gives back: the kinds with a travel only when delivered. */
function asRead({ when, node, event }: Told) {
  const travel = event.kind === 'frame-sent' && event.fate !== 'delivered' ? { travel: 0n } : {};
  return { at: when, node, event: { ...event, ...travel } };
}

function readAll(file: string) {
  const reader = new LogReader(file);
  const events = [...reader];
  reader.close();
  return { events, header: reader.header, end: reader.end, damage: reader.damage };
}

describe('the run log', () => {
  test('does not depend on the order in which the nodes ran, nor on the barriers', () => {
    const schedule = fc.record({
      // At each barrier, how far each node has run past it; who is next is drawn, too.
      barriers: fc.array(fc.nat({ max: 13 }), { maxLength: 5 }),
      ahead: fc.infiniteStream(fc.nat({ max: 4 })),
      choice: fc.infiniteStream(fc.nat({ max: LAST })),
    });
    fc.assert(
      fc.property(lives, schedule, (nodes, { barriers, ahead, choice }) => {
        const file = writeLog((log) => {
          const rest = nodes.map((life) => [...life]);
          for (const barrier of [...barriers.sort((a, b) => a - b), 20]) {
            const horizons = nodes.map(() => at(barrier + (ahead.next().value as number)));
            const ready = () =>
              rest.filter(
                (life, node) => life[0] !== undefined && life[0].when < (horizons[node] as Instant),
              );
            for (let able = ready(); able.length > 0; able = ready()) {
              const life = able[(choice.next().value as number) % able.length] as Told[];
              const { when, node, event } = life.shift() as Told;
              tellEvent(log, when, node, event);
            }
            log.flush(at(barrier));
          }
        });
        const { events, end, damage } = readAll(file);
        const expected = nodes.flat().sort((a, b) => Number(a.when - b.when) || a.node - b.node);
        expect(events).toEqual(expected.map((told, index) => ({ index, ...asRead(told) })));
        expect(end).toEqual(END);
        expect(damage).toBeUndefined();

        const inOrder = writeLog((log) => {
          for (const { when, node, event } of nodes.flat()) tellEvent(log, when, node, event);
        });
        expect(readFileSync(inOrder).equals(readFileSync(file))).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  test('holds an event back until nothing can come before it', () => {
    const file = writeLog((log) => {
      log.activation(at(5), 1);
      log.flush(at(5));
      log.activation(at(5), 0);
      log.activation(at(3), 1);
      log.flush(at(6));
      log.activation(at(5), log.run);
    });
    expect(readAll(file).events.map(({ at, node }) => [at, node])).toEqual([
      [3n, 1],
      [5n, 0],
      [5n, 1],
      [5n, RUN],
    ]);
  });

  test('takes an event of a node that had run ahead', () => {
    const file = writeLog((log) => {
      log.activation(at(2), 1);
      for (const time of [1, 5, 9]) log.activation(at(time), 0);
      log.nodeState(at(5), 0, { state: 'killed' });
      log.fault(at(0), 0, 'first');
      log.mark(at(9), 0, 'last');
    });
    expect(readAll(file).events.map(({ at, node, event }) => [at, node, event.kind])).toEqual([
      [0n, 0, 'fault'],
      [1n, 0, 'activation'],
      [2n, 1, 'activation'],
      [5n, 0, 'activation'],
      [5n, 0, 'node-state'],
      [9n, 0, 'activation'],
      [9n, 0, 'mark'],
    ]);
  });

  test('ends at the end: what a domain did beyond it is dropped, and so is what comes later', () => {
    const ended = { ...END, virtualNs: 100n };
    const log = new RunLog(undefined, HEADER);
    log.activation(at(100), 0);
    const hash = log.close(ended);
    const other = new RunLog(undefined, HEADER);
    other.activation(at(101), 1);
    other.activation(at(100), 0);
    other.activation(at(7000), 0);
    expect(other.close(ended)).toBe(hash);
    other.activation(at(3), 0);
    other.flush(NEVER);
    expect(other.close({ ...ended, reason: 'another' })).toBe(hash);
  });

  test('can end before its last event, and at the end of time', () => {
    const early = writeLog(
      (log) => {
        log.activation(at(200), 0);
        log.flush(at(300));
      },
      HEADER,
      { ...END, virtualNs: 100n },
    );
    expect(readAll(early)).toMatchObject({ end: { virtualNs: 100n }, damage: undefined });
    const late = writeLog(
      (log) => {
        log.activation(at(200), 0);
        log.flush(NEVER);
        log.nodeState(NEVER, 0, { state: 'killed' });
      },
      HEADER,
      { ...END, virtualNs: NEVER },
    );
    expect(readAll(late)).toMatchObject({ events: [{}, { at: NEVER }], end: { virtualNs: NEVER } });
  });

  test('gives the hash of what it wrote, with a file and without', () => {
    const tell = (log: RunLog) => {
      for (let ping = 0; ping < 20_000; ping++) {
        log.frameSent(at(ping * 1000), ping % 2, 0, 98, ping, 'delivered', at(ping * 1000 + 500));
        log.flush(at(ping * 1000));
      }
    };
    const file = join(temporaryFolder(), 'trace');
    const log = new RunLog(openSync(file, 'w'), HEADER);
    tell(log);
    const hash = log.close(END);
    const bytes = readFileSync(file);
    expect(bytes.length).toBeGreaterThan(200_000);
    expect(hash).toBe(`sha256:${createHash('sha256').update(bytes).digest('hex')}`);
    const fileless = new RunLog(undefined, HEADER);
    tell(fileless);
    expect(fileless.close(END)).toBe(hash);
    expect(readAll(file).events).toHaveLength(20_000);
  });

  test('is readable while it grows, to the end of a record', () => {
    const file = join(temporaryFolder(), 'trace');
    const log = new RunLog(openSync(file, 'w'), HEADER);
    for (let time = 0; time < 100_000; time++) log.activation(at(time), 0);
    log.flush(NEVER);
    const { events, damage } = readAll(file);
    expect(events.length).toBeGreaterThan(50_000);
    expect(damage?.reason).toBe('expected a record, found the end of the file');
    log.close(END);
  });

  test('gives long console output in pieces, and cuts long texts between characters', () => {
    const data = Buffer.from(Array.from({ length: 2 * MAX_BYTES + 5 }, (_, index) => index % 256));
    const file = writeLog((log) => {
      log.consoleOutput(at(1), 0, data);
      log.consoleOutput(at(1), 0, new Uint8Array(0));
      data.fill(0);
      log.mark(at(2), 0, `x${'é'.repeat(MAX_BYTES)}`);
      log.nodeState(at(2), 0, { state: 'failed', text: 'y'.repeat(2 * MAX_BYTES) });
      log.fault(at(2), 0, '\ud800');
    });
    const events = readAll(file).events.map(({ event }) => event);
    const pieces = events.flatMap((event) => (event.kind === 'console-output' ? [event.data] : []));
    expect(pieces.map((piece) => piece.length)).toEqual([MAX_BYTES, MAX_BYTES, 5]);
    expect(Buffer.concat(pieces).every((byte, index) => byte === index % 256)).toBe(true);
    expect(events.slice(3)).toEqual([
      { kind: 'mark', text: `x${'é'.repeat(MAX_BYTES / 2 - 1)}` },
      { kind: 'node-state', state: { state: 'failed', text: 'y'.repeat(MAX_BYTES) } },
      { kind: 'fault', text: '\ufffd' },
    ]);
  });

  test('refuses an event before what was written, and a node that does not exist', () => {
    const log = new RunLog(undefined, HEADER);
    log.activation(at(10), 0);
    log.flush(at(11));
    expect(() => log.activation(at(9), 1)).toThrow(
      'an event at 9ns came to the run log when all before 10ns was written',
    );
    expect(() => log.activation(at(10), LAST + 1)).toThrow('a run log has nodes 0 … 4; found 5');
  });

  test.skipIf(!existsSync('/dev/full'))('says that the disk is full, and lets go of the file', () => {
    const descriptor = openSync('/dev/full', 'w');
    expect(() => new RunLog(descriptor, HEADER)).toThrow(
      /^the run log could not be written \(ENOSPC.*--out$/,
    );
    expect(() => fstatSync(descriptor)).toThrow('EBADF');
  });

  test('begins with the names of the topology', () => {
    const interfaces = ['eth0', 'eth1'].map((name) => ({
      name,
      mac: new Uint8Array(6),
      addresses: [],
      mtu: 1500,
    }));
    const node = {
      kind: 'uml' as const,
      memory: 64 << 20,
      root: 'initramfs' as const,
      kernel: undefined,
      run: undefined,
      expect: undefined,
      onFailure: 'fail' as const,
    };
    const cable = { latency: 0n as never, rate: undefined, loss: 0, jitter: 0n as never, queue: 100 };
    const header = logHeader({
      name: 'two-nodes',
      seed: 1n,
      start: HEADER.start,
      until: undefined,
      nodes: [
        { ...node, name: 'a', index: 0, interfaces, lines: ['gpio0', 'led'] },
        { ...node, name: 'b', index: 1, interfaces: interfaces.slice(0, 1), lines: ['gpio0'] },
      ],
      links: [
        {
          ...cable,
          name: 'ab',
          between: [
            { node: 'a', interface: 'eth0' },
            { node: 'b', interface: 'eth0' },
          ],
        },
      ],
      switches: [{ ...cable, name: 'lan', ports: [{ node: 'a', interface: 'eth1' }] }],
      wires: [
        {
          name: 'ready',
          pins: [
            { node: 'a', line: 'led' },
            { node: 'b', line: 'gpio0' },
          ],
          latency: cable.latency,
          pull: 'down',
          role: undefined,
        },
      ],
      shared: [
        { name: 'jiffies', variable: 1, between: ['a', 'b'] },
        { name: 'count', variable: 7, between: ['b', 'a'] },
      ].map((each) => ({ ...each, latency: cable.latency, method: 'ordered' as const })),
      processors: [],
      changes: [],
    });
    expect(header).toEqual(HEADER);
  });
});
