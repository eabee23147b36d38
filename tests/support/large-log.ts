// SPDX-License-Identifier: MIT
import { mkdirSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Instant, instant } from '../../backend/calendar/index.js';
import { RunLog } from '../../backend/trace/run-log.js';
import type { LogHeader } from '../../protocols/trace/index.js';

/** Nanoseconds between two beginnings of all pairs, and those that a frame is on its way. */
const TICK = 500_000;
const TRAVEL = 100_000;

export interface LargeLogOptions {
  readonly nodes: number;
  readonly events: number;
  /** From this event on the log is another one. */
  readonly differsFrom?: number;
  /** When the run begins; nanoseconds. */
  readonly begin?: bigint;
}

/** Writes the run directory of a run that never was, of nodes on cables two by two: the same for the same options. */
export function writeLargeRun(folder: string, options: LargeLogOptions): void {
  const { nodes, events, differsFrom = Number.POSITIVE_INFINITY, begin = 0n } = options;
  mkdirSync(folder, { recursive: true });
  const name = (index: number) => `n${String(index + 1).padStart(2, '0')}`;
  const pairs = nodes >> 1;
  const header: LogHeader = {
    topology: `${nodes} nodes`,
    seed: 1n,
    start: 1_767_225_600_000_000_000n,
    nodes: Array.from({ length: nodes }, (_, index) => ({
      name: name(index),
      kind: index % 10 === 9 ? 'kvm' : 'uml',
      interfaces: ['eth0'],
      lines: ['gpio0'],
    })),
    links: Array.from({ length: pairs }, (_, pair) => ({
      name: `${name(2 * pair)}-${name(2 * pair + 1)}`,
      ends: [`${name(2 * pair)}.eth0`, `${name(2 * pair + 1)}.eth0`],
    })),
    switches: [],
    wires: [{ name: 'ready', pins: [`${name(0)}.gpio0`, `${name(1)}.gpio0`] }],
    shared: [{ name: 'count', variable: 7, between: [name(0), name(1)], method: 'ordered' }],
  };
  const log = new RunLog(openSync(join(folder, 'trace'), 'w'), header);
  const random = generator(7);
  const at = (ns: number) => instant(begin + BigInt(ns));
  let told = 0;
  let last = 0;
  const tell = (ns: number, action: (when: Instant) => void) => {
    if (told++ >= events) return;
    action(at(ns));
    last = Math.max(last, ns);
  };
  for (let node = 0; node < nodes; node++) tell(0, (when) => log.nodeState(when, node, { state: 'ready' }));
  let high = false;
  for (let tick = 1; told < events; tick++) {
    log.flush(at(tick * TICK));
    for (let pair = 0; pair < pairs && told < events; pair++) {
      // Each pair has its own busy and quiet times, so that there is something to see.
      const busy = 0.55 + 0.45 * Math.sin(tick / (300 + 37 * pair) + pair);
      if (random() > busy) continue;
      const [a, b] = [2 * pair, 2 * pair + 1];
      const now = tick * TICK + Math.floor(random() * 100_000);
      const other = told >= differsFrom ? 1 : 0;
      const crc = Math.floor(random() * 0xffff_fffe);
      const sends = (ns: number, node: number, bits: number) =>
        tell(ns, (when) => log.frameSent(when, node, 0, 98, bits, 'delivered', at(ns + TRAVEL)));
      tell(now, (when) => log.activation(when, a));
      sends(now + 3300 + other, a, crc);
      if (random() < 0.2) {
        const line = `64 bytes from ${name(b)}: seq=${tick} time=0.2 ms\n`;
        tell(now + 7700, (when) => log.consoleOutput(when, a, Buffer.from(line)));
      }
      if (pair === 0 && tick % 3 === 0) {
        high = !high;
        tell(now + 8800, (when) => log.drive(when, 0, 0, high ? 'high' : 'low'));
        tell(now + 8800, (when) => log.level(when, log.wire(0), high));
        tell(now + 9900, (when) => log.variableChanged(when, 0, 0, BigInt(tick), 1n));
      }
      if (random() < 0.00005) tell(now + 9900, (when) => log.fault(when, a, `tick ${tick} went wrong`));
      const there = now + 3300 + other + TRAVEL;
      tell(there, (when) => log.frameReceived(when, b, 0, 98, crc, false));
      tell(there, (when) => log.activation(when, b));
      sends(there + 2100, b, crc + 1);
      tell(there + 2100 + TRAVEL, (when) => log.frameReceived(when, a, 0, 98, crc + 1, false));
      tell(there + 2100 + TRAVEL, (when) => log.activation(when, a));
    }
  }
  log.close({ reason: 'finished', virtualNs: at(last), events: told, activations: 0 });
  writeFileSync(
    join(folder, 'result.json'),
    JSON.stringify({ status: 'ok', exitCode: 0, reason: null, name: header.topology, nodes: {}, links: {} }),
  );
}

/** Numbers from 0 to 1, the same for the same seed (xorshift32). */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 0x1_0000_0000;
  };
}
