// SPDX-License-Identifier: MIT
import { type ChildProcess, spawn } from 'node:child_process';
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { type Instant, instant } from '../backend/calendar/index.js';
import { RunLog } from '../backend/trace/run-log.js';
import { watch } from '../backend/view/index.js';
import { packageFile } from '../host/package-root.js';
import type { LogHeader } from '../protocols/trace/index.js';
import { Browser, type Page, type PageOptions } from './support/browser.js';
import { Workspace } from './support/cli.js';
import { writeLargeRun } from './support/large-log.js';
import { until } from './support/wait.js';

const NODES = 50;
const EVENTS = 1_000_000;
/** The billionth second: no floating-point number tells one nanosecond from the next there. */
const FAR = 1_000_000_000_000_000_000n;

let browser: Browser;

beforeAll(() => {
  browser = new Browser();
});

afterAll(() => browser.close());

function picture(name: string): string {
  return packageFile(`build/screenshots/${name}.png`);
}

/** Starts `oneclock view`. @returns the page's address, and the process, which ends with the test */
async function view(space: Workspace, ...args: string[]): Promise<{ url: string; child: ChildProcess }> {
  const cli = packageFile('dist/backend/cli/main.js');
  const child = spawn(cli, ['view', '--no-open', ...args], {
    cwd: space.path,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const url = await new Promise<string>((resolve, reject) => {
    let said = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => reject(new Error(text)));
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      if (said.includes('\n')) resolve(said.split('\n')[0] as string);
    });
  });
  return { url, child };
}

/** Opens a page and waits until it shows all of its run; nothing may have gone wrong in it when the test ends. */
async function open(url: string, options?: PageOptions): Promise<Page> {
  const page = await browser.open(url, options);
  await page.until("document.documentElement.dataset.complete === 'true'");
  onTestFinished(async () => {
    expect(page.faults).toEqual([]);
    await page.close();
  });
  return page;
}

async function search(page: Page, query: string): Promise<void> {
  await page.key('/');
  await page.type(query);
  await page.key('Enter');
  await page.evaluate(
    "document.getElementById('search').blur(), document.getElementById('search').value = ''",
  );
}

/** What is drawn at a place of the timeline: the colour of a pixel. */
async function pixel(page: Page, x: number, y: number): Promise<number[]> {
  return page.evaluate(
    `[...document.getElementById('timeline').getContext('2d').getImageData(${x}, ${y}, 1, 1).data]`,
  );
}

/** How many pixels of the timeline have the colour of a running node, or a shade of it. */
async function running(page: Page): Promise<number> {
  return page.evaluate(`(() => {
    const canvas = document.getElementById('timeline');
    const { data } = canvas.getContext('2d').getImageData(208, 0, canvas.width - 208, canvas.height);
    let count = 0;
    for (let at = 0; at < data.length; at += 4) if (data[at + 2] - data[at] > 50) count++;
    return count;
  })()`);
}

const SMALL: LogHeader = {
  topology: 'small',
  seed: 3n,
  start: 0n,
  nodes: [
    { name: 'a', kind: 'uml', interfaces: ['eth0'], lines: [] },
    { name: '<b>b</b>', kind: 'board', interfaces: ['eth0'], lines: ['gpio0'] },
  ],
  links: [{ name: 'ab', ends: ['a.eth0', '<b>b</b>.eth0'] }],
  switches: [],
  wires: [{ name: 'freeze', pins: ['<b>b</b>.gpio0'] }],
  shared: [],
};

/** Writes a run directory with what `tell` tells. @returns its path */
function smallRun(space: Workspace, name: string, tell: (log: RunLog) => void, end: bigint): string {
  const folder = join(space.path, name);
  mkdirSync(folder);
  const log = new RunLog(openSync(join(folder, 'trace'), 'w'), SMALL);
  tell(log);
  log.close({ reason: 'finished', virtualNs: end, events: 1, activations: 1 });
  return folder;
}

const at = (ns: number | bigint): Instant => instant(BigInt(ns));

