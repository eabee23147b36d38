// SPDX-License-Identifier: MIT
import { copyFileSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { diffRuns, formatDiff } from './diff.js';
import type { RunLog } from './run-log.js';
import { at, END, HEADER, temporaryFolder, writeLog } from './testing/logs.js';

const MS = 1_000_000;

/** A few pings; the tests change one thing in it. */
function pings(log: RunLog, count = 5): void {
  for (let ping = 0; ping < count; ping++) {
    const sent = ping * 10 * MS;
    log.activation(at(sent), 0);
    log.frameSent(at(sent), 0, 0, 98, 0xabc0 + ping, 'delivered', at(sent + MS));
    log.frameReceived(at(sent + MS), 1, 0, 98, 0xabc0 + ping, false);
  }
}

function compare(a: string, b: string): string {
  const diff = diffRuns(a, b);
  return formatDiff(diff).replace(diff.files[0], 'FILE-A').replace(diff.files[1], 'FILE-B');
}

describe('the comparison of two runs', () => {
  test('finds equal runs equal, given as file or directory', () => {
    const [a, b] = [writeLog(pings), writeLog(pings)];
    expect(diffRuns(a, dirname(b))).toEqual({
      verdict: 'identical',
      files: [a, b],
      header: [],
      divergence: undefined,
    });
    expect(formatDiff(diffRuns(a, b))).toBe('the runs are identical');
  });

  test('shows the first event that differs, with what went before', () => {
    const a = writeLog((log) => {
      pings(log);
      log.frameSent(at(50 * MS), 0, 1, 42, 7, 'queue-full', undefined);
    });
    const b = writeLog((log) => {
      pings(log);
      log.consoleOutput(at(50 * MS + 1), 1, Buffer.from('64 bytes "from"\t10.0.0.1\r\n\x1b[2J\\'));
    });
    expect(compare(a, b)).toBe(
      [
        'A is FILE-A',
        'B is FILE-B',
        'the first difference is event 15:',
        '  A #15  0.050000000  a  sends a frame of 42 bytes (crc32 00000007) by eth1, queue-full',
        '  B #15  0.050000001  b  writes "64 bytes \\"from\\"\\t10.0.0.1\\r\\n\\x1b[2J\\\\" to its console',
        'before it, in both:',
        '    #12  0.040000000  a  runs',
        '    #13  0.040000000  a  sends a frame of 98 bytes (crc32 0000abc4) by eth0, arrives at 0.041000000',
        '    #14  0.041000000  b  receives a frame of 98 bytes (crc32 0000abc4) at eth0',
        'before it, in both, at a:',
        '    #10  0.030000000  a  sends a frame of 98 bytes (crc32 0000abc3) by eth0, arrives at 0.031000000',
        '    #12  0.040000000  a  runs',
        '    #13  0.040000000  a  sends a frame of 98 bytes (crc32 0000abc4) by eth0, arrives at 0.041000000',
        'before it, in both, at b:',
        '    #8  0.021000000  b  receives a frame of 98 bytes (crc32 0000abc2) at eth0',
        '    #11  0.031000000  b  receives a frame of 98 bytes (crc32 0000abc3) at eth0',
        '    #14  0.041000000  b  receives a frame of 98 bytes (crc32 0000abc4) at eth0',
      ].join('\n'),
    );
  });

  test.each<[string, (log: RunLog) => void, (log: RunLog) => void, string, string]>([
    [
      'a state',
      (log) => log.nodeState(at(1), 0, { state: 'exited', code: 0 }),
      (log) => log.nodeState(at(1), 0, { state: 'signalled', signal: 9 }),
      'exited with 0',
      'exited by signal 9',
    ],
    [
      'another state',
      (log) => log.nodeState(at(1), 0, { state: 'failed', text: 'no\neth0' }),
      (log) => log.nodeState(at(1), 0, { state: 'hung' }),
      'failed: no\\u{a}eth0',
      'is hung',
    ],
    [
      'a text',
      (log) => log.mark(at(1), 0, 'naïve \u001b[31m'),
      (log) => log.fault(at(1), 0, 'x'.repeat(300)),
      'mark: naïve \\u{1b}[31m',
      `fault: ${'x'.repeat(200)}...`,
    ],
    [
      'a broadcast',
      (log) => log.broadcast(at(1), 0, 1n),
      (log) => log.broadcast(at(1), 0, 2n),
      'broadcasts 1',
      'broadcasts 2',
    ],
    [
      'a drop',
      (log) => log.frameReceived(at(1), 0, 0, 60, 1, true),
      (log) => log.frameReceived(at(1), 0, 0, 60, 1, false),
      'receives a frame of 60 bytes (crc32 00000001) at eth0, dropped for want of room',
      'receives a frame of 60 bytes (crc32 00000001) at eth0',
    ],
    [
      'a long output',
      (log) => log.consoleOutput(at(1), 0, new Uint8Array(300).fill(0x61)),
      (log) => log.activation(at(1), 0),
      `writes "${'a'.repeat(200)}" and 100 bytes more to its console`,
      'runs',
    ],
  ])('tells %s in words', (_, a, b, textA, textB) => {
    const { verdict, divergence } = diffRuns(writeLog(a), writeLog(b));
    expect(verdict).toBe('different');
    expect(divergence).toMatchObject({
      index: 0,
      a: { index: 0, at: 1n, node: 'a', text: textA },
      b: { index: 0, at: 1n, node: 'a', text: textB },
      before: [],
    });
  });

  test('tells changes of links and of ports', () => {
    const change = {
      cable: 0,
      down: false,
      latency: 20_000_000n,
      rate: 10_000_000n,
      loss: 1_000_000,
      jitter: 0n,
      queue: 100,
      lost: 0,
    };
    const a = writeLog((log) => log.change(at(5), 3, change));
    const b = writeLog((log) => log.change(at(5), 2, { ...change, down: true, rate: 0n, lost: 3 }));
    expect(compare(a, b)).toContain(
      [
        '  A #0  0.000000005  run  link ab is up, with latency 20ms, rate 10000000bit, loss 0.1%, jitter 0s, queue 100',
        '  B #0  0.000000005  lan  port a.eth1 is down and loses 3 frames, with latency 20ms, no limit of its rate, loss 0.1%, jitter 0s, queue 100',
      ].join('\n'),
    );
  });

  test('tells switches and the run itself by name', () => {
    const a = writeLog((log) => log.frameSent(at(1), 2, 0, 60, 1, 'lost', undefined));
    const b = writeLog((log) => log.mark(at(1), log.run, 'link down'));
    expect(diffRuns(a, b).divergence).toMatchObject({
      a: { node: 'lan', text: 'sends a frame of 60 bytes (crc32 00000001) by a.eth1, lost' },
      b: { node: 'run', text: 'mark: link down' },
    });
  });

  test('says that one run ends earlier', () => {
    const a = writeLog((log) => pings(log, 1), HEADER, {
      ...END,
      virtualNs: BigInt(5 * MS),
      reason: 'finished',
    });
    const b = writeLog((log) => pings(log, 2));
    expect(compare(a, b).split('\n').slice(2, 5)).toEqual([
      'the first difference is event 3:',
      '  A 0.005000000  the run ends (finished) after 12 events and 7 activations',
      '  B #3  0.010000000  a  runs',
    ]);
  });

  test('compares the ends', () => {
    const { verdict, divergence } = diffRuns(
      writeLog(pings),
      writeLog(pings, HEADER, { ...END, activations: 8 }),
    );
    expect(verdict).toBe('different');
    expect(divergence).toMatchObject({ index: 15, b: { text: expect.stringContaining('8 activations') } });
  });

  test('tells differing headers first', () => {
    const other = {
      ...HEADER,
      seed: 2n,
      nodes: [...HEADER.nodes, { name: 'c', kind: 'kvm', interfaces: [], lines: [] }],
      switches: [],
    };
    const lines = compare(writeLog(pings), writeLog(pings, other)).split('\n');
    expect(lines).toEqual([
      'A is FILE-A',
      'B is FILE-B',
      'seed: 1 in A, 2 in B',
      'nodes: 2 in A, 3, number 2 being {"name":"c","kind":"kvm","interfaces":[],"lines":[]} in B',
      'switches: 1, number 0 being {"name":"lan","ports":["a.eth1"]} in A, 0 in B',
      'no event differs',
    ]);
    expect(diffRuns(writeLog(pings), writeLog(pings, other)).verdict).toBe('different');
    const both = diffRuns(
      writeLog(pings),
      writeLog((log) => pings(log, 4), { ...HEADER, topology: 'three\x07' }),
    );
    expect(both.header).toEqual([{ field: 'topology', a: 'two-nodes', b: 'three\\u{7}' }]);
    expect(both.divergence?.index).toBe(12);
  });

  test('goes as far as a damaged log lets it', () => {
    const [a, b] = [writeLog(pings), writeLog(pings)];
    truncateSync(b, readFileSync(b).length - 30);
    const diff = diffRuns(a, b);
    expect(diff.verdict).toBe('damaged');
    expect(diff.divergence?.index).toBe(14);
    expect(formatDiff(diff)).toMatch(
      /no difference in the 14 events that could be read:\n {2}A #14 .*\n {2}B the log is damaged at byte \d+: expected/,
    );
    const c = writeLog((log) => log.activation(at(0), 1));
    expect(diffRuns(c, b).verdict).toBe('different');
  });

  test('reads what follows the end of a log as damage', () => {
    const a = writeLog(pings);
    const b = join(temporaryFolder(), 'trace');
    writeFileSync(b, Buffer.concat([readFileSync(a), Buffer.of(1)]));
    expect(diffRuns(a, b).verdict).toBe('damaged');
  });

  test('refuses what is no run', () => {
    const folder = temporaryFolder();
    const a = writeLog(pings);
    mkdirSync(join(folder, 'run'));
    copyFileSync(a, join(folder, 'run', 'trace'));
    expect(diffRuns(a, join(folder, 'run')).verdict).toBe('identical');
    expect(() => diffRuns(a, folder)).toThrow(/trace cannot be read/);
    writeFileSync(join(folder, 'x'), 'x');
    expect(() => diffRuns(join(folder, 'x'), join(folder, 'x'))).toThrow(/is not a run log/);
  });
});
