// SPDX-License-Identifier: MIT
import { cpSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type LoggedEvent, LogReader } from '../backend/trace/log-reader.js';
import { whyNoKvm } from '../host/kvm/index.js';
import { assemble } from '../host/kvm/testing/bare-metal.js';
import { CLOCK } from '../host/kvm/testing/clock-guests.js';
import { elf } from '../host/kvm/testing/kernel-files.js';
import { Feature } from '../protocols/hypercall/index.js';
import {
  decodeEntry,
  encodeEntry,
  Framing,
  type RecordedEntry,
  type RecordedInput,
  Unframing,
} from '../protocols/recording/index.js';
import { RunOutcome, type StartedRun, Workspace } from './support/cli.js';
import { beginShell, shell, takesShells } from './support/shells.js';
import { until } from './support/wait.js';

/** What only the recorded run has, and what is of wall time. */
const OF_THE_RECORDING = ['recording', 'topology.yaml', 'cost'];

/** Everything that happens twice: run log, captures, consoles. */
function files(outcome: RunOutcome): Map<string, string> {
  return new Map(
    [...outcome.files()]
      .filter(([name]) => !OF_THE_RECORDING.includes(name))
      .map(([name, bytes]) => [name, bytes.toString('latin1')]),
  );
}

function events({ out }: RunOutcome): LoggedEvent[] {
  const log = new LogReader(out);
  const all = [...log];
  log.close();
  return all;
}

async function replay(space: Workspace, recorded: string, args: readonly string[] = []): Promise<RunOutcome> {
  const out = join(space.path, `replay${args.join('')}`);
  return new RunOutcome(await space.run(['replay', recorded, '--out', out, '--json', ...args]), out);
}

/** Replays the run, serial and parallel, and makes sure that it is the same each time. */
async function expectReplays(space: Workspace, recorded: RunOutcome): Promise<RunOutcome> {
  const { status } = recorded;
  const states = (outcome: RunOutcome) =>
    Object.entries(outcome.result.nodes).map(([name, { state, exit, endedNs }]) => ({
      name,
      state,
      exit,
      endedNs,
    }));
  let last: RunOutcome | undefined;
  for (const args of [['--serial'], ['--jobs', '16']]) {
    const replayed = await replay(space, recorded.out, args);
    replayed.expectStatus(status as number);
    expect(replayed.result.traceHash, args.join(' ')).toBe(recorded.result.traceHash);
    expect(files(replayed)).toEqual(files(recorded));
    expect(states(replayed)).toEqual(states(recorded));
    expect(replayed.result.wires).toEqual(recorded.result.wires);
    expect(replayed.result.links).toEqual(recorded.result.links);
    last = replayed;
  }
  return last as RunOutcome;
}

const GUESTS = `name: persons
until: 60s
nodes:
  a: { kind: uml, interfaces: { eth0: { address: 10.0.0.1/24 } }, run: 'while [ ! -e /tmp/over ]; do sleep 0.05; date; done' }
  b: { kind: uml, interfaces: { eth0: { address: 10.0.0.2/24 } } }
links:
  - { name: ab, between: [a.eth0, b.eth0], latency: 1ms, loss: 10%, jitter: 500us }
`;

async function persons(space: Workspace): Promise<StartedRun> {
  const run = space.startTopology(GUESTS, ['--interactive', '--record']);
  await takesShells(run);
  return run;
}

