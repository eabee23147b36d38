// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest';
import { LogReader } from '../../backend/trace/log-reader.js';
import { type CableModel, predict } from '../support/cable-model.js';
import { frames, type Sighting } from '../support/capture.js';
import { type RunOutcome, Workspace } from '../support/cli.js';

const MS = 1_000_000n;
const SECOND = 1_000n * MS;
/** The time of day at virtual time 0. */
const START = BigInt(Date.UTC(2026, 0, 1)) * MS;

/** Writes down every 20th of a second whether there is a carrier. */
const CARRIER = 'while :; do read c < /sys/class/net/eth0/carrier; echo carrier $c; sleep 0.05; done';
const LOOK = 51n * MS;
/** What a node knows of its peer's address, a change of the carrier does not make it forget. */
const KNOWS = (peer: number) => `arp -s 10.0.0.${peer} 02:00:00:00:00:0${peer}`;

/** Nodes a, b, c … with 10.0.0.1, 10.0.0.2, 10.0.0.3 …, each with what it runs. */
function nodes(...runs: (string | undefined)[]): string {
  const lines = runs.map((run, place) => {
    const name = 'abcdefgh'[place];
    const mac = `02:00:00:00:00:0${place + 1}`;
    const net = `interfaces: { eth0: { address: 10.0.0.${place + 1}/24, mac: "${mac}" } }`;
    return `  ${name}: { kind: uml, ${net}${run === undefined ? '' : `, run: ${JSON.stringify(run)}`} }`;
  });
  return `name: changes\nuntil: 30s\nnodes:\n${lines.join('\n')}\n`;
}

const since = (at: bigint) => at - START;
const isEcho = ({ bytes }: Sighting) => bytes.length === 98;

/** What the console log says of the carrier: virtual nanoseconds, and whether it is there. */
function carriers(run: RunOutcome, node: string): { at: bigint; up: boolean }[] {
  return run
    .console(node)
    .split('\n')
    .flatMap((line) => {
      const [, seconds, fraction, state] = /^\[ *(\d+)\.(\d{9})\] carrier ([01])/.exec(line) ?? [];
      return state === undefined ? [] : [{ at: BigInt(`${seconds}${fraction}`), up: state === '1' }];
    });
}

/** The guest saw the carrier change at these instants, as far as its looks tell. */
function expectCarrier(run: RunOutcome, node: string, changes: readonly bigint[]): void {
  const seen = carriers(run, node);
  const turns = seen.flatMap(({ at, up }, place) => {
    const before = seen[place - 1];
    return before === undefined || before.up === up ? [] : [{ after: before.at, at }];
  });
  expect(turns).toHaveLength(changes.length);
  for (const [place, change] of changes.entries()) {
    const { after, at } = turns[place] as (typeof turns)[number];
    expect(after < change && change <= at && at - change < LOOK, `${node}: ${after} ${change} ${at}`).toBe(
      true,
    );
  }
}

