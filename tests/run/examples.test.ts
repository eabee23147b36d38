// SPDX-License-Identifier: MIT
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { packageFile } from '../../host/package-root.js';
import { Workspace } from '../support/cli.js';

const folder = packageFile('examples');
const read = (name: string) => readFileSync(`${folder}/${name}.yaml`, 'utf8');

describe('the examples', () => {
  test.each(readdirSync(folder).filter((name) => name.endsWith('.yaml')))('%s is valid', async (name) => {
    const { status, stdout, stderr } = await new Workspace().run(['check', `${folder}/${name}`]);
    expect(stderr).toBe('');
    expect(status).toBe(0);
    expect(stdout).toContain(': ok\n');
  });

  test('switch-10: each of ten nodes has an answer from every other', async () => {
    const run = (await new Workspace().runTopology(read('switch-10'))).expectStatus(0);
    expect(Object.values(run.result.nodes)).toHaveLength(10);
    for (let node = 1; node <= 10; node++) {
      const lines = run.lines(`n${node}`).filter((line) => line.includes('packets'));
      expect(lines).toEqual(
        Array.from({ length: 9 }, () => '3 packets transmitted, 3 packets received, 0% packet loss'),
      );
    }
    expect(run.link('lan').dropped).toBe(0);
  });

  test('tcp-stream: a megabyte takes what a cable of 10 Mbit/s makes of it', async () => {
    const run = (await new Workspace().runTopology(read('tcp-stream'))).expectStatus(0);
    const [, bytes, seconds] = /received (\d+) bytes in ([\d.]+) s/.exec(run.console('server')) ?? [];
    expect(Number(bytes)).toBe(1 << 20);
    // 724 full frames and one of the rest, back to back; and the beginning of the connection, at 20 ms a round.
    const least = ((724 * 1514 + ((1 << 20) - 724 * 1448) + 66) * 8) / 10e6;
    expect(Number(seconds)).toBeGreaterThan(least);
    expect(Number(seconds)).toBeLessThan(least + 0.06);
  });

  test('lossy-link: some frames are lost, the same ones every time, and others with another seed', async () => {
    const lost = async (...args: string[]) => {
      const run = (await new Workspace().runTopology(read('lossy-link'), args)).expectStatus(0);
      const lines = run.lines('a');
      const seen = new Set(lines.flatMap((line) => /seq=(\d+)/.exec(line)?.[1] ?? []));
      const missing = Array.from({ length: 200 }, (_, place) => place).filter(
        (place) => !seen.has(`${place}`),
      );
      expect(run.link('ab').dropped).toBeGreaterThanOrEqual(missing.length);
      return missing;
    };
    const first = await lost();
    // Both ways have to be without loss: 200 x (1 - 0.95²) is about 20.
    expect(first.length).toBeGreaterThan(5);
    expect(first.length).toBeLessThan(40);
    expect(await lost()).toEqual(first);
    expect(await lost('--seed', '2')).not.toEqual(first);
  });

  test('link-failure: slow, then silent, then as before', async () => {
    const run = (await new Workspace().runTopology(read('link-failure'))).expectStatus(0);
    const times = new Map(
      run.lines('a').flatMap((line) => {
        const [, seq, time] = /seq=(\d+) .* time=(\d+)\.\d+ ms/.exec(line) ?? [];
        return seq === undefined ? [] : [[Number(seq), Number(time)] as const];
      }),
    );
    const expected = (from: number, to: number, time: number) =>
      Array.from({ length: to - from }, (_, place) => [from + place, time] as const);
    // The answer to the ping before the failure would have come in the middle of it.
    expect([...times]).toEqual([...expected(0, 10, 10), ...expected(10, 19, 100), ...expected(30, 40, 10)]);
    expect(run.lines('b')).toContain('carrier: 0');
  });

  test('blink: five flashes, of which the third is cut short and the others are not seen', async () => {
    const run = (await new Workspace().runTopology(read('blink'))).expectStatus(0);
    const seen = run.lines('eye').map((line) => /^(\d+\.\d)\d{8} (rising|falling) \d$/.exec(line)?.slice(1));
    expect(seen).toEqual([
      ['1.0', 'rising'],
      ['1.1', 'falling'],
      ['1.2', 'rising'],
      ['1.3', 'falling'],
      ['1.4', 'rising'],
      ['1.4', 'falling'],
    ]);
    expect(run.result.wires).toEqual({ light: { edges: 6, conflicts: 3 } });
  });
});
