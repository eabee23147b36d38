// SPDX-License-Identifier: MIT
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Instant, NEVER } from '../../calendar/index.js';
import { OneclockError } from '../../errors.js';
import { LogReader } from '../../trace/log-reader.js';
import { anyEvent, at, END, HEADER, tellEvent, temporaryFolder, writeLog } from '../../trace/testing/logs.js';
import { EventLog, UNKNOWN_KIND } from './event-log.js';

/** All that a log gives, read in chunks of `chunk` bytes. */
function readHere(bytes: Uint8Array, chunk = bytes.length || 1) {
  const log = new EventLog();
  for (let from = 0; from < bytes.length; from += chunk) {
    log.append(bytes.subarray(from, from + chunk));
    while (log.advance(() => undefined, 7));
  }
  log.finish();
  while (log.advance(() => undefined, 7));
  const events = Array.from({ length: log.length }, (_, index) => ({
    index,
    at: log.times.at(index),
    node: log.nodes.at(index),
    event: log.event(index),
  }));
  return { header: log.header, events, end: log.end, damage: log.damage };
}

/** The same by the reader of the commands. */
function readThere(file: string) {
  const reader = new LogReader(file);
  try {
    return { header: reader.header, events: [...reader], end: reader.end, damage: reader.damage };
  } finally {
    reader.close();
  }
}

const nodes = HEADER.nodes.length;

/** Logs with any events that go with the header. */
const anyLog = fc.array(
  fc.record({
    delta: fc.bigInt({ min: 0n, max: NEVER / 100n }),
    node: fc.nat({ max: nodes - 1 }),
    event: anyEvent(1),
  }),
  { maxLength: 40 },
);

describe('the log of the page', () => {
  test('says what the reader of the commands says, whatever the events are', () => {
    fc.assert(
      fc.property(anyLog, fc.integer({ min: 1, max: 200 }), (events, chunk) => {
        const file = writeLog((log) => {
          let now = 0n;
          for (const { delta, node, event } of events) {
            now += delta;
            const own = event.kind === 'level' ? log.wire(0) : event.kind === 'change' ? log.run : node;
            tellEvent(log, now as Instant, own, event);
          }
        });
        expect(readHere(readFileSync(file), chunk)).toEqual(readThere(file));
      }),
      { numRuns: 300 },
    );
  });

  test('keeps what is before a fault, and ends, whatever the bytes are', () => {
    const file = writeLog((log) => {
      for (let time = 0; time < 20; time++) {
        log.activation(at(time * 1_000_003), time % 2);
        log.frameSent(at(time * 1_000_003), time % 2, 0, 98, time * 77_777_777, 'delivered', at(NEVER));
        log.consoleOutput(at(time * 1_000_003), 1, Buffer.from('x'.repeat(7 * time)));
      }
    });
    const whole = readFileSync(file);
    const { events } = readHere(whole);
    const change = fc.record({ at: fc.nat({ max: whole.length - 1 }), byte: fc.nat({ max: 255 }) });
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        const corrupt = Buffer.from(whole);
        for (const each of changes) corrupt[each.at] = each.byte;
        const found = readHere(corrupt, 64);
        expect(found.end !== undefined || found.damage !== undefined).toBe(true);
        const other = join(temporaryFolder(), 'trace');
        writeFileSync(other, corrupt);
        let there: ReturnType<typeof readThere>;
        try {
          there = readThere(other);
        } catch (error) {
          expect(error).toBeInstanceOf(OneclockError);
          return;
        }
        // The commands may refuse a record for what the page does not look at, and the other way round.
        const sound = Math.min(there.events.length, found.events.length);
        const first = Math.min(...changes.map((each) => each.at));
        expect(found.events.slice(0, sound).map((each) => each.at)).toEqual(
          there.events.slice(0, sound).map((each) => each.at),
        );
        if (first > 1500) expect(found.events.slice(0, 3)).toEqual(events.slice(0, 3));
      }),
      { numRuns: 200 },
    );
  });

  test('waits for the rest of a record, and names the cut when nothing more comes', () => {
    const bytes = readFileSync(writeLog((log) => log.broadcast(at(5), 1, 77n)));
    const log = new EventLog();
    log.append(bytes.subarray(0, bytes.length - 3));
    while (log.advance(() => undefined, 100));
    expect(log).toMatchObject({ length: 1, damage: undefined, end: undefined });
    log.append(bytes.subarray(bytes.length - 3));
    while (log.advance(() => undefined, 100));
    expect(log.end).toEqual(END);
    const cut = readHere(bytes.subarray(0, bytes.length - 3));
    expect(cut.damage?.reason).toMatch(
      /^expected a record of \d+ bytes, found \d+ bytes and the end of the file$/,
    );
  });

  test('keeps an event of a kind that it does not know', () => {
    const whole = readFileSync(writeLog(() => undefined));
    const header = 2 + ((whole[0] as number) & 0x7f) + ((whole[1] as number) << 7);
    const bytes = whole.subarray(0, header);
    // Field 99, an empty message.
    const unknown = Uint8Array.of(3, 0x9a, 0x06, 0);
    const log = new EventLog();
    log.append(bytes);
    log.append(unknown);
    while (log.advance(() => undefined, 100));
    expect(log.length).toBe(1);
    expect(log.kinds.at(0)).toBe(UNKNOWN_KIND);
    expect(log.event(0)).toEqual({ kind: 'unknown' });
  });
});
