// SPDX-License-Identifier: MIT
import { openSync } from 'node:fs';
import { join } from 'node:path';
import type { Instant } from '../calendar/index.js';
import type { CableSpec, Endpoint, Topology } from '../topology/model.js';
import { type CapturedFrame, type CaptureInterface, PcapngWriter } from '../trace/pcapng.js';
import type { Attachment, Frame, SendFate } from './network.js';

interface Held {
  readonly at: Instant;
  readonly frame: CapturedFrame;
}

/** The capture of one link or switch: frames are held back until nothing earlier can come. */
class Capture {
  #held: Held[] = [];

  constructor(private readonly writer: PcapngWriter) {}

  get isEmpty(): boolean {
    return this.#held.length === 0;
  }

  add(at: Instant, frame: CapturedFrame): void {
    this.#held.push({ at, frame });
  }

  /** Writes what happened before `safe`, by time, then interface, then direction; calls for one of them are in order. */
  flush(safe: Instant): void {
    const due = this.#held.filter(({ at }) => at < safe);
    if (due.length === 0) return;
    this.#held = this.#held.filter(({ at }) => at >= safe);
    due.sort(
      (a, b) =>
        Number(a.at - b.at) ||
        a.frame.interface - b.frame.interface ||
        Number(a.frame.direction === 'outbound') - Number(b.frame.direction === 'outbound'),
    );
    for (const { at, frame } of due) this.writer.write(at, frame);
  }

  sync(): void {
    this.writer.flush();
  }

  close(at: Instant): void {
    this.writer.close(at);
  }
}

/** One pcapng file for each link and switch of a run. */
export class Captures {
  readonly #captures: Capture[] = [];
  /** Those that hold frames. */
  readonly #holding = new Set<Capture>();
  /** By node and interface: the capture that its cable belongs to, and its place there. */
  readonly #places = new Map<string, { readonly capture: Capture; readonly place: number }>();

  /** @param folder where the files go; it exists */
  constructor(topology: Topology, folder: string) {
    const add = (name: string, ends: readonly Endpoint[], spec: CableSpec) => {
      const interfaces: CaptureInterface[] = ends.map((end) => ({
        name: `${end.node}.${end.interface}`,
        description: name,
        speed: spec.rate,
      }));
      const descriptor = openSync(join(folder, `${name}.pcapng`), 'w', 0o644);
      const capture = new Capture(new PcapngWriter(descriptor, topology.start, interfaces));
      this.#captures.push(capture);
      ends.forEach((end, place) => {
        const node = topology.nodes.find(({ name: known }) => known === end.node);
        const index = node?.interfaces.findIndex(({ name: known }) => known === end.interface) ?? -1;
        this.#places.set(key({ node: node?.index ?? -1, interface: index }), { capture, place });
      });
    };
    for (const link of topology.links) add(link.name, link.between, link);
    for (const spec of topology.switches) add(spec.name, spec.ports, spec);
  }

  sent(at: Instant, from: Attachment, frame: Frame, fate: SendFate): void {
    const dropped = fate === 'delivered' ? undefined : fate;
    this.#add(at, from, { direction: 'outbound', bytes: frame.bytes, dropped });
  }

  received(at: Instant, to: Attachment, frame: Frame): void {
    this.#add(at, to, { direction: 'inbound', bytes: frame.bytes });
  }

  flush(safe: Instant): void {
    for (const capture of this.#holding) {
      capture.flush(safe);
      if (capture.isEmpty) this.#holding.delete(capture);
    }
  }

  /** Hands what was written to the kernel, so that the captures of a run that is killed end shortly before. */
  sync(): void {
    for (const capture of this.#captures) capture.sync();
  }

  /** Writes what happened up to `end`, and closes the files. */
  close(end: Instant): void {
    this.flush((end + 1n) as Instant);
    for (const capture of this.#captures) capture.close(end);
  }

  #add(at: Instant, where: Attachment, frame: Omit<CapturedFrame, 'interface'>): void {
    const found = this.#places.get(key(where));
    if (found === undefined) return;
    found.capture.add(at, { ...frame, interface: found.place });
    this.#holding.add(found.capture);
  }
}

function key({ node, interface: place }: Attachment): string {
  return `${node}.${place}`;
}
