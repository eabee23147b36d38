// SPDX-License-Identifier: MIT
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ZERO } from '../../calendar/index.js';
import { diffRuns } from '../diff.js';
import { LogReader } from '../log-reader.js';
import { anyEvent, at, tellEvent, temporaryFolder, writeLog } from '../testing/logs.js';
import { type ExportOptions, exportRun, FORMATS, type Format, NO_END } from './export-run.js';

const ALL: Omit<ExportOptions, 'format'> = { from: ZERO, to: NO_END, names: [] };
const EVENT_FORMATS = FORMATS.filter((format) => format !== 'pcapng');

async function exported(path: string, format: Format, options: Partial<ExportOptions> = {}) {
  const parts: Buffer[] = [];
  const exportedRun = await exportRun(path, { ...ALL, format, ...options }, async (part) => {
    parts.push(Buffer.from(part as string));
  });
  return { ...exportedRun, bytes: Buffer.concat(parts), text: Buffer.concat(parts).toString('utf8') };
}

function lines(text: string): Record<string, unknown>[] {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** A log with some of everything. */
function sample(): string {
  return writeLog((log) => {
    log.activation(at(5), 0);
    log.frameSent(at(1_000), 0, 0, 98, 0xdeadbeef, 'delivered', at(3_000));
    log.frameSent(at(1_500), 0, 1, 60, 1, 'queue-full', undefined);
    log.consoleOutput(at(2_000), 1, Buffer.from('say "hi", ü\n'));
    log.consoleOutput(at(2_001), 1, Uint8Array.of(0xff, 0));
    log.frameReceived(at(3_000), 1, 0, 98, 0xdeadbeef, false);
    log.nodeState(at(3_500), 0, { state: 'exited', code: 7 });
    log.fault(at(4_000), log.run, 'a,b\r\n"c"');
    log.change(at(5_000), log.run, {
      cable: 0,
      down: true,
      latency: 1n,
      rate: 2n,
      loss: 500_000_000,
      jitter: 3n,
      queue: 4,
      lost: 5,
    });
    log.level(at(6_000), log.wire(0), true);
    log.variableStored(at(7_000), 1, 0, (1n << 64n) - 1n, 0, 3);
  });
}

describe('JSON', () => {
  test('has the header, each event and the end, with exact times and names', async () => {
    const { text, count } = await exported(sample(), 'json');
    const [header, ...rest] = lines(text);
    expect(count).toBe(11);
    expect(header).toMatchObject({
      kind: 'header',
      topology: 'two-nodes',
      seed: '1',
      start: '1767225600000000000',
    });
    expect(rest).toEqual([
      { index: 0, at: '5', node: 'a', kind: 'activation' },
      {
        index: 1,
        at: '1000',
        node: 'a',
        kind: 'frame-sent',
        interface: 'eth0',
        length: 98,
        crc32: 'deadbeef',
        fate: 'delivered',
        arrives: '3000',
      },
      {
        index: 2,
        at: '1500',
        node: 'a',
        kind: 'frame-sent',
        interface: 'eth1',
        length: 60,
        crc32: '00000001',
        fate: 'queue-full',
      },
      { index: 3, at: '2000', node: 'b', kind: 'console-output', text: 'say "hi", ü\n' },
      { index: 4, at: '2001', node: 'b', kind: 'console-output', base64: '/wA=' },
      {
        index: 5,
        at: '3000',
        node: 'b',
        kind: 'frame-received',
        interface: 'eth0',
        length: 98,
        crc32: 'deadbeef',
        dropped: false,
      },
      { index: 6, at: '3500', node: 'a', kind: 'node-state', state: 'exited', code: 7 },
      { index: 7, at: '4000', node: 'run', kind: 'fault', text: 'a,b\r\n"c"' },
      {
        index: 8,
        at: '5000',
        node: 'run',
        kind: 'change',
        cable: 'ab',
        down: true,
        latency: '1',
        jitter: '3',
        rate: '2',
        loss: 0.5,
        queue: 4,
        lost: 5,
      },
      { index: 9, at: '6000', node: 'ready', kind: 'level', level: 'high' },
      {
        index: 10,
        at: '7000',
        node: 'b',
        kind: 'variable-stored',
        variable: 'jiffies',
        value: '18446744073709551615',
        origin: 'a',
        sequence: 3,
      },
      { at: '60000000000', kind: 'end', reason: 'until', events: 12, activations: 7 },
    ]);
  });
});

describe('CSV', () => {
  test('is what a reader of RFC 4180 that is not ours takes it for', async () => {
    const { bytes } = await exported(sample(), 'csv');
    const program =
      'import csv, io, json, sys; print(json.dumps(list(csv.reader(io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8", newline=""), strict=True))))';
    const { stdout, stderr } = spawnSync('python3', ['-c', program], {
      input: bytes,
      encoding: 'utf8',
      timeout: 15_000,
    });
    expect(stderr).toBe('');
    const [names, ...rows] = JSON.parse(stdout) as string[][];
    expect(names).toEqual([
      'index',
      'time_ns',
      'node',
      'event',
      'text',
      'interface',
      'length',
      'crc32',
      'fate',
      'arrives',
    ]);
    expect(rows).toHaveLength(11);
    expect(rows.every((row) => row.length === names?.length)).toBe(true);
    expect(rows[1]?.slice(5)).toEqual(['eth0', '98', 'deadbeef', 'delivered', '3000']);
    expect(rows[3]).toEqual([
      '3',
      '2000',
      'b',
      'console-output',
      'writes "say \\"hi\\", \\xc3\\xbc\\n" to its console',
      '',
      '',
      '',
      '',
      '',
    ]);
    expect(rows[7]?.[4]).toBe('fault: a,b\\u{d}\\u{a}"c"');
  });
});

describe('a choice', () => {
  test('of times is from the first to before the second', async () => {
    const { text, count } = await exported(sample(), 'json', { from: at(1_500), to: at(3_000) });
    expect(lines(text).map(({ kind, at: time }) => [kind, time])).toEqual([
      ['header', undefined],
      ['frame-sent', '1500'],
      ['console-output', '2000'],
      ['console-output', '2001'],
    ]);
    expect(count).toBe(3);
  });

  test('of names may be of nodes, wires and the run', async () => {
    const { text } = await exported(sample(), 'json', { names: ['ready', 'run', 'b'] });
    const events = lines(text).filter(({ node }) => node !== undefined);
    expect(events.map(({ node }) => node)).toEqual(['b', 'b', 'b', 'run', 'run', 'ready', 'b']);
  });

  test('of a name that the run does not have is refused', async () => {
    await expect(exported(sample(), 'csv', { names: ['c'] })).rejects.toThrow(
      '--node: the run has no c; it has a, b, lan, run, ready',
    );
  });
});

describe('any log', () => {
  test('is exported in every format, whatever happens in it', async () => {
    const event = fc.record({ after: fc.nat({ max: 5 }), node: fc.nat({ max: 1 }), event: anyEvent(1) });
    await fc.assert(
      fc.asyncProperty(fc.array(event, { maxLength: 40 }), async (events) => {
        const fitting = events.filter(({ event: { kind } }) => kind !== 'change' && kind !== 'level');
        const file = writeLog((log) => {
          let now = 0;
          for (const { after, node, event: told } of fitting) {
            now += after;
            tellEvent(log, at(now), node, told);
          }
        });
        const reader = new LogReader(file);
        const whole = [...reader].length;
        reader.close();
        for (const format of EVENT_FORMATS) {
          const { count, damages, text } = await exported(file, format);
          expect(count).toBe(whole);
          expect(damages).toEqual([]);
          if (format === 'json') expect(lines(text)).toHaveLength(whole + 2);
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe('a damaged log', () => {
  test('is exported and compared up to the cut, wherever that is, and the damage is named', async () => {
    const file = sample();
    const bytes = readFileSync(file);
    const whole = lines((await exported(file, 'json')).text);
    const cut = join(temporaryFolder(), 'trace');
    let refused = 0;
    const counts = new Set<number>();
    for (let size = 0; size < bytes.length; size++) {
      writeFileSync(cut, bytes.subarray(0, size));
      let read: Awaited<ReturnType<typeof exported>>;
      try {
        read = await exported(cut, 'json');
      } catch (error) {
        // No header, no log: nothing else may be refused.
        expect(error).toMatchObject({ code: 'INPUT' });
        expect(() => diffRuns(cut, file)).toThrow(/is not a run log/);
        refused++;
        continue;
      }
      const [damage] = read.damages;
      expect(damage?.file).toBe(cut);
      expect(damage?.damage.offset).toBeLessThanOrEqual(size);
      expect(damage?.damage.reason).toContain('the end of the file');
      const got = lines(read.text);
      expect(got.slice(0, -1)).toEqual(whole.slice(0, read.count + 1));
      expect(got.at(-1)).toMatchObject({ kind: 'damage', ...damage?.damage });
      counts.add(read.count);
      const diff = diffRuns(cut, file);
      expect(diff.verdict).toBe('damaged');
      expect(diff.divergence?.index).toBe(read.count);
      expect(diff.divergence?.a.text).toContain(`damaged at byte ${damage?.damage.offset}: `);
    }
    expect(counts.size).toBe(12);
    expect(refused).toBe(headerSize(bytes));
  });

  test('with bits that are flipped, or any bytes at all, ends no exporter', async () => {
    const bytes = readFileSync(sample());
    const file = join(temporaryFolder(), 'trace');
    const flip = fc.record({ at: fc.nat({ max: bytes.length - 1 }), bit: fc.nat({ max: 7 }) });
    await fc.assert(
      fc.asyncProperty(
        fc.array(flip, { maxLength: 4 }),
        fc.uint8Array({ maxLength: 40 }),
        fc.constantFrom(...EVENT_FORMATS),
        async (flips, more, format) => {
          const corrupt = Buffer.concat([bytes, more]);
          for (const { at: place, bit } of flips) corrupt[place] = (corrupt[place] as number) ^ (1 << bit);
          writeFileSync(file, corrupt);
          try {
            const { damages } = await exported(file, format);
            const reader = new LogReader(file);
            for (const _ of reader);
            reader.close();
            expect(damages.map(({ damage }) => damage)).toEqual(reader.damage ? [reader.damage] : []);
            expect(diffRuns(file, file).verdict).toBe('identical');
          } catch (error) {
            expect(error).toMatchObject({ code: 'INPUT' });
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('a log that can be read to its end', () => {
  test('is held against the hash that the run gave', async () => {
    const file = sample();
    const result = join(dirname(file), 'result.json');
    const hash = `sha256:${createHash('sha256').update(readFileSync(file)).digest('hex')}`;
    writeFileSync(result, JSON.stringify({ traceHash: hash }));
    expect((await exported(file, 'json')).altered).toBeUndefined();
    const bytes = readFileSync(file);
    const place = bytes.indexOf(Uint8Array.of(0xef, 0xbe, 0xad, 0xde));
    bytes[place] = 0xee;
    writeFileSync(file, bytes);
    const { altered, damages } = await exported(file, 'csv');
    expect(damages).toEqual([]);
    expect(altered).toMatch(`expected ${hash}, as result.json has it, found sha256:`);
    for (const text of ['{', '[]', 'null', '{"traceHash":7}']) {
      writeFileSync(result, text);
      expect((await exported(file, 'csv')).altered).toBeUndefined();
    }
  });
});

/** Bytes of the first record with its size. */
function headerSize(bytes: Buffer): number {
  return ((bytes[0] as number) & 0x7f) + ((bytes[1] as number) << 7) + 2;
}

test('a damaged file of costs is named, and the run is exported without it', async () => {
  const file = sample();
  writeFileSync(join(dirname(file), 'cost'), 'nonsense');
  const { damages, count } = await exported(dirname(file), 'perfetto');
  expect(count).toBe(11);
  expect(damages).toHaveLength(1);
  expect(damages[0]?.file).toBe(join(dirname(file), 'cost'));
  expect((await exported(dirname(file), 'json')).damages).toEqual([]);
});
