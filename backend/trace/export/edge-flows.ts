// SPDX-License-Identifier: MIT
import type { LoggedDrive, LogHeader } from '../../../protocols/trace/index.js';

/** Drives of one wire that may still show. */
const MAX_WAITING = 256;

interface Driven {
  readonly at: bigint;
  readonly drive: LoggedDrive;
  readonly flow: bigint;
}

interface Wire {
  readonly waiting: Driven[];
  /** As far as it is known: a log says it only where it changes. */
  latency: bigint | undefined;
}

/** Finds which of the guests that drive a wire has changed its level, so that an arrow can join the two. */
export class EdgeFlows {
  readonly #wires: readonly Wire[];
  /** By node and line. */
  readonly #pins: readonly (readonly (Wire | undefined)[])[];

  constructor(header: LogHeader) {
    const pins = new Map<string, Wire>();
    this.#wires = header.wires.map((each) => {
      const wire: Wire = { waiting: [], latency: undefined };
      for (const pin of each.pins) pins.set(pin, wire);
      return wire;
    });
    this.#pins = header.nodes.map(({ name, lines }) => lines.map((line) => pins.get(`${name}.${line}`)));
  }

  /** A guest drives a line. @param flow an arrow that begins there */
  drive(at: bigint, node: number, line: number, drive: LoggedDrive, flow: bigint): void {
    const waiting = this.#pins[node]?.[line]?.waiting;
    if (waiting === undefined) return;
    waiting.push({ at, drive, flow });
    if (waiting.length > MAX_WAITING) waiting.shift();
  }

  /** A wire has another latency. */
  change(index: number, latency: bigint): void {
    const wire = this.#wires[index];
    if (wire) wire.latency = latency;
  }

  /** A wire has another level. @returns the arrow that ends there */
  level(at: bigint, index: number, high: boolean): bigint | undefined {
    const wire = this.#wires[index];
    if (wire === undefined) return undefined;
    const { waiting, latency } = wire;
    const fits = ({ drive }: Driven) => drive === 'released' || drive === (high ? 'high' : 'low');
    let found = waiting.findIndex((each) => fits(each) && each.at + (latency ?? 0n) === at);
    if (found < 0) found = waiting.findLastIndex(fits);
    if (found < 0) return undefined;
    const cause = waiting.splice(0, found + 1).at(-1) as Driven;
    wire.latency ??= at - cause.at;
    return cause.flow;
  }
}