describe('a run with 50 nodes and a million events', () => {
  const folder = mkdtempSync(join(tmpdir(), 'e2e-view-'));
  const run = join(folder, 'large');

  beforeAll(() => writeLargeRun(run, { nodes: NODES, events: EVENTS }), 60_000);
  afterAll(() => rmSync(folder, { recursive: true }));

  test('is drawn, searched and looked into down to a nanosecond', async () => {
    const space = new Workspace();
    const { url } = await view(space, run);
    const page = await open(url);
    expect(await page.text('#facts')).toMatch(/1,000,000 events\s+50 nodes/);
    expect(await page.evaluate('oneclockView.state.runs[0].model.pairs.to.length')).toBeGreaterThan(250_000);
    expect(await running(page)).toBeGreaterThan(1000);
    await page.screenshot(picture('large'));
    expect(statSync(picture('large')).size).toBeGreaterThan(10_000);

    // Every row can be reached; only those in sight are drawn.
    const scroll = await page.evaluate<number>(
      "(() => { const s = document.getElementById('scroller'); s.scrollTop = 1e6; return s.scrollTop; })()",
    );
    expect(scroll).toBeGreaterThan(1000);
    await page.settle();
    await page.evaluate("document.getElementById('scroller').scrollTop = 0");

    await search(page, 't=2.5s');
    for (let step = 0; step < 24; step++) await page.key('w');
    await page.screenshot(picture('large-near'));
    const before = await page.evaluate<number>('oneclockView.state.view.perPixel');
    for (let step = 0; step < 60; step++) await page.key('w');
    const perPixel = await page.evaluate<number>('oneclockView.state.view.perPixel');
    expect(perPixel).toBeLessThan(before);
    expect(perPixel).toBe(1 / 160);
    await page.key('0');

    await search(page, 'seq=4242');
    expect(await page.text('#found')).toMatch(/^[1-9]\d* events? for “seq=4242”/);
    expect(await page.text('#view-search .item.now .text')).toMatch(
      /^64 bytes from n\d\d: seq=4242 time=0.2 ms$/,
    );
    await search(page, 'fault');
    expect(await page.text('#found')).toMatch(/^[1-9]\d* events for “fault”/);
    expect(await page.text('#view-search .item.now .text')).toMatch(/^fault: tick \d+ went wrong$/);
    await page.key('1');
    expect(await page.text('#view-cursor .item.now')).toMatch(/went wrong/);
    await page.screenshot(picture('large-fault'));

    // The frame that follows, and its other end.
    await page.key('Enter');
    await page.key('4');
    expect(await page.text('#view-statistics')).toMatch(/n50\s+kvm/);
  }, 240_000);

  test('is compared with one that differs by a nanosecond', async () => {
    const space = new Workspace();
    const other = join(space.path, 'other');
    writeLargeRun(other, { nodes: NODES, events: EVENTS, differsFrom: 600_000 });
    const { url } = await view(space, run, other);
    const page = await open(url);
    await page.until("document.documentElement.dataset.compared === 'true'", 60_000);
    await page.screenshot(picture('compare'));
    const verdict = await page.text('#verdict');
    expect(verdict).toMatch(/^The runs first differ in event \d{6}, at 3\.\d/);
    const index = Number(/event (\d+)/.exec(verdict)?.[1]);
    expect(index).toBeGreaterThan(590_000);
    await page.key('g');
    const shown = await page.evaluate<{ event: number; from: number; to: number }>(`(() => {
      const { state } = oneclockView;
      const [a, b] = state.runs.map(({ model }) => model.log.times.at(state.chosen.event));
      return { event: state.chosen.event, from: state.view.x(a), to: Number(b - a) };
    })()`);
    expect(shown.event).toBe(index);
    expect(shown.to).toBe(1);
    expect(shown.from).toBeGreaterThan(0);
    expect(await page.text('#view-compare .side-b')).toBe('B');
    await page.screenshot(picture('compare-near'));
  }, 240_000);
});

