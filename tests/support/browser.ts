// SPDX-License-Identifier: MIT
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Readable, Writable } from 'node:stream';

/** Every answer of the browser comes within this time. */
const ANSWER_MS = 60_000;
const PROGRAMS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Record<string, unknown>;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly message: string };
}

interface Waiting {
  resolve(result: Record<string, unknown>): void;
  reject(error: Error): void;
}

export interface PageOptions {
  readonly width?: number;
  readonly height?: number;
  readonly dark?: boolean;
}

/** A headless Chromium, spoken to over a pair of pipes by the DevTools protocol: messages of JSON, each with a NUL behind it. */
export class Browser {
  private readonly profile = mkdtempSync(join(tmpdir(), 'browser-'));
  private readonly child: ChildProcess;
  private readonly input: Writable;
  private readonly waiting = new Map<number, Waiting>();
  private readonly listeners = new Set<(message: Message) => void>();
  private readonly gone: Promise<void>;
  private pending = '';
  private last = 0;

  constructor() {
    const program = PROGRAMS.find((path) => existsSync(path));
    if (program === undefined) throw new Error('no Chromium is installed: run host/packages.sh test');
    const options = [
      '--headless=new',
      // Nothing but our own page is opened; the sandbox needs what a container often has not.
      '--no-sandbox',
      '--disable-dev-shm-usage',
      '--disable-gpu',
      '--no-first-run',
      '--disable-extensions',
      '--disable-background-networking',
      '--disable-component-update',
      '--remote-debugging-pipe',
      `--user-data-dir=${this.profile}`,
      'about:blank',
    ];
    this.child = spawn(program, options, { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] });
    this.input = this.child.stdio[3] as Writable;
    this.input.on('error', () => undefined);
    (this.child.stdio[4] as Readable).setEncoding('utf8').on('data', (text: string) => this.take(text));
    this.gone = new Promise((resolve) => {
      this.child.on('close', () => {
        for (const { reject } of this.waiting.values()) reject(new Error('the browser has ended'));
        this.waiting.clear();
        rmSync(this.profile, { recursive: true, force: true, maxRetries: 5 });
        resolve();
      });
    });
  }

  /** Opens a page at `url`. */
  async open(url: string, { width = 1440, height = 900, dark = false }: PageOptions = {}): Promise<Page> {
    const { targetId } = await this.send('Target.createTarget', { url: 'about:blank' });
    const attached = await this.send('Target.attachToTarget', { targetId, flatten: true });
    const page = new Page(this, String(attached.sessionId), String(targetId));
    await page.send('Page.enable');
    await page.send('Runtime.enable');
    await page.send('Log.enable');
    await page.send('Emulation.setDeviceMetricsOverride', {
      width,
      height,
      deviceScaleFactor: 1,
      mobile: false,
    });
    const features = [{ name: 'prefers-color-scheme', value: dark ? 'dark' : 'light' }];
    await page.send('Emulation.setEmulatedMedia', { features });
    await page.send('Page.navigate', { url });
    return page;
  }

  /** Ends the browser and all its pages. */
  async close(): Promise<void> {
    this.send('Browser.close').catch(() => undefined);
    const limit = setTimeout(() => this.child.kill('SIGKILL'), 5000);
    await this.gone;
    clearTimeout(limit);
  }

  send(
    method: string,
    params: Readonly<Record<string, unknown>> = {},
    sessionId?: string,
  ): Promise<Record<string, unknown>> {
    const id = ++this.last;
    return new Promise((resolve, reject) => {
      const limit = setTimeout(() => {
        this.waiting.delete(id);
        reject(new Error(`not within ${ANSWER_MS} ms: ${method}`));
      }, ANSWER_MS);
      this.waiting.set(id, {
        resolve: (result) => {
          clearTimeout(limit);
          resolve(result);
        },
        reject: (error) => {
          clearTimeout(limit);
          reject(error);
        },
      });
      this.input.write(`${JSON.stringify({ id, method, params, ...(sessionId && { sessionId }) })}\0`);
    });
  }

  listen(listener: (message: Message) => void): void {
    this.listeners.add(listener);
  }

  private take(text: string): void {
    const messages = (this.pending + text).split('\0');
    this.pending = messages.pop() ?? '';
    for (const each of messages) {
      const message = JSON.parse(each) as Message;
      const waiting = message.id === undefined ? undefined : this.waiting.get(message.id);
      if (message.id !== undefined) this.waiting.delete(message.id);
      if (message.error !== undefined) waiting?.reject(new Error(message.error.message));
      else waiting?.resolve(message.result ?? {});
      if (message.method !== undefined) for (const listener of this.listeners) listener(message);
    }
  }
}

