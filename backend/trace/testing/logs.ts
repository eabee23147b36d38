// SPDX-License-Identifier: MIT
import { mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { onTestFinished } from 'vitest';
import type { LogEnd, LogHeader, TraceEvent } from '../../../protocols/trace/index.js';
import { type Instant, instant } from '../../calendar/index.js';
import { RunLog } from '../run-log.js';

/** Two nodes on a cable, one of them on a switch, too, both on a wire, and with two variables that they share. */
export const HEADER: LogHeader = {
  topology: 'two-nodes',
  seed: 1n,
  start: 1_767_225_600_000_000_000n,
  nodes: [
    { name: 'a', kind: 'uml', interfaces: ['eth0', 'eth1'], lines: ['gpio0', 'led'] },
    { name: 'b', kind: 'uml', interfaces: ['eth0'], lines: ['gpio0'] },
  ],
  links: [{ name: 'ab', ends: ['a.eth0', 'b.eth0'] }],
  switches: [{ name: 'lan', ports: ['a.eth1'] }],
  wires: [{ name: 'ready', pins: ['a.led', 'b.gpio0'] }],
  shared: [
    { name: 'jiffies', variable: 1, between: ['a', 'b'], method: 'ordered' },
    { name: 'count', variable: 7, between: ['b', 'a'], method: 'ordered' },
  ],
};

export const END: LogEnd = { reason: 'until', virtualNs: 60_000_000_000n, events: 12, activations: 7 };

/** A directory that is gone when the test is. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'oneclock-trace-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** Writes a log. @returns its file */
export function writeLog(
  tell: (log: RunLog) => void,
  header: LogHeader = HEADER,
  end: LogEnd | undefined = END,
): string {
  const file = join(temporaryFolder(), 'trace');
  const log = new RunLog(openSync(file, 'w'), header);
  tell(log);
  log.close(end);
  return file;
}

/** `ns` nanoseconds after the beginning. */
export function at(ns: number | bigint): Instant {
  return instant(BigInt(ns));
}

const uint32 = fc.nat({ max: 0xffff_ffff });
const uint64 = fc.oneof(fc.bigInt({ min: 0n, max: 300n }), fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }));
const text = fc.string({ unit: 'binary', maxLength: 300 });

/** Any event that can be written; interfaces and shared variables are below `places`. */
export function anyEvent(places = 0x1_0000_0000): fc.Arbitrary<TraceEvent> {
  const place = fc.nat({ max: places - 1 });
  const frame = { interface: place, length: uint32, crc: uint32 };
  return fc.oneof(
    fc.constant<TraceEvent>({ kind: 'activation' }),
    fc.record({
      kind: fc.constant('frame-sent' as const),
      ...frame,
      fate: fc.constantFrom('delivered', 'queue-full', 'lost', 'unconnected', 'link-down'),
      travel: uint64,
    }),
    fc.record({ kind: fc.constant('frame-received' as const), ...frame, dropped: fc.boolean() }),
    fc.record({ kind: fc.constant('console-output' as const), data: fc.uint8Array({ maxLength: 400 }) }),
    fc.record({
      kind: fc.constant('node-state' as const),
      state: fc.oneof(
        fc.record({ state: fc.constant('exited' as const), code: fc.nat({ max: 255 }) }),
        fc.record({ state: fc.constant('signalled' as const), signal: fc.nat({ max: 64 }) }),
        fc.record({ state: fc.constant('failed' as const), text }),
        fc.record({
          state: fc.constantFrom('running', 'ready', 'killed', 'evicted', 'crashed', 'hung'),
        }),
      ),
    }),
    fc.record({ kind: fc.constant('broadcast' as const), value: uint64 }),
    fc.record({ kind: fc.constantFrom('mark', 'fault', 'act'), text }),
    fc.record({
      kind: fc.constant('change' as const),
      cable: place,
      down: fc.boolean(),
      latency: uint64,
      rate: uint64,
      loss: uint32,
      jitter: uint64,
      queue: uint32,
      lost: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
    }),
    fc.record({
      kind: fc.constant('drive' as const),
      line: place,
      drive: fc.constantFrom('released', 'low', 'high'),
    }),
    fc.record({ kind: fc.constant('level' as const), high: fc.boolean() }),
    fc.record({
      kind: fc.constant('variable-changed' as const),
      shared: place,
      value: uint64,
      ticks: uint64,
    }),
    fc.record({
      kind: fc.constant('variable-stored' as const),
      shared: place,
      value: uint64,
      origin: place,
      sequence: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
    }),
    fc.record({
      kind: fc.constant('slot-entry' as const),
      span: uint64,
      warp: fc.option(
        fc.record({
          sequence: uint64,
          absent: uint64,
          ticks: uint64,
          pending: fc.array(fc.record({ line: uint32, count: uint32 }), { maxLength: 5 }),
        }),
        { nil: undefined },
      ),
    }),
    fc.record({ kind: fc.constant('line-raised' as const), line: uint32, kept: fc.boolean() }),
    fc.record({ kind: fc.constant('warp-applied' as const), sequence: uint64 }),
    fc.record({ kind: fc.constant('deadline-missed' as const), task: uint64, late: uint64 }),
    fc.record({
      kind: fc.constant('serial-data' as const),
      line: fc.string({ maxLength: 10 }),
      input: fc.boolean(),
      data: fc.uint8Array({ minLength: 1, maxLength: 400 }),
    }),
  );
}

/** Tells `event` to a log by the method of its kind. */
export function tellEvent(log: RunLog, when: Instant, node: number, event: TraceEvent): void {
  switch (event.kind) {
    case 'activation':
      log.activation(when, node);
      break;
    case 'frame-sent': {
      const arrives = (when + event.travel) as Instant;
      log.frameSent(when, node, event.interface, event.length, event.crc, event.fate, arrives);
      break;
    }
    case 'frame-received':
      log.frameReceived(when, node, event.interface, event.length, event.crc, event.dropped);
      break;
    case 'console-output':
      log.consoleOutput(when, node, event.data);
      break;
    case 'node-state':
      log.nodeState(when, node, event.state);
      break;
    case 'broadcast':
      log.broadcast(when, node, event.value);
      break;
    case 'mark':
      log.mark(when, node, event.text);
      break;
    case 'fault':
      log.fault(when, node, event.text);
      break;
    case 'act':
      log.act(when, node, event.text);
      break;
    case 'serial-data':
      log.serialData(when, node, event.line, event.input, event.data);
      break;
    case 'change':
      log.change(when, node, event);
      break;
    case 'drive':
      log.drive(when, node, event.line, event.drive);
      break;
    case 'level':
      log.level(when, node, event.high);
      break;
    case 'variable-changed':
      log.variableChanged(when, node, event.shared, event.value, event.ticks);
      break;
    case 'variable-stored':
      log.variableStored(when, node, event.shared, event.value, event.origin, event.sequence);
      break;
    case 'slot-entry':
      log.slotEntry(when, node, event.span, event.warp);
      break;
    case 'line-raised':
      log.lineRaised(when, node, event.line, event.kept);
      break;
    case 'warp-applied':
      log.warpApplied(when, node, event.sequence);
      break;
    case 'deadline-missed':
      log.deadlineMissed(when, node, event.task, event.late);
      break;
  }
}
