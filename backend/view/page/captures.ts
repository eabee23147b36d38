// SPDX-License-Identifier: MIT
import type { LogHeader, TraceEvent } from '../../../protocols/trace/record.js';
import { Capture } from '../model/capture.js';
import { decodePacket } from '../model/packet.js';
import type { RunModel } from '../model/run-model.js';

/** The captures of a run by the name of their link or switch. */
export class Captures {
  private readonly captures = new Map<string, Capture>();

  constructor(private readonly run: RunModel) {}

  get length(): number {
    return this.captures.size;
  }

  /** Takes the next bytes of the capture of a link or switch. The log's header is there. */
  append(name: string, bytes: Uint8Array): void {
    const start = this.run.header?.start ?? 0n;
    const capture = this.captures.get(name) ?? new Capture(start);
    this.captures.set(name, capture);
    capture.append(bytes);
  }

  /** What a frame is, in a few words: `ICMP echo request, id 7, seq 1`; undefined: no capture has it. */
  protocol(node: number, at: bigint, event: TraceEvent): string | undefined {
    if (this.captures.size === 0) return undefined;
    const bytes = this.find(node, at, event);
    if (bytes === undefined) return undefined;
    const { summary } = decodePacket(bytes);
    return summary.split('  ')[1] ?? summary;
  }

  /** How many bytes have come of the capture of a link or switch. */
  sizeOf(name: string): number | undefined {
    return this.captures.get(name)?.size;
  }

  /** What is wrong with the captures, by name. */
  damages(): string[] {
    return [...this.captures].flatMap(([name, { damage }]) =>
      damage === undefined ? [] : [`the capture of ${name} is damaged: ${damage}`],
    );
  }

  /** The bytes of a frame that was sent or received; undefined: no capture has it. */
  find(node: number, at: bigint, event: TraceEvent): Uint8Array | undefined {
    if (event.kind !== 'frame-sent' && event.kind !== 'frame-received') return undefined;
    const { header } = this.run;
    if (header === undefined) return undefined;
    const end = endName(header, node, event.interface);
    for (const capture of this.captures.values()) {
      const bytes = capture.find(end, at, event.kind === 'frame-sent', event.crc);
      if (bytes !== undefined) return bytes;
    }
    return undefined;
  }
}

/** `a.eth0` */
function endName({ nodes, switches }: LogHeader, node: number, place: number): string {
  const guest = nodes[node];
  if (guest !== undefined) return `${guest.name}.${guest.interfaces[place]}`;
  return switches[node - nodes.length]?.ports[place] ?? '';
}
