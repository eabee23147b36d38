// SPDX-License-Identifier: MIT
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream';
import { OneclockError } from '../errors.js';
import { openRegular } from '../trace/byte-file.js';
import type { Growth } from './manifest.js';
import { diffJson, manifestOf, servedPage } from './page-text.js';
import { MAX_LOG, type RunFiles } from './run-files.js';

const HOST = '127.0.0.1';
/** A page that is loaded again is away for less than this. */
const RELOAD_MS = 3000;
const HEADERS = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy': "frame-ancestors 'none'",
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
} as const;

/**
 * Serves the page of one run, or of two, to this machine: on the loopback address, below a path that only who started it
 * knows, and only to who asks for this address by its number, so that no other page's script gets in by a name of its own.
 */
export class ViewServer {
  /** Resolves when every page that was open has been closed, or {@link close} was called. */
  readonly closed: Promise<void>;
  #resolve: () => void = () => undefined;
  readonly #token = randomBytes(18).toString('base64url');
  readonly #pages = new Set<ServerResponse>();
  #leaving: NodeJS.Timeout | undefined;
  #last: Growth | undefined;
  #runs: readonly RunFiles[];

  private constructor(
    private readonly server: Server,
    runs: readonly RunFiles[],
    private readonly live: boolean,
  ) {
    this.#runs = runs;
    this.closed = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    server.on('request', (request, response) => this.#answer(request, response));
  }

  /**
   * @param runs one or two
   * @param live more will come of the first one: see {@link grown}
   * @param port 0: any that is free
   * @throws OneclockError MACHINE where the port cannot be had
   */
  static async open(runs: readonly RunFiles[], { live = false, port = 0 } = {}): Promise<ViewServer> {
    const server = createServer();
    await new Promise<void>((resolve, reject) => {
      server.once('error', (cause) =>
        reject(new OneclockError('MACHINE', `port ${port} cannot be used: ${cause.message}`, { cause })),
      );
      server.listen(port, HOST, resolve);
    });
    return new ViewServer(server, runs, live);
  }

  /** Where the page is. Who has it can read the run. */
  get url(): string {
    return `http://${this.#host}/${this.#token}/`;
  }

  /** Tells the open pages that files of the first run have become larger, or that it has ended. */
  grown(run: RunFiles, ended: boolean): void {
    this.#runs = [run, ...this.#runs.slice(1)];
    const sizes = Object.fromEntries(run.files.map(({ name, size }) => [name, size]));
    this.#last = { sizes, ended };
    for (const page of this.#pages) page.write(event(this.#last));
  }

  /** Ends every connection. Later calls do nothing. */
  close(): void {
    clearTimeout(this.#leaving);
    this.server.close();
    this.server.closeAllConnections();
    this.#resolve();
  }

  get #host(): string {
    return `${HOST}:${(this.server.address() as AddressInfo | null)?.port ?? 0}`;
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const refuse = (status: number, why: string) =>
      response.writeHead(status, { ...HEADERS, 'Content-Type': 'text/plain' }).end(`${why}\n`);
    if (request.headers.host !== this.#host) return void refuse(403, 'another host');
    if (request.method !== 'GET') return void refuse(405, 'only GET');
    const url = new URL(request.url ?? '/', `http://${this.#host}`);
    const [, token = '', ...path] = url.pathname.split('/');
    if (!same(token, this.#token)) return void refuse(404, 'not found');
    try {
      const sent = this.#send(path, url.searchParams, request, response);
      if (!sent) refuse(404, 'not found');
    } catch (error) {
      refuse(500, error instanceof OneclockError ? error.message : 'the file cannot be read');
    }
  }

  #send(
    [what, ...rest]: readonly string[],
    query: URLSearchParams,
    request: IncomingMessage,
    response: ServerResponse,
  ): boolean {
    const send = (type: string, body: string | Buffer) =>
      response.writeHead(200, { ...HEADERS, 'Content-Type': type }).end(body);
    switch (what) {
      case '':
        send('text/html; charset=utf-8', servedPage(manifestOf('served', this.live, this.#runs)));
        return true;
      case 'file': {
        // By name: while a run goes on there may be more files than when the page asked.
        const file = this.#runs[Number(rest[0])]?.files.find(({ name }) => name === query.get('name'));
        const from = Number(query.get('from') ?? 0);
        if (file === undefined || !Number.isSafeInteger(from) || from < 0) return false;
        sendFile(file.path, from, response);
        return true;
      }
      case 'diff':
        if (this.#runs.length !== 2) return false;
        send('application/json', diffJson(this.#runs));
        return true;
      case 'events':
        this.#join(request, response);
        return true;
      default:
        return false;
    }
  }

  /** Each open page holds one of these: by it the page hears of more, and we hear that it was closed. */
  #join(request: IncomingMessage, response: ServerResponse): void {
    clearTimeout(this.#leaving);
    response.writeHead(200, { ...HEADERS, 'Content-Type': 'text/event-stream' });
    response.write(this.#last === undefined ? ':\n\n' : event(this.#last));
    this.#pages.add(response);
    request.on('close', () => {
      this.#pages.delete(response);
      if (this.#pages.size > 0 || !this.server.listening) return;
      this.#leaving = setTimeout(() => this.close(), RELOAD_MS);
    });
  }
}

/** What a file has from `from` on, as much as a page takes. */
function sendFile(path: string, from: number, response: ServerResponse): void {
  const fd = openRegular(path, 'the file');
  response.writeHead(200, { ...HEADERS, 'Content-Type': 'application/octet-stream' });
  const file = createReadStream('', { fd, start: from, end: from + MAX_LOG - 1, highWaterMark: 1_048_576 });
  // A page that is closed meanwhile, or a file that cannot be read, breaks the connection: the page sees that.
  pipeline(file, response, () => undefined);
}

function event(growth: Growth): string {
  return `data: ${JSON.stringify(growth)}\n\n`;
}

function same(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}
