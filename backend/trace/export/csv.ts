// SPDX-License-Identifier: MIT
import type { LogHeader } from '../../../protocols/trace/index.js';
import { describeEvent } from '../describe-event.js';
import type { LoggedEvent } from '../log-reader.js';
import { eventFields, ownerNames } from './event-fields.js';
import { type Exporter, Text } from './exporter.js';

/** Those of them that an event does not have are empty. */
const FIELDS = ['interface', 'length', 'crc32', 'fate', 'arrives'] as const;
const CRLF = '\r\n';

/** Comma-separated values as RFC 4180 has them: a line of names, then one for each event. */
export class Csv implements Exporter {
  readonly #out = new Text();
  readonly #names: readonly string[];

  constructor(private readonly header: LogHeader) {
    this.#names = ownerNames(header).map(quote);
    this.#out.add(`index,time_ns,node,event,text,${FIELDS.join(',')}${CRLF}`);
  }

  get size(): number {
    return this.#out.size;
  }

  take(): string {
    return this.#out.take();
  }

  event(logged: LoggedEvent): void {
    const { index, at, node, event } = logged;
    const text = quote(describeEvent(this.header, node, at, event));
    let line = `${index},${at},${this.#names[node]},${event.kind},${text}`;
    if (event.kind === 'frame-sent' || event.kind === 'frame-received') {
      const fields = eventFields(this.header, logged);
      for (const name of FIELDS) line += `,${quote(String(fields[name] ?? ''))}`;
    } else {
      line += ','.repeat(FIELDS.length);
    }
    this.#out.add(line + CRLF);
  }

  close(): void {}
}

function quote(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
