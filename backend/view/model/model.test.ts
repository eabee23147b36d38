// SPDX-License-Identifier: MIT
import { openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 as zlibCrc } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PcapngWriter } from '../../trace/pcapng.js';
import type { RunLog } from '../../trace/run-log.js';
import { at, END, HEADER, temporaryFolder, writeLog } from '../../trace/testing/logs.js';
import { Capture, crc32 } from './capture.js';
import { ConsoleLines } from './console-lines.js';
import { readCost } from './cost.js';
import { decodePacket, hexDump } from './packet.js';
import { RunModel, type Track } from './run-model.js';
import { Search } from './search.js';
import { axisTicks, formatAt, formatDelta, parseAt } from './time-text.js';
import { Viewport } from './viewport.js';

function modelOf(tell: (log: RunLog) => void): RunModel {
  const model = new RunModel();
  model.log.append(readFileSync(writeLog(tell, HEADER, END)));
  model.log.finish();
  while (model.advance(10));
  return model;
}

function spans({ running }: Track): [bigint, bigint][] {
  return Array.from({ length: running.length }, (_, index) => [
    running.starts.at(index),
    running.ends.at(index),
  ]);
}

describe('running spans', () => {
  test('go from an activation to the last that the node does by itself', () => {
    const model = modelOf((log) => {
      log.activation(at(100), 0);
      log.broadcast(at(300), 0, 1n);
      log.frameReceived(at(5000), 0, 0, 60, 1, false);
      log.activation(at(5000), 0);
      // Silent for a while: it slept, and woke by itself.
      log.broadcast(at(900_000), 0, 2n);
      log.broadcast(at(900_200), 0, 2n);
    });
    expect(spans(model.tracks.nodes[0] as Track)).toEqual([
      [100n, 300n],
      [5000n, 5000n],
      [900_000n, 900_200n],
    ]);
    expect(model.tracks.nodes[0]?.running.total).toBe(400);
  });
});

describe('frames', () => {
  test('are paired by what they are and by when they should arrive', () => {
    const model = modelOf((log) => {
      log.frameSent(at(10), 0, 0, 60, 7, 'delivered', at(110));
      log.frameSent(at(20), 0, 0, 60, 7, 'delivered', at(120));
      log.frameSent(at(30), 0, 0, 60, 8, 'lost', undefined);
      log.frameReceived(at(110), 1, 0, 60, 7, false);
      log.frameReceived(at(120), 1, 0, 60, 7, false);
      log.frameReceived(at(130), 1, 0, 60, 8, false);
    });
    const { pairs } = model;
    expect([0, 1, 2, 3, 4, 5].map((event) => pairs?.other(event))).toEqual([
      3,
      4,
      undefined,
      0,
      1,
      undefined,
    ]);
    expect(pairs?.longest).toBe(100);
    expect(model.tracks.nodes[0]).toMatchObject({ sent: 3, lost: 1 });
  });
});

describe('a console', () => {
  test('is lines, however they were written', () => {
    const model = modelOf((log) => {
      for (const [time, text] of [
        [1, 'one\r\ntw'],
        [2, 'o\nth'],
        [3, 'r'],
        [4, 'ee\n\n'],
        [5, 'é'.repeat(3)],
      ] as const)
        log.consoleOutput(at(time), 0, Buffer.from(text));
      const [head, tail] = [Buffer.from('ü').subarray(0, 1), Buffer.from('ü').subarray(1)];
      log.consoleOutput(at(6), 0, head);
      log.consoleOutput(at(7), 0, tail);
    });
    const lines = new ConsoleLines(model, model.tracks.nodes[0] as Track).update();
    expect(lines.texts).toEqual(['one', 'two', 'three', '', 'éééü']);
    expect(lines.texts.map((_, line) => lines.events.at(line))).toEqual([0, 0, 1, 3, 4]);
    expect([0, 1, 2, 9].map((event) => lines.before(event))).toEqual([0, 2, 3, 5]);
  });

  test('has no line without an end', () => {
    const model = modelOf((log) => log.consoleOutput(at(1), 0, Buffer.from('y'.repeat(10_000))));
    const lines = new ConsoleLines(model, model.tracks.nodes[0] as Track).update();
    expect(lines.texts.map(({ length }) => length)).toEqual([4096, 4096, 1808]);
  });
});

describe('a search', () => {
  const model = () =>
    modelOf((log) => {
      log.nodeState(at(1), 0, { state: 'exited', code: 3 });
      log.consoleOutput(at(2), 1, Buffer.from('Kernel PANIC\n'));
      log.fault(at(3), 0, 'panic at the disco');
      log.drive(at(4), 0, 1, 'high');
    });
  const find = (query: string) => {
    const found = new Search(model()).find(query);
    return found.what === 'time' ? found.at : found.results.map(({ event }) => event);
  };
  test.each([
    ['panic', [1, 2]],
    ['fault', [2]],
    ['faults', [2]],
    ['drive', [3]],
    ['exited', [0]],
    ['t=1.5s', 1_500_000_000n],
    ['t = 20us', 20_000n],
    ['t=0.000000001', 1n],
    ['', []],
    ['t=soon', []],
  ])('for %j', (query, expected) => expect(find(query)).toEqual(expected));

  test('finds names', () => expect(new Search(model()).find('jiff')).toMatchObject({ names: ['jiffies'] }));
});