describe('a link that changes', () => {
  test('from each change on, frames take what the arithmetic says, to the nanosecond', async () => {
    const phases: { from: bigint; model: CableModel }[] = [
      { from: 0n, model: { latencyNs: MS, bitsPerSecond: 10_000_000n, queue: 100 } },
      { from: SECOND, model: { latencyNs: 40n * MS, bitsPerSecond: 10_000_000n, queue: 100 } },
      { from: 2n * SECOND, model: { latencyNs: 40n * MS, bitsPerSecond: 100_000n, queue: 1 } },
      // The queue of the second before is empty by then.
      { from: 3n * SECOND + 500n * MS, model: { latencyNs: 10_000n, bitsPerSecond: 1_000_000n, queue: 1 } },
    ];
    const run = await new Workspace().runTopology(`${nodes('ping -c 400 -i 0.01 -W 1 10.0.0.2', undefined)}
links:
  - { name: ab, between: [a.eth0, b.eth0], latency: 1ms, rate: 10mbit }
changes:
  - { at: 2s, link: ab, rate: 100kbit, queue: 1 }
  - { at: 1s, link: ab, latency: 40ms }
  - { at: 3500ms, link: ab, rate: 1mbit }
  - { at: 3500ms, link: ab, latency: 10us }
`);
    run.expectStatus(0);
    const capture = run.capture('ab');
    for (const [from, to] of [
      [0, 1],
      [1, 0],
    ] as const) {
      const sent = frames(capture, from, 'out');
      // When each arrives; undefined where the queue was full.
      const fates: (bigint | undefined)[] = [];
      for (const [place, { from: begin, model }] of phases.entries()) {
        const end = phases[place + 1]?.from ?? 30n * SECOND;
        const part = sent.filter(({ at }) => since(at) >= begin && since(at) < end);
        expect(part.length).toBeGreaterThan(20);
        // None overtakes one that was sent before the change.
        const last = fates.findLast((at) => at !== undefined) ?? 0n;
        fates.push(...predict(part, model).map((at) => (at !== undefined && at < last ? last : at)));
      }
      expect(sent.map(({ dropped }) => dropped)).toEqual(
        fates.map((at) => (at === undefined ? 'queue-full' : undefined)),
      );
      const received = frames(capture, to, 'in').map(({ at }) => at);
      const due = fates.filter((at) => at !== undefined);
      // What arrives after the end of the run is not in its capture.
      expect(received).toEqual(due.slice(0, received.length));
      expect(due.length - received.length).toBeLessThan(3);
    }
    // An answer takes twice the way, and no time at the other end.
    const [asked, answered] = [
      frames(capture, 0, 'out').filter(isEcho),
      frames(capture, 0, 'in').filter(isEcho),
    ];
    const roundTrip = (from: bigint) => {
      const place = asked.findIndex(({ at }) => since(at) >= from);
      return (answered[place]?.at ?? 0n) - (asked[place]?.at ?? 0n);
    };
    const bits = 98n * 8n;
    expect(roundTrip(500n * MS)).toBe(2n * (MS + bits * 100n));
    expect(roundTrip(SECOND)).toBe(2n * (40n * MS + bits * 100n));
    const last = asked.at(-1)?.at ?? 0n;
    expect((answered.at(-1)?.at ?? 0n) - last).toBe(2n * (10_000n + bits * 1_000n));
  });

  test('down: the guests see it at that instant, and what is on the way is lost; up: it goes on', async () => {
    const [down, up] = [SECOND, 3n * SECOND];
    const run = await new Workspace().runTopology(`${nodes(
      `${KNOWS(2)}; (${CARRIER}) & ping -c 40 -i 0.1 -W 1 10.0.0.2`,
      `${KNOWS(1)}; (${CARRIER}) & sleep 4`,
    )}
links:
  - { name: ab, between: [a.eth0, b.eth0], latency: 150ms }
changes:
  - { at: 1s, link: ab, state: down }
  - { at: 3s, link: ab, state: up, latency: 5ms }
`);
    run.expectStatus(0);
    for (const node of ['a', 'b']) expectCarrier(run, node, [down, up]);

    const capture = run.capture('ab');
    const isCut = ({ at }: Sighting) => since(at) < down && since(at) + 150n * MS >= down;
    const isDown = ({ at }: Sighting) => since(at) >= down && since(at) < up;
    const sent = capture.filter(({ direction }) => direction === 'out');
    for (const frame of sent) expect(frame.dropped).toBe(isDown(frame) ? 'link-down' : undefined);
    for (const end of [0, 1]) {
      const arrivals = frames(capture, 1 - end, 'out')
        .filter((frame) => !isCut(frame) && !isDown(frame))
        .map(({ at }) => at + (since(at) < down ? 150n : 5n) * MS);
      expect(frames(capture, end, 'in').map(({ at }) => at)).toEqual(arrivals);
    }
    const cut = sent.filter(isCut).length;
    expect(cut).toBe(3);
    expect(run.link('ab').dropped).toBe(cut + sent.filter(isDown).length);

    // The 10th was asked 0.9 s after the first; the answer to the 8th arrives too late.
    const answered = run.lines('a').flatMap((line) => /seq=(\d+)/.exec(line)?.[1] ?? []);
    const expected = Array.from({ length: 40 }, (_, seq) => `${seq}`);
    expect(answered).toEqual([...expected.slice(0, 7), ...expected.slice(30)]);

    const log = new LogReader(run.out);
    const events = [...log];
    log.close();
    expect(events.filter(({ event }) => event.kind === 'change')).toMatchObject([
      { at: down, node: 2, event: { cable: 0, down: true, latency: 150n * MS, lost: cut } },
      { at: up, node: 2, event: { cable: 0, down: false, latency: 5n * MS, lost: 0 } },
    ]);
    // Both guests run at the instant of the change: their cards have told them.
    for (const at of [down, up]) {
      const woken = events.filter((each) => each.at === at && each.event.kind === 'activation');
      expect(new Set(woken.map(({ node }) => node))).toEqual(new Set([0, 1]));
    }
  });

  test('that is down when the run begins', async () => {
    const run =
      await new Workspace().runTopology(`${nodes('cat /sys/class/net/eth0/carrier; sleep 2; ping -c 1 10.0.0.2', undefined)}
links:
  - { name: ab, between: [a.eth0, b.eth0], latency: 1ms }
changes:
  - { at: 0s, link: ab, state: down }
  - { at: 1s, link: ab, state: up }
`);
    run.expectStatus(0);
    expect(run.lines('a')[0]).toBe('0');
    expect(run.console('a')).toContain('1 packets received');
  });

  test('of a guest that has gone', async () => {
    const yaml = `${nodes('sleep 4; cat /sys/class/net/eth0/carrier', 'sleep 1; poweroff -f')}
links:
  - { name: ab, between: [a.eth0, b.eth0], latency: 1ms }
changes:
  - { at: 2s, link: ab, state: down }
  - { at: 3s, link: ab, state: up }
`.replace('  b: { kind: uml,', '  b: { kind: uml, on-failure: evict,');
    const run = (await new Workspace().runTopology(yaml)).expectStatus(0);
    expect(run.node('b').state).toBe('evicted');
    expect(run.lines('a')).toContain('1');
  });
});

