// SPDX-License-Identifier: MIT
import { spawnSync } from 'node:child_process';
import { mkdirSync, openSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { LogHeader } from '../../../protocols/trace/index.js';
import { hasTool } from '../../../tests/support/tools.js';
import { ZERO } from '../../calendar/index.js';
import { PcapngWriter } from '../pcapng.js';
import { at, HEADER, temporaryFolder, writeLog } from '../testing/logs.js';
import { type ExportOptions, exportRun, NO_END } from './export-run.js';

const ALL: ExportOptions = { format: 'pcapng', from: ZERO, to: NO_END, names: [] };

/** A run with a capture of its link and of its switch. @returns its log */
function run(header: LogHeader = HEADER): string {
  const log = writeLog(() => undefined, header);
  const folder = join(dirname(log), 'pcap');
  mkdirSync(folder);
  const capture = (name: string, ends: string[]) =>
    new PcapngWriter(
      openSync(join(folder, `${name}.pcapng`), 'w'),
      HEADER.start,
      ends.map((end) => ({ name: end, description: name, speed: undefined })),
    );
  const ab = capture('ab', ['a.eth0', 'b.eth0']);
  const lan = capture('lan', ['a.eth1']);
  const frame = (byte: number) => new Uint8Array(60 + (byte % 4)).fill(byte);
  for (let n = 0; n < 10; n++) {
    ab.write(at(n * 100), {
      interface: 0,
      direction: 'outbound',
      bytes: frame(n),
      dropped: n === 3 ? 'lost' : undefined,
    });
    if (n !== 3) ab.write(at(n * 100 + 50), { interface: 1, direction: 'inbound', bytes: frame(n) });
    lan.write(at(n * 100 + 25), { interface: 0, direction: 'inbound', bytes: frame(100 + n) });
  }
  ab.close(at(2_000));
  lan.close(at(2_000));
  return log;
}

async function merged(log: string, options: Partial<ExportOptions> = {}) {
  const parts: Buffer[] = [];
  const exported = await exportRun(log, { ...ALL, ...options }, async (part) => {
    parts.push(Buffer.from(part as Uint8Array));
  });
  return { ...exported, bytes: Buffer.concat(parts) };
}

/** What tshark sees: time since virtual time 0, interface, comment. */
function tshark(bytes: Buffer): string[] {
  const file = join(temporaryFolder(), 'all.pcapng');
  writeFileSync(file, bytes);
  const fields = [
    'frame.time_epoch',
    'frame.interface_name',
    'frame.interface_description',
    'frame.len',
    'frame.comment',
  ];
  const { stdout, status, stderr } = spawnSync(
    'tshark',
    ['-r', file, '-T', 'fields', ...fields.flatMap((field) => ['-e', field])],
    { encoding: 'utf8', timeout: 20_000 },
  );
  if (status !== 0) throw new Error(`tshark: ${stderr}`);
  return stdout.split('\n').filter((line) => line !== '');
}

describe('captures of a run in one', () => {
  test('tshark: every frame in the order of time, at the interface that it had', async ({ skip }) => {
    skip(!hasTool('tshark'), 'tshark is not installed');
    const { bytes, count, damages } = await merged(run());
    expect({ count, damages }).toEqual({ count: 29, damages: [] });
    const seen = tshark(bytes).map((line) => line.split('\t'));
    expect(seen).toHaveLength(29);
    const nanoseconds = (text: string) => BigInt(text.replace('.', '')) - HEADER.start;
    const times = seen.map(([time]) => nanoseconds(time as string));
    expect(times).toEqual([...times].sort((a, b) => Number(a - b)));
    expect(seen.slice(0, 3).map(([, name, description]) => [name, description])).toEqual([
      ['a.eth0', 'ab'],
      ['a.eth1', 'lan'],
      ['b.eth0', 'ab'],
    ]);
    expect(times.slice(0, 4)).toEqual([0n, 25n, 50n, 100n]);
    expect(seen.filter(([, , , , comment]) => comment === 'lost')).toHaveLength(1);
  });

  test('can be some of the time, and some of the nodes', async ({ skip }) => {
    skip(!hasTool('tshark'), 'tshark is not installed');
    expect((await merged(run(), { from: at(50), to: at(125) })).count).toBe(2);
    const { bytes, count } = await merged(run(), { names: ['b'] });
    expect(count).toBe(9);
    expect(new Set(tshark(bytes).map((line) => line.split('\t')[1]))).toEqual(new Set(['b.eth0']));
  });

  test('have what is before the cut, wherever one of them is cut short', async () => {
    const log = run();
    const file = join(dirname(log), 'pcap', 'ab.pcapng');
    for (let size = readFileSync(file).length - 1; size >= 0; size -= 5) {
      truncateSync(file, size);
      const { count, damages } = await merged(log);
      expect(count).toBeGreaterThanOrEqual(10);
      expect(count).toBeLessThanOrEqual(29);
      for (const { file: named, damage } of damages) {
        expect(named).toBe(file);
        expect(damage.offset).toBeLessThanOrEqual(size);
      }
    }
  });

  test('may hold any bytes', async () => {
    const log = run();
    const file = join(dirname(log), 'pcap', 'ab.pcapng');
    const bytes = readFileSync(file);
    const change = fc.record({ at: fc.nat({ max: bytes.length - 1 }), byte: fc.nat({ max: 255 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 5 }), async (changes) => {
        const corrupt = Buffer.from(bytes);
        for (const { at: place, byte } of changes) corrupt[place] = byte;
        writeFileSync(file, corrupt);
        expect((await merged(log)).count).toBeGreaterThanOrEqual(10);
      }),
      { numRuns: 200 },
    );
  });

  test('are looked for in the run directory, whatever names its log has', async () => {
    const links = [{ name: '../../pcap/ab', ends: ['a.eth0', 'b.eth0'] }];
    await expect(merged(run({ ...HEADER, links, switches: [] }))).rejects.toThrow(
      /there are no captures in /,
    );
  });
});