describe('a run with persons', () => {
  test('is repeated without them', async () => {
    const space = new Workspace();
    const run = await persons(space);
    const [pings, cat] = [
      shell(run.out, 'b', 'ping -c 20 -i 0.05 10.0.0.1; cat /proc/uptime > /dev/console'),
      beginShell(run.out, 'a', 'cat'),
    ];
    for (const text of ['some', 'thing']) {
      cat.child.stdin?.write(text);
      await until('it was echoed', () => (cat.stdout.endsWith(text) ? true : undefined));
    }
    cat.child.kill('SIGKILL');
    await shell(run.out, 'b', 'head -c 1000000 /dev/zero');
    expect((await pings).stdout).toContain('20 packets transmitted');
    expect(await shell(run.out, 'a', 'touch /tmp/over')).toMatchObject({ status: 0 });
    const recorded = (await space.outcome(run)).expectStatus(0);
    const replayed = await expectReplays(space, recorded);
    // Nobody waits for wall time.
    expect(replayed.result.wallMs).toBeLessThan(recorded.result.wallMs);
  });

  test('that was ended from outside is repeated up to there', async () => {
    const space = new Workspace();
    const run = await persons(space);
    await shell(run.out, 'b', 'ping -c 3 -i 0.1 10.0.0.1');
    run.child.kill('SIGINT');
    const recorded = (await space.outcome(run)).expectStatus(130);
    const [one, other] = [await replay(space, run.out, ['--serial']), await replay(space, run.out)];
    // Up to the end of the windows that were open.
    const over = BigInt(one.result.virtualNs) - BigInt(recorded.result.virtualNs);
    expect(over).toBeGreaterThanOrEqual(0n);
    expect(over).toBeLessThan(50_000_000n);
    const limit = BigInt(recorded.result.virtualNs);
    const earlier = (outcome: RunOutcome) => events(outcome).filter(({ at }) => at < limit);
    expect(earlier(recorded).length).toBeGreaterThan(20);
    expect(earlier(one)).toEqual(earlier(recorded));
    // Its node was still running.
    expect([one.status, other.status]).toEqual([1, 1]);
    expect(other.result.traceHash).toBe(one.result.traceHash);
  });
});

test('a run with boards is repeated without them', async () => {
  const space = new Workspace();
  const run = space.startTopology(
    `name: mixed
until: 30s
nodes:
  a:
    kind: uml
    interfaces: { eth0: { address: 10.0.0.1/24 } }
    run: >-
      gpio watch -n 2 gpio0 & ping -c 5 -i 0.05 10.0.0.3; sleep 0.2; gpio set gpio1 1 0;
      i=0; while [ $i -lt 30 ]; do usleep 10000; dd if=/dev/zero of=/dev/null bs=1M count=100 2>/dev/null; i=$((i+1)); done; wait
  b: { kind: uml, interfaces: { eth0: { address: 10.0.0.2/24 } } }
  bp1:
    kind: board
    interfaces: { eth0: { address: 10.0.0.3/24 } }
    run: >-
      busybox ping -c 5 -i 0.05 10.0.0.2; echo 514 > /sys/class/gpio/export; cd /sys/class/gpio/gpio514;
      echo out > direction; echo 1 > value; sleep 0.05; echo 0 > value; sleep 0.05; date +%N; exit 4
    expect: { exit: 4 }
switches:
  - { name: lan, ports: [a.eth0, b.eth0, bp1.eth0], latency: 2ms, loss: 5%, jitter: 500us }
wires:
  - { name: freeze, pins: [bp1.gpio0, bp1.gpio1, a.gpio1], role: freeze }
  - { name: signal, pins: [a.gpio0, bp1.gpio2], latency: 1ms }
changes:
  - { at: 500ms, switch: lan, latency: 3ms }
`,
    ['--interactive', '--record'],
  );
  await takesShells(run);
  expect(await shell(run.out, 'bp1', 'true')).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('bp1 is in real time'),
  });
  const person = await shell(run.out, 'b', 'ping -c 3 -i 0.05 10.0.0.3');
  expect(person.stdout).toContain('3 packets transmitted');
  const recorded = (await space.outcome(run)).expectStatus(0);
  expect(recorded.node('bp1')).toMatchObject({ kind: 'board', exit: 4 });
  expect(recorded.result.wires.signal?.edges).toBeGreaterThanOrEqual(2);
  expect(recorded.lines('a').filter((line) => /rising|falling/.test(line)).length).toBeGreaterThanOrEqual(2);
  await expectReplays(space, recorded);
});