describe('a port of a switch', () => {
  test('cuts off its node, and nobody else', async () => {
    const [down, up] = [2n * SECOND, 3n * SECOND];
    const ping = (address: number) => `ping -c 50 -i 0.1 -W 1 10.0.0.${address}`;
    const run =
      await new Workspace().runTopology(`${nodes(`(${CARRIER}) & ${ping(2)}`, ping(3), `(${CARRIER}) & sleep 5`)}
switches:
  - { name: lan, ports: [a.eth0, b.eth0, c.eth0], latency: 2ms }
changes:
  - { at: 2s, switch: lan, port: c.eth0, state: down }
  - { at: 3s, switch: lan, port: c.eth0, state: up }
`);
    run.expectStatus(0);
    expectCarrier(run, 'a', []);
    expectCarrier(run, 'c', [down, up]);
    expect(run.console('a')).toContain('50 packets transmitted, 50 packets received');
    const answered = run.lines('b').flatMap((line) => /64 bytes .* seq=(\d+)/.exec(line)?.[1] ?? []);
    const capture = run.capture('lan');
    const asked = frames(capture, 1, 'out').filter((frame) => isEcho(frame) && frame.bytes[34] === 8);
    const lost = asked.flatMap(({ at }, seq) => (since(at) >= down && since(at) < up ? [`${seq}`] : []));
    expect(lost).toHaveLength(10);
    expect(answered).toEqual(asked.map((_, seq) => `${seq}`).filter((seq) => !lost.includes(seq)));
    for (const { at } of capture.filter(({ end }) => end === 2)) {
      expect(since(at) < down || since(at) >= up).toBe(true);
    }
  });
});

