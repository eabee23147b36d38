// SPDX-License-Identifier: MIT
import { DIFF_ID, fileId, type Growth, MANIFEST_ID, type Manifest } from '../manifest.js';

/** Where the page gets its data from: from itself, or from the server that it came from. */
export class Source {
  readonly manifest: Manifest;

  constructor() {
    this.manifest = JSON.parse(text(MANIFEST_ID) ?? 'null') as Manifest;
    if (this.manifest === null) throw new Error('this page has no data: it is a template');
  }

  /** A file from its byte `from` on. */
  async read(run: number, name: string, from = 0): Promise<Uint8Array> {
    if (this.manifest.mode === 'served')
      return this.fetch(`file/${run}?name=${encodeURIComponent(name)}&from=${from}`);
    const file = this.manifest.runs[run]?.files.findIndex((each) => each.name === name) ?? -1;
    const element = document.getElementById(fileId(run, file));
    const packed = decodeBase64(element?.textContent ?? '');
    // The text is the larger part of the page: it is not needed again.
    element?.remove();
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip'));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  }

  /** The first difference of the two runs, as `oneclock diff --json` prints it. */
  async diff(): Promise<unknown> {
    if (this.manifest.mode === 'file') return JSON.parse(text(DIFF_ID) ?? 'null');
    return JSON.parse(new TextDecoder().decode(await this.fetch('diff')));
  }

  /** Hears of more data, and lets the server know that the page is there. */
  listen(grown: (growth: Growth) => void, lost: () => void): void {
    if (this.manifest.mode !== 'served') return;
    const events = new EventSource('events');
    events.onmessage = ({ data }) => grown(JSON.parse(data as string) as Growth);
    // A connection within one machine does not break by itself: the server has ended.
    events.onerror = () => {
      events.close();
      lost();
    };
    window.addEventListener('pagehide', () => events.close());
  }

  private async fetch(path: string): Promise<Uint8Array> {
    const response = await fetch(path);
    if (!response.ok) throw new Error(`${path}: ${await response.text()}`);
    return new Uint8Array(await response.arrayBuffer());
  }
}

function text(id: string): string | undefined {
  return document.getElementById(id)?.textContent ?? undefined;
}

function decodeBase64(encoded: string): Uint8Array<ArrayBuffer> {
  const binary = atob(encoded);
  const bytes = new Uint8Array(binary.length);
  for (let at = 0; at < binary.length; at++) bytes[at] = binary.charCodeAt(at);
  return bytes;
}
