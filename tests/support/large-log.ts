// SPDX-License-Identifier: MIT
import { mkdirSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Instant, instant } from '../../backend/calendar/index.js';
import { RunLog } from '../../backend/trace/run-log.js';
import type { LogHeader } from '../../protocols/trace/index.js';

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
  const at = (ns: number) => instant(begin + BigInt(Math.round(ns)));
  let told = 0;
  const tell = (action: () => void) => {
    if (told++ < events) action();
  };
  for (let node = 0; node < nodes; node++) tell(() => log.nodeState(at(0), node, { state: 'ready' }));
  let high = false;
  for (let round = 0; told < events; round++) {
    const pair = round % pairs;
    const [a, b] = [2 * pair, 2 * pair + 1];
    // Bursts, and quiet times between them, so that there is something to see.
    const base = round * 11_000 + Math.floor(round / 20_000) * 60_000_000;
    const now = base + Math.floor(random() * 4000);
    const other = told >= differsFrom ? 1 : 0;
    const sent = (t: number, node: number, crc: number, travel: number) =>
      tell(() => log.frameSent(at(t), node, 0, 98, crc, 'delivered', at(t + travel)));
    const crc = Math.floor(random() * 0xffff_ffff);
    tell(() => log.activation(at(now), a));
    sent(now + 300 + other, a, crc, 1_000_000);
    if (round % 7 === 0)
      tell(() => log.consoleOutput(at(now + 700), a, Buffer.from(`seq=${round} from ${name(b)}\n`)));
    tell(() => log.frameReceived(at(now + 1_000_300 + other), b, 0, 98, crc, false));
    tell(() => log.activation(at(now + 1_000_300 + other), b));
    sent(now + 1_002_100, b, crc ^ 1, 1_000_000);
    tell(() => log.frameReceived(at(now + 2_002_100), a, 0, 98, crc ^ 1, false));
    if (pair === 0 && round % 3 === 0) {
      high = !high;
      tell(() => log.drive(at(now + 900), 0, 0, high ? 'high' : 'low'));
      tell(() => log.level(at(now + 900), log.wire(0), high));
      tell(() => log.variableChanged(at(now + 950), 0, 0, BigInt(round), 1n));
    }
    if (round % 40_009 === 17) tell(() => log.fault(at(now + 800), a, `round ${round} went wrong`));
    if (round % 1000 === 999) log.flush(at(base - 5_000_000 > 0 ? base - 5_000_000 : 0));
  }
  const last: Instant = at(1_200_000 * 11_000);
  log.close({ reason: 'finished', virtualNs: last, events: told, activations: 0 });
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