describe('a page', () => {
  test('tells one nanosecond from the next after 10^18 of them', async () => {
    const space = new Workspace();
    const run = smallRun(
      space,
      'far',
      (log) => {
        log.nodeState(at(0), 0, { state: 'ready' });
        for (let ns = 0n; ns < 3n; ns++) log.mark(at(FAR + ns), 0, `mark ${ns}`);
      },
      FAR + 100n,
    );
    const { url } = await view(space, run);
    const page = await open(url);
    await search(page, 'mark 1');
    await page.key('1');
    expect(await page.text('#view-cursor .column h2 b')).toBe(
      '1\u202f000\u202f000\u202f000.000\u202f000\u202f001 s',
    );
    await page.key('f');
    for (let step = 0; step < 24; step++) await page.key('w');
    const [left, right] = await page.evaluate<[number, number]>(
      `[0, 2].map((ns) => oneclockView.state.view.x(${FAR}n + BigInt(ns)))`,
    );
    expect(right - left).toBeCloseTo(320, 6);
    await page.screenshot(picture('nanosecond'));
    await page.key('ArrowRight');
    expect(await page.text('#view-cursor .item.now .what')).toBe('mark: mark 2');
    expect(await page.text('#view-cursor .item:nth-last-child(2) .when')).toBe('−1 ns');
  });

  test('shows what a log says as text, whatever that is', async () => {
    const space = new Workspace();
    const evil = '<script>window.hacked = 1</script><img src=x onerror="window.hacked = 2">';
    const run = smallRun(
      space,
      'evil',
      (log) => {
        log.consoleOutput(at(10), 0, Buffer.from(`${evil}\n\u001b[31mred\u001b[0m \u0007bell\n`));
        log.mark(at(20), 0, evil);
        log.fault(at(30), 1, evil);
        log.frameSent(at(40), 0, 0, 60, 7, 'lost', undefined);
      },
      50n,
    );
    mkdirSync(join(run, 'pcap'));
    writeFileSync(join(run, 'pcap', '<img src=x onerror=hacked()>.pcapng'), 'this is no capture');
    writeFileSync(
      join(run, 'result.json'),
      JSON.stringify({ status: evil, reason: '</script>', nodes: { a: evil } }),
    );
    const { url } = await view(space, run);
    const file = join(space.path, 'evil.html');
    const written = await space.start(['view', '--output', file, run]).finished;
    expect(written).toMatchObject({ status: 0, stdout: `written: ${file}\n` });
    for (const address of [url, `file://${file}`]) {
      const page = await open(address);
      await search(page, 'mark');
      for (const tab of ['1', '2', '3', '4']) await page.key(tab);
      await page.key('1');
      expect(await page.text('#view-cursor')).toContain(evil);
      expect(await page.text('#view-cursor .column:nth-child(2)')).toContain('red ·bell');
      expect(await page.evaluate('[typeof window.hacked, document.images.length]')).toEqual(['undefined', 0]);
      expect(await page.text('#facts .badge')).toBe(evil);
      expect(await page.text('#notices')).toMatch(/capture of <img src=x onerror=hacked\(\)> is damaged/);
    }
  });

  test('in one file asks no network for anything', async () => {
    const space = new Workspace();
    const run = join(space.path, 'run');
    writeLargeRun(run, { nodes: 4, events: 20_000 });
    const file = join(space.path, 'run.html');
    expect((await space.run(['view', '--output', file, run])).status).toBe(0);
    const html = readFileSync(file, 'utf8');
    expect(html).toMatch(
      /default-src 'none'; script-src 'sha256-[^ ;]+'; style-src 'sha256-[^ ;]+'; img-src data:; connect-src 'none'/,
    );
    expect(html).not.toMatch(/(src|href)="(?!data:)/);
    const page = await browser.open('about:blank', { dark: true });
    await page.send('Network.enable');
    await page.send('Page.navigate', { url: `file://${file}` });
    await page.until("document.documentElement.dataset.complete === 'true'");
    expect(await page.text('#facts')).toMatch(/20,000 events/);
    expect(page.requests.filter((url) => !url.startsWith('data:'))).toEqual([`file://${file}`]);
    const refused = await page.evaluate("fetch('http://127.0.0.1:9/').then(() => 'sent', () => 'refused')");
    expect(refused).toBe('refused');
    await page.screenshot(picture('dark'));
    await page.close();
  });

  test('names the damage of a log, and shows what is before it', async () => {
    const space = new Workspace();
    const run = join(space.path, 'run');
    writeLargeRun(run, { nodes: 4, events: 1000 });
    const bytes = readFileSync(join(run, 'trace'));
    writeFileSync(join(run, 'trace'), bytes.subarray(0, bytes.length - 40));
    const { url } = await view(space, run);
    const page = await open(url);
    expect(await page.text('#notices')).toMatch(
      /^The log is damaged at byte \d+: expected a record.* the end of the file\. The 99\d events before it are shown\./,
    );
    await page.screenshot(picture('damaged'));
  });

  test('shows boards frozen, and wires and links as they change', async () => {
    const space = new Workspace();
    const second = 1_000_000_000;
    const run = smallRun(
      space,
      'frozen',
      (log) => {
        const freeze = log.wire(0);
        log.level(at(2 * second), freeze, true);
        log.level(at(4 * second), freeze, false);
        const change = {
          cable: 0,
          down: true,
          latency: 0n,
          rate: 0n,
          loss: 0,
          jitter: 0n,
          queue: 0,
          lost: 0,
        };
        log.change(at(5 * second), log.run, change);
        log.change(at(6 * second), log.run, { ...change, down: false });
        log.nodeState(at(8 * second), 1, { state: 'crashed' });
      },
      10n * BigInt(second),
    );
    const { url } = await view(space, run);
    const page = await open(url);
    const spans = await page.evaluate<Record<string, [string, string, boolean][]>>(`(() => {
      const { tracks } = oneclockView.state.runs[0].model;
      const list = (spans) => Array.from({ length: spans.length }, (_, at) =>
        [String(spans.starts.at(at)), String(spans.ends.at(at)), spans.open && at === spans.length - 1]);
      const [a, board] = tracks.nodes;
      return { frozen: list(board.frozen), gone: list(board.gone), running: list(board.running),
        high: list(tracks.wires[0].high), down: list(tracks.links[0].down) };
    })()`);
    expect(spans).toEqual({
      frozen: [['2000000000', '4000000000', false]],
      gone: [['8000000000', '8000000000', true]],
      running: [['0', '8000000000', false]],
      high: [['2000000000', '4000000000', false]],
      down: [['5000000000', '6000000000', false]],
    });
    // The lane of the board at 1 s, 3 s and 9 s: running, frozen, gone.
    const places = await page.evaluate<{ x: number[]; y: number }>(`(() => {
      const { view, rows } = oneclockView.state;
      const row = rows.find(({ name }) => name === '<b>b</b>');
      return { x: [1n, 3n, 9n].map((s) => 208 + Math.round(view.x(s * 1000000000n))), y: row.top + 12 };
    })()`);
    const colours = await Promise.all(places.x.map((x) => pixel(page, x, places.y)));
    expect(new Set(colours.map(String)).size).toBe(3);
    await page.screenshot(picture('frozen'));
  });

  test('decodes the packets of a real run', async () => {
    const space = new Workspace();
    const out = join(space.path, 'run');
    const topology = readFileSync(packageFile('examples/two-nodes.yaml'), 'utf8');
    const finished = await space.start(['run', space.write('two.yaml', topology), '--out', out, '--json'])
      .finished;
    expect(finished.status).toBe(0);
    const { url } = await view(space, out);
    const page = await open(url);
    expect(await page.text('#facts .badge')).toBe('ok');
    await search(page, 'frame sent');
    for (let step = 0; step < 6; step++) await page.key('n');
    await page.key('1');
    const packets = await page.text('#view-cursor .column:nth-child(3)');
    expect(packets).toMatch(/10\.0\.0\.1 → 10\.0\.0\.2\s+ICMP echo request, id \d+, seq \d+/);
    expect(packets).toMatch(/Ethernet[\s\S]*IPv4[\s\S]*TTL\s+64[\s\S]*ICMP[\s\S]*0000 {2}/);
    expect(await page.text('#view-cursor .column:nth-child(2)')).toMatch(/64 bytes from 10\.0\.0\.2/);
    await page.screenshot(picture('packets'));
    const sent = await page.evaluate<number>('oneclockView.state.chosen.event');
    await page.key('Enter');
    expect(await page.text('#view-cursor .item.now .what')).toMatch(/^receives /);
    await page.key('Enter');
    expect(await page.evaluate('oneclockView.state.chosen.event')).toBe(sent);
  });

  test('says why where a file is no run, and starts nothing', async () => {
    const space = new Workspace();
    const file = space.write('trace', 'name: two-nodes\n');
    const refused = await space.run(['view', file]);
    expect(refused).toMatchObject({ status: 2, stdout: '' });
    expect(refused.stderr).toMatch(/is not a run log/);
    const missing = await space.run(['view', join(space.path, 'nothing')]);
    expect(missing.status).toBe(2);
  });
});

describe('the server', () => {
  function ask(url: string, options: { host?: string; method?: string } = {}): Promise<number> {
    const { hostname, port, pathname, search: query } = new URL(url);
    return new Promise((resolve, reject) => {
      const asked = request(
        {
          host: hostname,
          port,
          path: pathname + query,
          method: options.method ?? 'GET',
          headers: { host: options.host ?? `${hostname}:${port}` },
        },
        (response) => {
          response.resume();
          resolve(response.statusCode ?? 0);
        },
      );
      asked.on('error', reject);
      asked.end();
    });
  }

  test('answers only who has the address, by its number, and ends with the page', async () => {
    const space = new Workspace();
    const run = join(space.path, 'run');
    writeLargeRun(run, { nodes: 2, events: 100 });
    const { url, child } = await view(space, run);
    const { port, origin } = new URL(url);
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/[\w-]{24}\/$/);
    expect(await ask(url)).toBe(200);
    expect(await ask(`${url}file/0?name=trace`)).toBe(200);
    expect(await ask(`${origin}/`)).toBe(404);
    expect(await ask(`${origin}/${'x'.repeat(24)}/`)).toBe(404);
    expect(await ask(`${url}file/0?name=nothing`)).toBe(404);
    expect(await ask(`${url}file/0?name=../trace`)).toBe(404);
    expect(await ask(url, { host: `localhost:${port}` })).toBe(403);
    expect(await ask(url, { host: 'evil.example' })).toBe(403);
    expect(await ask(url, { method: 'POST' })).toBe(405);
    const page = await open(url);
    const closed = new Promise((resolve) => child.on('close', resolve));
    await page.evaluate("location.href = 'about:blank'");
    expect(await closed).toBe(0);
  });

  test('ends with Ctrl-C in good order', async () => {
    const space = new Workspace();
    const run = join(space.path, 'run');
    writeLargeRun(run, { nodes: 2, events: 100 });
    const { url, child } = await view(space, run);
    const page = await open(url);
    const closed = new Promise((resolve) => child.on('close', resolve));
    child.kill('SIGINT');
    expect(await closed).toBe(0);
    // What was read stays there; the browser tells that nobody answers any more.
    expect(await page.text('#facts')).toMatch(/100 events/);
    page.faults.length = 0;
  });

  test('follows a run that goes on', async () => {
    const space = new Workspace();
    const whole = join(space.path, 'whole');
    writeLargeRun(whole, { nodes: 4, events: 5000 });
    const bytes = readFileSync(join(whole, 'trace'));
    const run = join(space.path, 'run');
    mkdirSync(run);
    const half = bytes.length >> 1;
    writeFileSync(join(run, 'trace'), bytes.subarray(0, half));
    const watching = await watch(run);
    onTestFinished(() => watching.close());
    const page = await open(watching.server.url);
    expect(await page.text('#facts .badge')).toBe('running');
    const before = await page.evaluate<number>('oneclockView.state.runs[0].model.log.length');
    expect(before).toBeGreaterThan(1000);
    expect(before).toBeLessThan(5000);
    appendFileSync(join(run, 'trace'), bytes.subarray(half));
    await page.until('oneclockView.state.runs[0].model.log.length === 5000');
    expect(await page.evaluate('oneclockView.state.view.end >= oneclockView.state.view.total')).toBe(true);
    await page.screenshot(picture('live'));
    writeFileSync(join(run, 'result.json'), readFileSync(join(whole, 'result.json')));
    await page.until("document.querySelector('#facts .badge').innerText === 'ok'");
    expect(await page.text('#notices')).toBe('');
  });

  test('is that of run --watch, which goes on until the page is closed', async () => {
    const space = new Workspace();
    const text = `import { scenario } from 'oneclock';
export default scenario(
  { topology: { name: 'watched', nodes: { a: { kind: 'uml' } } }, until: '60s' },
  async ({ sim, mark }) => {
    mark('it has begun');
    await sim.sleep('2s');
    // A page is opened meanwhile.
    await sim.external(new Promise((resolve) => setTimeout(resolve, 3000)));
    mark('it has ended');
  },
);`;
    const started = space.startFile(space.write('watched.ts', text), ['--watch', '--no-open']);
    let said = '';
    started.child.stderr?.on('data', (piece: Buffer) => {
      said += piece;
    });
    const url = await until('the address', () => /watch the run at (\S+)/.exec(said)?.[1]);
    const page = await open(url);
    expect(await page.text('#facts .badge')).toBe('running');
    await page.until("document.querySelector('#facts .badge').innerText === 'ok'");
    expect(JSON.parse(readFileSync(join(started.out, 'result.json'), 'utf8')).status).toBe('ok');
    await page.evaluate("location.href = 'about:blank'");
    expect((await started.finished).status).toBe(0);
  });
});
