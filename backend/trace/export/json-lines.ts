// SPDX-License-Identifier: MIT
import type { LogHeader } from '../../../protocols/trace/index.js';
import type { LoggedEvent } from '../log-reader.js';
import { eventFields, ownerNames } from './event-fields.js';
import { type Closing, type Exporter, Text } from './exporter.js';

/** JSON, an object a line: the header, each event, then the end or the damage. */
export class JsonLines implements Exporter {
  readonly #out = new Text();
  readonly #names: readonly string[];

  constructor(private readonly header: LogHeader) {
    this.#names = ownerNames(header);
    const { seed, start, ...rest } = header;
    this.#line({ kind: 'header', seed: String(seed), start: String(start), ...rest });
  }

  get size(): number {
    return this.#out.size;
  }

  take(): string {
    return this.#out.take();
  }

  event(logged: LoggedEvent): void {
    const { index, at, node, event } = logged;
    this.#line({
      index,
      at: String(at),
      node: this.#names[node],
      kind: event.kind,
      ...eventFields(this.header, logged),
    });
  }

  close({ at, end, damage }: Closing): void {
    if (end !== undefined) {
      const { reason, events, activations } = end;
      this.#line({ at: String(at), kind: 'end', reason, events, activations });
    }
    if (damage !== undefined) this.#line({ at: String(at), kind: 'damage', ...damage });
  }

  #line(value: object): void {
    this.#out.add(`${JSON.stringify(value)}\n`);
  }
}