test('a board that was lost is lost again', async () => {
  const space = new Workspace();
  const run = space.startTopology(
    `name: lost
until: 30s
nodes:
  a: { kind: uml, run: 'sleep 2; echo up' }
  bp1: { kind: board, run: 'echo it runs; sleep 100', on-failure: evict, expect: running }
wires:
  - { name: freeze, pins: [bp1.gpio0, bp1.gpio1], role: freeze }
  - { name: signal, pins: [a.gpio0, bp1.gpio2], latency: 1ms }
`,
    ['--record'],
  );
  await until('it runs', () => (run.console('bp1').includes('it runs') ? true : undefined), 60_000);
  process.kill((await run.guest('bp1')).pid, 'SIGKILL');
  const recorded = (await space.outcome(run)).expectStatus(0);
  expect(recorded.node('bp1').state).toBe('evicted');
  await expectReplays(space, recorded);
});

const missing = whyNoKvm() ?? '';

test.skipIf(missing !== '')(`a live guest is not there${missing && ` (${missing})`}`, async () => {
  const space = new Workspace();
  const source = `${CLOCK}
  START 0, ${Feature.REAL}
  1: RING 4
  mov RET(%rbx), %rax
  cmp $500000000, %rax
  jb 1b
  ud2`;
  writeFileSync(join(space.path, 'clock.elf'), elf([{ address: 0x100_0000, bytes: assemble(source) }]));
  const recorded = await space.runOnce(
    `name: live
until: 60s
nodes:
  slow: { kind: uml, run: 'for i in $(seq 10); do sleep 0.1; done' }
  live: { kind: kvm, clock: real, kernel: clock.elf, on-failure: evict }
wires:
  - { name: freeze, pins: [live.freeze], role: freeze }
`,
    ['--record'],
  );
  recorded.expectStatus(0);
  expect(recorded.node('live').state).toBe('evicted');
  await expectReplays(space, recorded);
});