/** A page of the browser. */
export class Page {
  /** What went wrong in it: exceptions, errors of the console, what its policy has forbidden. */
  readonly faults: string[] = [];
  /** What it asked the network for. */
  readonly requests: string[] = [];

  constructor(
    private readonly browser: Browser,
    private readonly session: string,
    private readonly target: string,
  ) {
    browser.listen((message) => {
      if ((message as { sessionId?: string }).sessionId !== session) return;
      const { method, params = {} } = message;
      if (method === 'Runtime.exceptionThrown') this.faults.push(JSON.stringify(params.exceptionDetails));
      if (method === 'Log.entryAdded') {
        const entry = params.entry as { level: string; text: string };
        if (entry.level === 'error') this.faults.push(entry.text);
      }
      if (method === 'Network.requestWillBeSent') this.requests.push((params.request as { url: string }).url);
    });
  }

  send(method: string, params: Readonly<Record<string, unknown>> = {}): Promise<Record<string, unknown>> {
    return this.browser.send(method, params, this.session);
  }

  /** The value of an expression in the page; promises are waited for. */
  async evaluate<T>(expression: string): Promise<T> {
    const answer = await this.send('Runtime.evaluate', {
      expression,
      returnByValue: true,
      awaitPromise: true,
    });
    const fault = answer.exceptionDetails as { exception?: { description?: string } } | undefined;
    if (fault !== undefined) throw new Error(`${expression}: ${fault.exception?.description ?? 'it threw'}`);
    return (answer.result as { value: T }).value;
  }

  /** Waits until an expression is true, looking at each frame. */
  async until(expression: string, limitMs = 30_000): Promise<void> {
    const found = await this.evaluate<boolean>(`new Promise((resolve) => {
      const end = performance.now() + ${limitMs};
      const look = () => {
        let found = false;
        try { found = Boolean(${expression}); } catch {}
        if (found || performance.now() > end) resolve(found);
        else requestAnimationFrame(look);
      };
      look();
    })`);
    if (!found) throw new Error(`not within ${limitMs} ms: ${expression}`);
  }

  /** Waits until what was asked for has been drawn. */
  async settle(): Promise<void> {
    await this.evaluate(
      'new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => resolve(0))))',
    );
  }

  async text(selector: string): Promise<string> {
    return this.evaluate(`document.querySelector(${JSON.stringify(selector)})?.innerText ?? ''`);
  }

  /** Presses a key: `w`, `ArrowLeft`, `Enter`. */
  async key(key: string): Promise<void> {
    const text = key.length === 1 ? key : key === 'Enter' ? '\r' : undefined;
    await this.send('Input.dispatchKeyEvent', { type: 'keyDown', key, ...(text && { text }) });
    await this.send('Input.dispatchKeyEvent', { type: 'keyUp', key });
    await this.settle();
  }

  async type(text: string): Promise<void> {
    await this.send('Input.insertText', { text });
  }

  async click(x: number, y: number): Promise<void> {
    for (const type of ['mouseMoved', 'mousePressed', 'mouseReleased'])
      await this.send('Input.dispatchMouseEvent', { type, x, y, button: 'left', clickCount: 1 });
    await this.settle();
  }

  async move(x: number, y: number): Promise<void> {
    await this.send('Input.dispatchMouseEvent', { type: 'mouseMoved', x, y });
    await this.settle();
  }

  /** Keeps a picture of the page for review. */
  async screenshot(file: string): Promise<void> {
    await this.settle();
    const { data } = await this.send('Page.captureScreenshot', { format: 'png' });
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, Buffer.from(String(data), 'base64'));
  }

  async close(): Promise<void> {
    await this.browser.send('Target.closeTarget', { targetId: this.target });
  }
}