describe('the viewport', () => {
  test('is exact to a fraction of a nanosecond at any time', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 0n, max: 9_000_000_000_000_000_000n }),
        fc.array(fc.integer({ min: -500, max: 500 }), { maxLength: 20 }),
        (centre, steps) => {
          const view = new Viewport();
          view.width = 1000;
          view.total = centre + 1_000_000n;
          view.show(centre, centre + 10n);
          for (const step of steps) {
            view.pan(step);
            view.pan(-step);
            view.zoom(0.5, 500);
            view.zoom(2, 500);
          }
          expect(view.x(centre + 10n) - view.x(centre)).toBeCloseTo(10 / view.perPixel, 6);
          expect(view.at(view.x(centre + 7n))).toBe(centre + 7n);
        },
      ),
    );
  });

  test('keeps the run in sight', () => {
    const view = new Viewport();
    view.width = 100;
    view.total = 1000n;
    view.showAll();
    view.zoom(0.1, 50);
    view.pan(1e9);
    expect(view.x(1000n)).toBeGreaterThan(50);
    view.pan(-1e9);
    expect(view.x(0n)).toBeLessThan(50);
    view.zoom(1e9, 50);
    expect(view.span).toBeLessThanOrEqual(1100);
  });
});

describe('times', () => {
  test('are written in full', () => {
    const plain = (text: string) => text.replaceAll('\u202f', ' ');
    expect(plain(formatAt(1_234_000_000_005n))).toBe('1 234.000 000 005 s');
    expect(formatDelta(10n, 5n)).toBe('−5 ns');
    expect(formatDelta(0n, 1_500_000n)).toBe('+1.5 ms');
    expect(parseAt('12.345\u202f678\u202f901 s')).toBe(12_345_678_901n);
  });

  test('have an axis with round instants, at every zoom', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: -1000n, max: 9_000_000_000_000_000_000n }),
        fc.bigInt({ min: 1n, max: 1_000_000_000_000n }),
        (from, span) => {
          const { ticks } = axisTicks(from, from + span, Number(span) / 10);
          expect(ticks.length).toBeLessThanOrEqual(13);
          for (const tick of ticks) expect(tick.at).toBeLessThanOrEqual(from + span);
          expect(new Set(ticks.map(({ label }) => label)).size).toBe(ticks.length);
        },
      ),
    );
  });
});

describe('captures', () => {
  const frame = Uint8Array.from({ length: 61 }, (_, index) => index);

  function captureFile(): Buffer {
    const file = join(temporaryFolder(), 'ab.pcapng');
    const ends = ['a.eth0', 'b.eth0'].map((name) => ({ name, description: 'ab', speed: undefined }));
    const writer = new PcapngWriter(openSync(file, 'w'), 1000n, ends);
    writer.write(at(5), { interface: 0, direction: 'outbound', bytes: frame });
    writer.write(at(9), { interface: 1, direction: 'inbound', bytes: frame });
    writer.close(at(10));
    return readFileSync(file);
  }

  test('give the bytes of a frame, in whatever pieces they came', () => {
    const bytes = captureFile();
    const capture = new Capture(1000n);
    for (const byte of bytes) capture.append(Uint8Array.of(byte));
    const crc = zlibCrc(frame);
    expect(crc32(frame)).toBe(crc);
    expect(capture.find('a.eth0', 5n, true, crc)).toEqual(frame);
    expect(capture.find('b.eth0', 9n, false, crc)).toEqual(frame);
    expect(capture.find('a.eth0', 5n, false, crc)).toBeUndefined();
    expect(capture.find('a.eth0', 5n, true, crc ^ 1)).toBeUndefined();
    expect(capture.damage).toBeUndefined();
  });

  test('may hold any bytes', () => {
    const bytes = captureFile();
    const change = fc.record({ at: fc.nat({ max: bytes.length - 1 }), byte: fc.nat({ max: 255 }) });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 5 }), (changes) => {
        const corrupt = Buffer.from(bytes);
        for (const each of changes) corrupt[each.at] = each.byte;
        const capture = new Capture(1000n);
        capture.append(corrupt);
        capture.find('a.eth0', 5n, true, 1);
      }),
    );
  });

  test('hold packets that may be anything', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 100 }),
        fc.constantFrom(0x0800, 0x0806, 0x86dd),
        (bytes, type) => {
          const packet = Uint8Array.from(bytes);
          if (packet.length >= 14) packet.set([type >> 8, type & 255], 12);
          expect(decodePacket(packet).layers.length).toBeGreaterThan(0);
          hexDump(packet, 32);
        },
      ),
    );
  });
});

test('a file of costs may hold any bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      readCost(bytes);
    }),
  );
  // Two samples: a second of virtual time in 500 ms of wall time, 250 ms of which a node ran.
  const sample = [
    0x12, 0x16, 0x08, 0x80, 0x94, 0xeb, 0xdc, 0x03, 0x10, 0xa0, 0xc2, 0x1e, 0x18, 0x90, 0xa1, 0x0f,
  ];
  const node = [0x22, 0x06, 0x08, 0x00, 0x10, 0x90, 0xa1, 0x0f];
  const series = readCost(Uint8Array.from([sample.length + node.length, ...sample, ...node]));
  expect(series.map(({ name, values }) => [name, values.at(0)])).toEqual([
    ['wall time', 0.5],
    ['guests ran', 0.5],
    ['controller', 0.5],
  ]);
});