describe('a recording', () => {
  const short = 'name: t\nuntil: 2s\nnodes: { a: { kind: uml } }\n';

  async function recorded(): Promise<{ space: Workspace; out: string; recording: string; whole: Buffer }> {
    const space = new Workspace();
    const run = space.startTopology(short, ['--interactive', '--record']);
    await takesShells(run);
    expect(await shell(run.out, 'a', 'echo hello > /dev/console')).toMatchObject({ status: 0 });
    const { out } = (await space.outcome(run)).expectStatus(0);
    const recording = join(out, 'recording');
    return { space, out, recording, whole: readFileSync(recording) };
  }

  test('that is damaged is played up to there, and the damage is named', async () => {
    const { space, out, recording, whole } = await recorded();
    const middle = Math.floor(whole.length / 2);
    truncateSync(recording, middle);
    const where = /played up to [\d.]+ s of virtual time, where it is damaged: at byte \d+ of .*recording/;
    expect((await replay(space, out)).expectStatus(2).stderr).toMatch(where);
    const changed = Buffer.from(whole);
    (changed[middle] as number) ^= 0x10;
    writeFileSync(recording, changed);
    expect((await replay(space, out)).expectStatus(2).stderr).toMatch(/expected .*, found/);
    // Nothing that is missed.
    writeFileSync(recording, whole.subarray(0, -3));
    expect((await replay(space, out)).expectStatus(0).stderr).toMatch(/before the damage .* at byte \d+/);
  });

  test('of another topology, of something else, or of nothing, is refused', async () => {
    const { space, out, recording, whole } = await recorded();
    const topology = join(out, 'topology.yaml');
    const text = readFileSync(topology, 'utf8');
    const refused = async (why: RegExp, args: readonly string[] = [out]) => {
      const { status, stderr, stdout } = await space.run(['replay', ...args]);
      expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
      expect(stderr).toMatch(why);
    };
    writeFileSync(topology, text.replace('2s', '3s'));
    await refused(/topology\.yaml was changed since/);
    writeFileSync(topology, text);
    cpSync(join(out, 'trace'), recording);
    await refused(/recording is no recording: expected/);
    writeFileSync(recording, '');
    await refused(/recording is no recording: expected/);
    writeFileSync(recording, whole);
    await refused(/cannot be read/, [join(space.path, 'nothing')]);
    await refused(/holds the recording/, [out, '--out', out]);
    expect((await replay(space, out)).expectStatus(0).console('a')).toContain('hello');
  });

  test('with the right checks and a wrong content ends the replay, or changes it, and no more', async () => {
    const { space, out, recording, whole } = await recorded();
    const unframing = new Unframing(whole);
    const header = unframing.next() as Uint8Array;
    const entries: RecordedEntry[] = [];
    for (let next = unframing.next(); next; next = unframing.next()) entries.push(decodeEntry(next));
    const place = entries.findIndex(({ input }) => input.type === 'shell');
    expect(place).toBeGreaterThan(0);
    const shellEntry = entries[place] as RecordedEntry;
    const bad = 'does not fit to its topology';
    const inputs: readonly (readonly [RecordedInput, string | undefined])[] = [
      [{ type: 'frame', node: 0, interface: 0, bytes: new Uint8Array(60) }, bad],
      [{ type: 'drive', node: 7, line: 0, level: 1 }, bad],
      [{ type: 'sense', node: 0, line: 0, high: true, at: 2n ** 62n }, bad],
      [{ type: 'copper', wire: 0, held: true }, bad],
      [{ type: 'failed', node: 0, text: 'no' }, bad],
      [{ ...shellEntry.input, at: 0n } as RecordedInput, bad],
      [{ ...shellEntry.input, shell: 5 } as RecordedInput, 'shell'],
      [{ ...shellEntry.input, node: 3 } as RecordedInput, bad],
      [{ type: 'deliver' }, undefined],
      [{ type: 'refused', frame: 0n }, undefined],
      [{ type: 'end' }, undefined],
    ];
    for (const [input, why] of inputs) {
      const framing = new Framing();
      const list = [...entries.slice(0, place), { passed: 0n, input }, ...entries.slice(place)];
      writeFileSync(
        recording,
        Buffer.concat([header, ...list.map(encodeEntry)].map((each) => framing.frame(each))),
      );
      const replayed = await replay(space, out);
      if (why === undefined) expect([0, 1]).toContain(replayed.status);
      else expect(replayed.expectStatus(2).stderr).toContain(why);
      expect(replayed.stderr).not.toContain('internal');
    }
    // Time that passes at once, and none at all.
    for (const passed of [0n, 2n ** 63n - 1n]) {
      const framing = new Framing();
      const list = entries.map((entry, at) => (at === place ? { ...entry, passed } : entry));
      writeFileSync(
        recording,
        Buffer.concat([header, ...list.map(encodeEntry)].map((each) => framing.frame(each))),
      );
      expect([0, 1, 2]).toContain((await replay(space, out)).status);
    }
  });

  test('needs a folder, and a topology', async () => {
    const space = new Workspace();
    const file = space.write('t.yaml', short);
    expect(await space.run(['run', file, '--record'])).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('--out'),
    });
    const script = space.write(
      's.ts',
      "import { scenario } from 'oneclock';\nexport default scenario(() => 1);\n",
    );
    expect(await space.run(['run', script, '--record', '--out', join(space.path, 'o')])).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('script'),
    });
  });

  test('of a run with nothing in real time is the run again', async () => {
    const space = new Workspace();
    const yaml = 'name: t\nuntil: 9s\nnodes: { a: { kind: uml, run: date } }\n';
    for (const args of [[], ['--no-shm'], ['--seed', '7', '--until', '8s']]) {
      const run = await space.runOnce(yaml, ['--record', ...args]);
      await expectReplays(space, run.expectStatus(0));
    }
  });
});