const TOPOLOGIES = {
  'a TCP stream over a link that changes': `${nodes('stream send 10.0.0.2 5001 600K', 'stream listen 5001')}
links:
  - { name: ab, between: [a.eth0, b.eth0], latency: 10ms, rate: 10mbit, jitter: 100us, queue: 20 }
changes:
  - { at: 100ms, link: ab, latency: 10us }
  - { at: 200ms, link: ab, state: down }
  - { at: 450ms, link: ab, state: up, loss: 1% }
  - { at: 600ms, link: ab, latency: 3ms, jitter: 2ms, queue: 5, rate: 20mbit }
`,
  'a switch and a link, which have no latency for a while': `${nodes(
    'ping -c 30 -i 0.02 -W 1 10.0.0.3; true',
    'ping -c 30 -i 0.02 -W 1 10.0.0.1; true',
    undefined,
    `(${CARRIER}) & sleep 1`,
  )}
switches:
  - { name: lan, ports: [a.eth0, b.eth0, c.eth0, d.eth0], latency: 1ms, rate: 100mbit }
changes:
  - { at: 100ms, switch: lan, port: c.eth0, latency: 0s }
  - { at: 200ms, switch: lan, latency: 10us }
  - { at: 300ms, switch: lan, port: b.eth0, state: down }
  - { at: 300ms, switch: lan, port: d.eth0, state: down }
  - { at: 400ms, switch: lan, state: up, loss: 5% }
`,
};

describe('the same run, serial or parallel', () => {
  test.each(Object.entries(TOPOLOGIES))('%s', async (_name, yaml) => {
    const space = new Workspace();
    const first = (await space.runTopology(yaml)).expectStatus(0);
    for (const args of [[], ['--serial'], ['--jobs', '16']]) {
      const run = (await space.runTopology(yaml, args)).expectStatus(0);
      const { stdout } = await space.run(['diff', first.out, run.out]);
      expect(stdout, args.join(' ')).toBe('the runs are identical\n');
      const [files, others] = [first.files(), run.files()];
      expect([...others.keys()]).toEqual([...files.keys()]);
      const different = [...files].filter(([name, bytes]) => !others.get(name)?.equals(bytes));
      expect(different.map(([name]) => name)).toEqual([]);
      expect(run.result.links).toEqual(first.result.links);
    }
  });

  test('diff tells a change that differs', async () => {
    const space = new Workspace();
    const yaml = `${nodes('sleep 1', undefined)}
links:
  - { name: ab, between: [a.eth0, b.eth0], latency: 1ms }
changes:
  - { at: 500ms, link: ab, latency: 2ms }
`;
    const one = (await space.runTopology(yaml)).expectStatus(0);
    const other = (await space.runTopology(yaml.replace('2ms', '3ms'))).expectStatus(0);
    const { status, stdout } = await space.run(['diff', one.out, other.out]);
    expect(status).toBe(1);
    expect(stdout).toMatch(/A #\d+ {2}0\.500000000 {2}run {2}link ab is up, with latency 2ms, /);
    expect(stdout).toMatch(/B #\d+ {2}0\.500000000 {2}run {2}link ab is up, with latency 3ms, /);
  });
});

test('check shows how the lookahead changes, and what a latency of zero comes to', async () => {
  const space = new Workspace();
  const check = async (last: string) => {
    const yaml = `${nodes('true', undefined)}
links:
  - { name: ab, between: [a.eth0, b.eth0], latency: 1ms }
changes:
  - { at: 2s, link: ab, latency: 20ms }
  - { at: 3s, link: ab, state: down }
  - { at: 3s, link: ab, loss: 1% }
  - { at: 4s, link: ab, loss: 2% }
  - { at: 5s, link: ab, state: up, latency: ${last} }
`;
    const { status, stdout } = await space.run(['check', space.write('t.yaml', yaml)]);
    expect(status).toBe(0);
    return stdout
      .split('\n')
      .slice(1)
      .map((line) => line.slice(2));
  };
  expect(await check('10us')).toEqual([
    '2 nodes, 1 link, 0 switches',
    '2 domains of nodes, which can run at once:',
    '  a',
    '  b',
    'lookahead: 1ms, least through ab',
    '  from 2s on: 20ms, least through ab',
    '  from 3s on: without limit, since everything is down',
    '  from 5s on: 10us, least through ab',
    'note: ab, 10us from 5s on, makes windows of 10us: expect no gain from running guests at once',
    '',
  ]);
  expect(await check('0s')).toContain(
    'note: ab has no latency from 5s on, so what it joins then is one domain from the beginning',
  );
});
