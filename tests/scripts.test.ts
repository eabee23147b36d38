// SPDX-License-Identifier: MIT
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { describeEvent } from '../backend/trace/describe-event.js';
import { LogReader } from '../backend/trace/log-reader.js';
import { packageFile } from '../host/package-root.js';
import { type RunOutcome, Workspace } from './support/cli.js';

/** Two nodes on a link of a millisecond. */
const TOPOLOGY = `{
  name: 'scripted',
  nodes: {
    a: { kind: 'uml', interfaces: { eth0: { address: '10.0.0.1/24', mac: '02:00:00:00:00:01' } } },
    b: { kind: 'uml', interfaces: { eth0: { address: '10.0.0.2/24', mac: '02:00:00:00:00:02' } } },
  },
  links: [{ name: 'ab', between: ['a.eth0', 'b.eth0'], latency: '1ms' }],
}`;

/** A script that plays `body`, with the nodes of TOPOLOGY but for what `topology` says. */
function script(body: string, { topology = TOPOLOGY, options = "until: '60s'" } = {}): string {
  return `import { scenario } from 'oneclock';
export default scenario({ topology: ${topology}, ${options} }, async (scene) => {
  const { sim, nodes, links, wires, expect, params, mark, partition } = scene as any;
  ${body}
});
`;
}

function output(run: RunOutcome): unknown {
  return run.result.script?.output;
}

/** What happened, in words, but for frames and what guests say. */
function story(run: RunOutcome): string[] {
  const log = new LogReader(run.out);
  const lines = [...log].flatMap(({ at, node, event }) =>
    ['act', 'mark', 'change', 'level'].includes(event.kind)
      ? [`${at} ${describeEvent(log.header, node, at, event)}`]
      : [],
  );
  log.close();
  return lines;
}

describe('time', () => {
  test('a script acts at exact virtual times, with guests beside it', async () => {
    const space = new Workspace();
    const run = await space.runScript(
      script(`
        const times: bigint[] = [];
        sim.every('1s', () => { times.push(sim.now); });
        await sim.at('2s');
        mark('at two seconds');
        await sim.sleep('1500000001ns');
        mark('and on');
        return { times: times.map(String), now: String(sim.now) };
      `),
    );
    run.expectStatus(0);
    expect(run.result.script).toMatchObject({
      state: 'ended',
      endedNs: '3500000001',
      output: { times: ['1000000000', '2000000000', '3000000000'], now: '3500000001' },
    });
    expect(run.result.virtualNs).toBe('3500000001');
    expect(story(run)).toEqual(['2000000000 mark: at two seconds', '3500000001 mark: and on']);
  });

  test('it goes on at the instant at which a guest says something', async () => {
    const space = new Workspace();
    const run = await space.runScript(
      script(
        `const hello = await nodes.a.console.waitFor(/hello (\\w+)/);
         const said = sim.now;
         nodes.b.console.waitFor('nobody says this').catch(() => {});
         return { groups: hello.groups, said: String(said) };`,
        {
          topology: `{ name: 'said', nodes: {
            a: { kind: 'uml', run: 'sleep 1.25; echo hello world; sleep 1' }, b: { kind: 'uml' } } }`,
        },
      ),
    );
    run.expectStatus(0);
    const { groups, said } = output(run) as { groups: string[]; said: string };
    expect(groups).toEqual(['world']);
    const log = run
      .console('a')
      .split('\n')
      .find((line) => line.includes('hello world')) as string;
    const [, seconds, fraction] = /^\[ *(\d+)\.(\d{9})\]/.exec(log) as unknown as [string, string, string];
    expect(said).toBe(BigInt(`${seconds}${fraction}`).toString());
    // A node with `run` is waited for.
    expect(run.node('a')).toMatchObject({ state: 'exited', exit: 0 });
    expect(BigInt(run.result.virtualNs) - BigInt(said)).toBeGreaterThanOrEqual(1_000_000_000n);
  });
});

describe('links', () => {
  test('go down and up, change, and are cut by a partition, at once', async () => {
    const space = new Workspace();
    const run = await space.runScript(
      script(
        `await sim.at('3s');
         links.ab.down();
         await sim.at('4s');
         links.ab.up();
         links.ab.set({ latency: '7ms', loss: '100%' });
         await sim.at('5s');
         const mend = partition(['a'], ['b']);
         await sim.at('6s');
         mend();
         return links.ab.state.up;`,
      ),
    );
    run.expectStatus(0);
    expect(run.result.script?.output).toBe(true);
    expect(story(run).map((line) => line.replace(/, with.*/, ''))).toEqual([
      '3000000000 link ab is down',
      '4000000000 link ab is up',
      '4000000000 link ab is up',
      '5000000000 link ab is down',
      '6000000000 link ab is up',
    ]);
    expect(story(run)[2]).toContain('latency 7ms, no limit of its rate, loss 100%');
  });

  const PING = `{
    name: 'ping', nodes: {
      a: { kind: 'uml', interfaces: { eth0: { address: '10.0.0.1/24', mac: '02:00:00:00:00:01' } },
           run: 'arp -s 10.0.0.2 02:00:00:00:00:02; ping -c 5 -i 1 10.0.0.2; true' },
      b: { kind: 'uml', interfaces: { eth0: { address: '10.0.0.2/24', mac: '02:00:00:00:00:02' } },
           run: 'arp -s 10.0.0.1 02:00:00:00:00:01; sleep 8' },
    },
    links: [{ name: 'ab', between: ['a.eth0', 'b.eth0'], latency: '1ms' }],
  }`;

  test('a script waits for a frame, and loses or rewrites others', async () => {
    const space = new Workspace();
    const run = await space.runScript(
      script(
        `const isEcho = ({ bytes }: any) => bytes.length === 98;
         const first = await links.ab.frame({ when: 'sent', at: 'a', matches: isEcho });
         const came = await links.ab.frame({ at: 'b', matches: isEcho });
         let seen = 0;
         const stop = links.ab.intercept(({ node, bytes }: any) => {
           if (node !== 'a' || bytes.length !== 98) return undefined;
           seen++;
           return seen === 2 ? 'drop' : undefined;
         });
         await nodes.a.ended();
         stop();
         return { travel: String(came.at - first.at), seen };`,
        { topology: PING },
      ),
    );
    run.expectStatus(0);
    expect(run.result.script?.output).toEqual({ travel: '1000000', seen: 4 });
    expect(run.console('a')).toContain('5 packets transmitted, 4 packets received');
  });

  test('a frame of its own is sent as though the node had, and arrives', async () => {
    const space = new Workspace();
    const run = await space.runScript(
      script(
        `await Promise.all([nodes.a.ready(), nodes.b.ready()]);
         await sim.at('2s');
         const frame = new Uint8Array(64).fill(0xff, 0, 6);
         frame.set(nodes.a.interfaces.eth0.mac, 6);
         frame.set([0x88, 0xb5], 12);
         nodes.a.interfaces.eth0.send(frame);
         const there = await links.ab.frame({ at: 'b', matches: ({ bytes }: any) => bytes[12] === 0x88 });
         nodes.a.interfaces.eth0.deliver(frame);
         return { at: String(there.at), same: Buffer.compare(there.bytes, frame) };`,
      ),
    );
    run.expectStatus(0);
    expect(run.result.script?.output).toEqual({ at: '2001000000', same: 0 });
    expect(story(run)).toEqual([
      '2000000000 a script sends a frame of 64 bytes at eth0',
      '2001000000 a script delivers a frame of 64 bytes at eth0',
    ]);
  });
});

describe('models', () => {
  /** A host that is written in a script: it answers ARP and pings. */
  const MODEL = `
    const it = nodes.model.interfaces.eth0;
    const ip = [10, 0, 0, 9];
    it.onFrame(async ({ bytes }: any) => {
      const answer = Uint8Array.from(bytes);
      answer.set(bytes.subarray(6, 12), 0);
      answer.set(it.mac, 6);
      if (bytes[12] === 8 && bytes[13] === 6 && bytes[21] === 1) {
        if (!ip.every((byte, place) => bytes[38 + place] === byte)) return;
        answer[21] = 2;
        answer.set(it.mac, 22);
        answer.set(ip, 28);
        answer.set(bytes.subarray(22, 32), 32);
        it.send(answer);
      } else if (bytes[12] === 8 && bytes[13] === 0 && bytes[23] === 1 && bytes[34] === 8) {
        answer.set(bytes.subarray(26, 30), 30);
        answer.set(bytes.subarray(30, 34), 26);
        answer[34] = 0;
        const sum = ((bytes[36] << 8) | bytes[37]) + 0x800;
        const folded = (sum & 0xffff) + (sum >> 16);
        answer.set([folded >> 8, folded & 0xff], 36);
        await sim.sleep('5ms'); // what the device takes
        it.send(answer);
      }
    });`;
  const topology = `{
    name: 'model',
    nodes: {
      a: { kind: 'uml', interfaces: { eth0: { address: '10.0.0.1/24' } }, run: 'ping -c 3 -i 0.1 10.0.0.9' },
      model: { kind: 'script', interfaces: { eth0: { mac: '02:00:00:00:00:09' } } },
    },
    links: [{ name: 'ab', between: ['a.eth0', 'model.eth0'], latency: '1ms' }],
  }`;

  test('a device that is written in a script is on a link beside real guests', async () => {
    const space = new Workspace();
    const run = await space.runScript(script(`${MODEL} await nodes.a.ended();`, { topology }));
    run.expectStatus(0);
    expect(run.console('a')).toContain('3 packets transmitted, 3 packets received');
    const times = [...run.console('a').matchAll(/seq=\d+ ttl=64 time=([\d.]+) ms/g)].map(([, ms]) =>
      Number(ms),
    );
    // Two milliseconds on the link, five in the device.
    for (const ms of times.slice(1)) expect(ms).toBeCloseTo(7, 1);
    expect(run.node('model')).toMatchObject({ kind: 'script', state: 'running', cpuMs: 0 });
  });

  test('what fails in one fails the script', async () => {
    const space = new Workspace();
    const body = `nodes.model.interfaces.eth0.onFrame(async () => { await sim.sleep('1ms'); throw new Error('broken'); });
      await nodes.a.ended();`;
    const run = await space.runScript(script(body, { topology }));
    run.expectStatus(1);
    expect(run.stderr).toContain('Error: broken');
  });

  test('without a script it is refused', async () => {
    const space = new Workspace();
    const file = space.write('t.yaml', 'name: t\nuntil: 1s\nnodes: { m: { kind: script } }\n');
    const { status, stderr } = await space.run(['run', file]);
    expect(status).toBe(2);
    expect(stderr).toContain('m is a node of kind script, and the run has no script');
  });
});

describe('wires', () => {
  const WIRED = `{
    name: 'wired',
    nodes: { a: { kind: 'uml', run: 'cd /sys/class/gpio; echo 512 > export; cd gpio512; echo in > direction; echo both > edge; n=0; while [ $n -lt 2 ]; do v=$(cat value); [ $v = "$last" ] || { echo level $v; last=$v; n=$((n+1)); }; sleep 0.1; done' } },
    wires: [{ name: 'w', pins: ['a.gpio0'], latency: '10us' }],
  }`;

  test('a script drives, pulses and reads them, and waits for edges', async () => {
    const space = new Workspace();
    const run = await space.runScript(
      script(
        `await nodes.a.ready();
         await sim.at('2s');
         const edge = wires.w.edge({ to: 1, timeout: '1s' });
         const pulse = wires.w.pulse('500ms');
         const rise = await edge;
         const level = wires.w.read();
         await pulse;
         const fall = await wires.w.edge();
         await nodes.a.ended();
         return { rise: String(rise.at), level, fall: String(fall.at) };`,
        { topology: WIRED },
      ),
    );
    run.expectStatus(0);
    expect(run.result.script?.output).toEqual({ rise: '2000010000', level: 1, fall: '2500010000' });
    expect(run.lines('a').filter((line) => line.startsWith('level'))).toEqual(['level 0', 'level 1']);
  });
});

describe('serial lines', () => {
  test('a script sends at exact times, and hears the answers at the same', async () => {
    const space = new Workspace();
    const run = await space.runScript(
      script(
        `await sim.at('2s');
         const line = nodes.a.serial.ttyS0;
         const answers: boolean[] = [];
         for (let i = 0; i < 100; i++) {
           const at = 2_000_000_000n + BigInt(i) * 10_000_000n + 1_234_567n;
           await sim.at(at);
           line.type(i + '\\n');
           await line.waitFor('got ' + i + '\\n');
           answers.push(sim.now === at);
         }
         return answers.filter(Boolean).length;`,
        {
          topology: `{ name: 'serial', nodes: { a: { kind: 'uml', serial: ['ttyS0'],
            run: 'exec 3<>/dev/ttyS0; stty -echo -opost <&3; i=0; while [ $i -lt 100 ]; do read x <&3; echo got $x >&3; i=$((i+1)); done' } } }`,
        },
      ),
    );
    run.expectStatus(0);
    expect(output(run)).toBe(100);
  });
});

describe('nodes', () => {
  const CLOCKS = `{
    name: 'clocks',
    nodes: {
      a: { kind: 'uml', run: 'while :; do read up x < /proc/uptime; echo $up tick; sleep 1; done' },
      b: { kind: 'uml', run: 'sleep 6.5' },
    },
  }`;

  test('programs run on them, with input, both outputs and exit status', async () => {
    const space = new Workspace();
    const run = await space.runScript(
      script(
        `const hello = await nodes.a.exec('read x; echo out $x; echo err >&2; exit 3', { stdin: 'hello\\n' });
         await sim.at('2s');
         const before = sim.now;
         const slept = await nodes.a.exec(['sleep', '1.5']);
         const took = sim.now - before;
         let timedOut = 'no';
         const began = sim.now;
         try { await nodes.b.exec('sleep 100', { timeout: '2s' }); } catch (error: any) { timedOut = error.name; }
         const waited = sim.now - began;
         await sim.sleep('10ms');
         const left = await nodes.b.exec('ps | grep -c "[s]leep 100"');
         const cat = nodes.b.spawn('cat', { terminal: { rows: 24, columns: 80 } });
         cat.write('to and fro\\n');
         await cat.stdout.waitFor('to and fro');
         cat.kill('SIGKILL');
         return { hello, slept: slept.exit, took: String(took), timedOut, waited: String(waited), left: left.stdout, end: await cat.ended() };`,
      ),
    );
    run.expectStatus(0);
    const { took, ...rest } = output(run) as { took: string };
    expect(rest).toEqual({
      hello: { exit: 3, signal: null, stdout: 'out hello\n', stderr: 'err\n' },
      slept: 0,
      timedOut: 'TimedOut',
      waited: '2000000000',
      left: '0\n',
      end: { exit: null, signal: 'SIGKILL' },
    });
    expect(Number(took)).toBeGreaterThanOrEqual(1.5e9);
    expect(Number(took)).toBeLessThan(1.501e9);
    expect(story(run)[0]).toMatch(/^0 a script runs 'read x;/);
  });

  test('files go in and come out', async () => {
    const space = new Workspace();
    const run = await space.runScript(
      script(
        `const content = new Uint8Array(100_000).map((_, place) => place % 251);
         await nodes.a.put('/tmp/in', content, { mode: 0o750 });
         const { stdout } = await nodes.a.exec('stat -c %a,%s /tmp/in; cp /tmp/in /tmp/out');
         const back = await nodes.a.get('/tmp/out');
         const why = await nodes.a.get('/tmp/none').catch((error: any) => error.message);
         return { stdout, same: Buffer.compare(back, content), why };`,
      ),
    );
    run.expectStatus(0);
    expect(output(run)).toEqual({
      stdout: '750,100000\n',
      same: 0,
      why: expect.stringContaining('No such file or directory'),
    });
  });

  test('what runs on one that is killed fails, and names it', async () => {
    const space = new Workspace();
    const run = await space.runScript(
      script(
        `const sleeping = nodes.a.exec('sleep 100').catch((error: any) => error.message);
         await sim.at('2s');
         nodes.a.kill();
         return await sleeping;`,
      ),
    );
    run.expectStatus(0);
    expect(output(run)).toContain('a has gone: it was killed');
  });

  test('one is frozen, let run, and killed', async () => {
    const space = new Workspace();
    const run = await space.runScript(
      script(
        `await sim.at('2500ms');
         nodes.a.freeze();
         await sim.at('5s');
         nodes.a.resume();
         await sim.at('6s');
         nodes.a.kill();
         return nodes.a.state;`,
        { topology: CLOCKS },
      ),
    );
    run.expectStatus(0);
    expect(run.result.script?.output).toBe('killed');
    expect(run.node('a').state).toBe('killed');
    const ticks = run
      .console('a')
      .split('\n')
      .filter((line) => line.endsWith('tick'));
    const seconds = ticks.map((line) => Number(/^\[ *(\d+)\./.exec(line)?.[1]));
    expect(seconds.filter((second) => second > 2 && second < 5)).toEqual([]);
    expect(Math.max(...seconds)).toBe(5);
    // Its clock has stood still.
    expect(ticks.map((line) => /\] (\d+)\./.exec(line)?.[1])).toEqual(['0', '1', '2', '3']);
    expect(story(run)).toEqual([
      '2500000000 a script freezes it',
      '5000000000 a script lets it run',
      '6000000000 a script kills it',
    ]);
  });

  test('one is stopped in good order', async () => {
    const space = new Workspace();
    const run = await space.runScript(
      script(
        `await sim.at('2s');
         await nodes.a.stop();
         const quick = sim.now - 2_000_000_000n < 100_000_000n;
         await sim.at('3s');
         await nodes.b.stop({ grace: '250ms' });
         return { quick, states: [nodes.a.state, nodes.b.state], now: String(sim.now) };`,
        {
          topology: `{ name: 'stopped', nodes: {
            a: { kind: 'uml', run: 'trap "echo terminated; exit" TERM; sleep 100 & wait' },
            b: { kind: 'uml', run: 'trap "" TERM; while :; do sleep 1; done' } } }`,
        },
      ),
    );
    run.expectStatus(0);
    expect(output(run)).toEqual({ quick: true, states: ['killed', 'killed'], now: '3250000000' });
    expect(run.console('a')).toContain('terminated');
  });

  test('one is started again, and boots at that instant', async () => {
    const space = new Workspace();
    const run = await space.runScript(
      script(
        `await sim.at('2s');
         nodes.a.restart();
         await nodes.a.console.waitFor(/up (\\d+)\\.\\d+ at (\\d+)/, { timeout: '3s' });
         const heard = sim.now;
         await sim.at('4s');
         nodes.a.kill();
         await sim.at('6500ms');
         nodes.a.start();
         await nodes.a.ready();
         return { heard: String(heard) };`,
        {
          topology: `{ name: 'again', start: '2026-01-01T00:00:00Z', nodes: { a: { kind: 'uml',
            run: 'read up x < /proc/uptime; echo up $up at $(date +%s); sleep 1.5' } } }`,
        },
      ),
    );
    run.expectStatus(0);
    expect(run.node('a')).toMatchObject({ state: 'exited', exit: 0 });
    const starts = run.lines('a').filter((line) => line.startsWith('up '));
    const day = Date.UTC(2026, 0, 1) / 1000;
    expect(starts.map((line) => line.replace(/\.\d+/, ''))).toEqual([
      `up 0 at ${day}`,
      `up 0 at ${day + 2}`,
      `up 0 at ${day + 6}`,
    ]);
    expect(run.result.virtualNs.slice(0, 2)).toBe('80');
  });

  test('a script types on a console', async () => {
    const space = new Workspace();
    const run = await space.runScript(
      script(
        `await nodes.a.console.waitFor('what? ');
         await sim.at('3s');
         nodes.a.console.type('forty-two\\n');
         await nodes.a.console.waitFor('you said forty-two', { timeout: '1s' });
         return String(sim.now);`,
        {
          topology: `{ name: 'typed', nodes: { a: { kind: 'uml', run: 'printf "what? "; read x; echo you said $x' } } }`,
        },
      ),
    );
    run.expectStatus(0);
    expect(run.result.script?.output).toBe('3000000000');
  });
});

describe('what goes wrong', () => {
  test('an expectation that is not met fails the run, with virtual time, node and what was found', async () => {
    const space = new Workspace();
    const run = await space.runScript(
      script(`await sim.at('2s'); nodes.a.expect(3, 'the answer').toBe(4); await sim.at('50s');`),
    );
    run.expectStatus(1);
    expect(run.result).toMatchObject({ status: 'failed', virtualNs: '2000000000' });
    expect(run.stderr).toContain('at 2.000000000 s, a: expected the answer, 3, to be 4');
    expect(run.result.script?.expectations).toEqual([
      { text: 'the answer, 3, to be 4', met: false, atNs: '2000000000', node: 'a' },
    ]);
  });

  test('a script that throws ends the run with its own stack', async () => {
    const space = new Workspace();
    const run = await space.runScript(
      script(`await sim.at('1s');\n  const none: any = undefined;\n  none.call();`),
    );
    run.expectStatus(1);
    expect(run.stderr).toContain('the script failed at 1.000000000 s: TypeError');
    expect(run.stderr).toMatch(/\/script\.ts:13:/);
  });

  test('one that waits for what does not happen ends with what it waited for', async () => {
    const space = new Workspace();
    const run = await space.runScript(
      script(`await nodes.a.console.waitFor(/no such words/);`, { options: "until: '5s'" }),
    );
    run.expectStatus(1);
    expect(run.result.virtualNs).toBe('5000000000');
    expect(run.stderr).toContain('/no such words/ on the console of a');
    expect(run.stderr).toMatch(/\/script\.ts:11:/);
  });

  test('a time-out in virtual time', async () => {
    const space = new Workspace();
    const run = await space.runScript(
      script(
        `try { await links.ab.frame({ at: 'b', matches: () => false, timeout: '250ms' }); }
         catch (error: any) { return { error: error.name, at: String(sim.now) }; }`,
      ),
    );
    run.expectStatus(0);
    expect(run.result.script?.output).toEqual({ error: 'TimedOut', at: '250000000' });
  });

  test('a command that lets no virtual time pass is bounded by wall time, and the guest is named', async () => {
    const space = new Workspace();
    const run = await space.runScript(
      script("await nodes.a.exec('while :; do :; done', { timeout: '1s' });"),
      ['--hang', '2s'],
    );
    run.expectStatus(3);
    expect(run.node('a').state).toBe('hung');
    expect(run.stderr).toMatch(/a failed at 0\.\d+ s of virtual and .* s of wall time/);
  });

  test('one that never ends is ended by --max-wall', async () => {
    const space = new Workspace();
    const run = await space.runScript(script('for (;;) await sim.sleep(0n);'), ['--max-wall', '2s']);
    expect(run.status).not.toBe(0);
    expect(run.stderr).toMatch(/instant|longer than the 2000 ms/);
  });

  test.each([
    ['a name that is not there', 'await nodes.c.ready();', 1, 'there is no node c; known: a, b'],
    [
      'a cable that cannot be',
      "links.ab.set({ loss: '200%' });",
      1,
      'loss: expected a percentage from 0% to 100%',
    ],
    ['a word that is none', "links.ab.set({ lag: '2ms' });", 1, 'lag: expected one of latency, rate'],
    ['the past', "await sim.at('2s'); await sim.at('1s');", 1, 'nothing can be done at 1.000000000 s'],
  ])('%s', async (_what, body, status, message) => {
    const space = new Workspace();
    const run = await space.runScript(script(body));
    run.expectStatus(status);
    expect(run.stderr).toContain(message);
  });

  test.each([
    ['no such file', 'missing.ts', undefined, 'found no such file'],
    ['a syntax error', 'bad.ts', 'export default (', 'bad.ts:1:'],
    ['no scenario', 'none.ts', 'export const a = 1;', 'expected a default export'],
    ['one that throws', 'throws.ts', 'throw new Error("at once");', 'at once'],
    [
      'a topology that is wrong',
      'wrong.ts',
      "import { scenario } from 'oneclock'; export default scenario({ topology: { name: 'x', nodes: { a: { kind: 'vax' } } } as any }, () => 1);",
      "kind: expected uml, kvm, board, partition or script; found 'vax'",
    ],
  ])('%s is bad input', async (_what, name, text, message) => {
    const space = new Workspace();
    if (text !== undefined) space.write(name, text);
    const { status, stderr } = await space.run(['run', name]);
    expect(stderr).toContain(message);
    expect(status).toBe(2);
  });
});

describe('odd states', () => {
  test('what was meant for a guest that has gone does not reach one that is frozen', async () => {
    const space = new Workspace();
    const run = await space.runScript(
      script(
        `await Promise.all([nodes.a.ready(), nodes.b.ready()]);
         nodes.a.freeze();
         await sim.sleep('1s');
         nodes.b.interfaces.eth0.deliver(new Uint8Array(60));
         nodes.b.kill();
         await sim.sleep('1s');
         nodes.a.resume();
         return (await nodes.a.exec('echo well')).stdout;`,
      ),
    );
    run.expectStatus(0);
    expect(output(run)).toBe('well\n');
  });

  test("a promise that fails before it is awaited is the script's own business", async () => {
    const space = new Workspace();
    const run = await space.runScript(
      script(
        `const sleeping = nodes.a.exec('sleep 10');
         const late = nodes.b.exec('sleep 10', { timeout: '1s' });
         await sim.at('2s');
         nodes.a.kill();
         await sim.at('3s');
         const why = [];
         for (const each of [sleeping, late]) await each.catch((error: any) => why.push(error.message));
         return why;`,
      ),
    );
    run.expectStatus(0);
    expect(output(run)).toEqual(['a has gone: it was killed', expect.stringContaining('within 1s')]);
  });

  test('one that nobody awaits fails the script, which has a result', async () => {
    const space = new Workspace();
    const run = await space.runScript(
      script("(async () => { await sim.sleep('1s'); throw new Error('lost'); })(); await sim.at('5s');"),
    );
    run.expectStatus(1);
    expect(run.result.script).toMatchObject({
      state: 'failed',
      error: expect.stringContaining('Error: lost'),
    });
  });

  test('what it returns may hold exact times, and what JSON has no form for is told', async () => {
    const space = new Workspace();
    const good = await space.runScript(
      script('return { now: sim.now, map: new Map([["k", 2n]]), none: undefined };'),
    );
    good.expectStatus(0);
    expect(output(good)).toEqual({ now: '0', map: { k: '2' } });
    const bad = await space.runScript(script('const cycle: any = {}; cycle.self = cycle; return cycle;'));
    bad.expectStatus(1);
    expect(bad.stderr).toContain('what the script returned cannot be written as JSON');
  });

  test.each([
    ['that is caught', 'try { expect(1).toBe(2); } catch {}'],
    [
      'of another process at the last instant',
      "sim.process(async () => { await sim.sleep('1s'); expect(1).toBe(2); }); await sim.sleep('1s');",
    ],
  ])('an expectation %s is not met all the same', async (_what, body) => {
    const run = await new Workspace().runScript(script(body));
    run.expectStatus(1);
    expect(run.stderr).toContain('expected 1 to be 2');
  });

  test('a script hears of a node that is evicted, and starts it again', async () => {
    const space = new Workspace();
    const run = await space.runScript(
      script(
        `await nodes.a.ready();
         nodes.a.exec('reboot -f').catch(() => {});
         const state = await nodes.a.ended({ timeout: '5s' });
         nodes.a.kill();
         nodes.a.start();
         await nodes.a.ready();
         nodes.a.console.type('x');
         return { state, again: nodes.a.state };`,
        { topology: "{ name: 'evicted', nodes: { a: { kind: 'uml', 'on-failure': 'evict' } } }" },
      ),
    );
    run.expectStatus(0);
    expect(output(run)).toEqual({ state: 'evicted', again: 'running' });
  });

  test.each([
    [
      'a timer of Node.js',
      "await nodes.a.ready(); await new Promise((r) => setTimeout(r, 30)); links.ab.down(); await sim.at('2s');",
    ],
    [
      'a file',
      "const { readFile } = await import('node:fs/promises'); await readFile('/etc/passwd'); await sim.sleep('1ms'); links.ab.down(); await sim.at('2s');",
    ],
  ])('%s that is awaited as it is is told of', async (_what, body) => {
    const space = new Workspace();
    const run = await space.outcome(space.startFile(space.write('script.ts', script(body))));
    run.expectStatus(1);
    expect(run.stderr).toContain('sim.external');
  });

  test('what decides on frames only decides', async () => {
    const acts = [
      "throw new Error('boom')",
      'links.ab.down()',
      "expect(1, 'it').toBe(2)",
      "return Promise.resolve('drop')",
    ];
    for (const act of acts) {
      const space = new Workspace();
      const body = `await nodes.a.ready(); await nodes.b.ready();
        links.ab.intercept(() => { ${act}; });
        await nodes.a.exec('ping -c 1 -W 1 10.0.0.2'); await sim.at('5s');`;
      const run = await space.runScript(script(body.replace('{ return', '{ return')));
      run.expectStatus(1);
      expect(run.result.script?.state, act).toBe('failed');
    }
  });

  test('frames that are seen are copies', async () => {
    const space = new Workspace();
    const run = await space.runScript(
      script(
        `links.ab.onFrame({ when: 'sent' }, (frame: any) => frame.bytes.fill(0));
         const { stdout } = await nodes.a.exec('ping -c 1 10.0.0.2');
         return /1 packets received/.test(stdout);`,
      ),
    );
    run.expectStatus(0);
    expect(output(run)).toBe(true);
  });

  test('much output is no burden', async () => {
    const space = new Workspace();
    const run = await space.runScript(
      script('await nodes.a.console.waitFor(/the very end/); return true;', {
        topology:
          "{ name: 'much', nodes: { a: { kind: 'uml', run: 'head -c 300000 /dev/zero | tr \\\\0 x | fold -w 60; echo the very end' } } }",
      }),
      ['--max-wall', '20s'],
    );
    run.expectStatus(0);
  });

  test('nodes that are off are said to be so, and words of an earlier guest are not found', async () => {
    const space = new Workspace();
    const run = await space.runScript(
      script(
        `await nodes.a.exec('echo hello > /dev/console');
         nodes.a.kill();
         const why: string[] = [];
         for (const act of [() => nodes.a.freeze(), () => nodes.a.interfaces.eth0.send(new Uint8Array(60)), () => nodes.a.console.type('x')])
           try { act(); } catch (error: any) { why.push(error.message); }
         await nodes.a.stop();
         await nodes.a.ready().catch((error: any) => why.push(error.message));
         nodes.a.start();
         await nodes.a.console.waitFor('hello', { timeout: '1s' }).catch((error: any) => why.push(error.name));
         const cat = nodes.a.spawn('echo one');
         await cat.stdout.waitFor('one');
         await cat.stdout.waitFor('two').catch((error: any) => why.push(error.message));
         return why;`,
      ),
    );
    run.expectStatus(0);
    expect(output(run)).toEqual([
      'a is off: a script cannot do that to it',
      'a is off: it is killed',
      'a is off: it is killed',
      'a is not set up: it is killed',
      'TimedOut',
      'the output of \'echo one\' on a has ended without "two"',
    ]);
  });

  test('a partition leaves down what was down, and knows its nodes', async () => {
    const space = new Workspace();
    const run = await space.runScript(
      script(
        `links.ab.down();
         partition(['a'], ['b'])();
         const up = links.ab.isUp();
         let why = '';
         try { partition(['a'], ['nosuch']); } catch (error: any) { why = error.message; }
         return { up, why };`,
      ),
    );
    run.expectStatus(0);
    expect(output(run)).toEqual({ up: false, why: expect.stringContaining('there is no node nosuch') });
  });
});

describe('the examples', () => {
  test('outage.ts is that of docs/scripts.md, and most pings are answered', async () => {
    const page = readFileSync(packageFile('docs/scripts.md'), 'utf8');
    const text = readFileSync(packageFile('examples/scripts/outage.ts'), 'utf8');
    expect(page).toContain(text.replace('// SPDX-License-Identifier: MIT\n//\n', ''));
    const run = await new Workspace().runScript(text);
    run.expectStatus(0);
    expect(output(run)).toEqual({ received: 10 });
  });

  test('two-nodes.ts: the latency is that of the script', async () => {
    const space = new Workspace();
    const { status, stderr } = await space.run(['run', packageFile('examples/scripts/two-nodes.ts')]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });
});

describe('check', () => {
  test('looks at the topology of a script, and starts nothing', async () => {
    const space = new Workspace();
    const good = await space.run([
      'check',
      space.write('good.ts', script('throw new Error("it was played");')),
    ]);
    expect(good).toMatchObject({ status: 0, stderr: '' });
    expect(good.stdout).toContain('note: a script can touch every guest, so one of them runs at a time');
    const bad = script('', { topology: "{ name: 'x', nodes: { a: { kind: 'uml', memory: 3 } } }" });
    const found = await space.run(['check', space.write('bad.ts', bad)]);
    expect(found.status).toBe(2);
    expect(found.stderr).toContain('memory: expected');
    const json = await space.run(['check', '--json', join(space.path, 'bad.ts')]);
    expect(json.status).toBe(2);
    expect(JSON.parse(json.stdout)).toMatchObject({
      ok: false,
      problems: [{ message: expect.stringContaining('memory: expected') }],
    });
    const alone = "import { scenario } from 'oneclock'; export default scenario(() => 1);";
    const without = await space.run(['check', space.write('alone.ts', alone)]);
    expect(without).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('a script without a topology'),
    });
  });
});

test('a script that cannot be loaded has a report for CI, too', async () => {
  const space = new Workspace();
  const report = join(space.path, 'report.xml');
  const { status } = await space.run(['run', space.write('bad.ts', 'export default ('), '--junit', report]);
  expect(status).toBe(2);
  expect(readFileSync(report, 'utf8')).toMatch(/<testsuite id="0" name="bad"[^>]* errors="1"/);
});

describe('without guests', () => {
  const ALONE = `import { scenario } from 'oneclock';
    export default scenario({ until: '1h', params: { k: 2, label: 'x', on: false } }, async ({ sim, params, mark, expect }) => {
      await sim.sleep('1500ms');
      mark('half way');
      await sim.sleep('1500ms');
      expect(params.k, 'k').toBeAtLeast(1);
      return { ...params, at: String(sim.now) };
    });`;

  test('a script is a simulation of its own, with parameters and a run directory', async () => {
    const space = new Workspace();
    const file = space.write('alone.ts', ALONE);
    const out = join(space.path, 'out');
    const args = ['run', file, '--out', out, '--param', 'k=7', '--param', 'label=a=b', '--param', 'on=true'];
    const { status, stdout } = await space.run([...args, '--json']);
    expect(status).toBe(0);
    const result = JSON.parse(stdout);
    // The end of the script, and not `until`.
    expect(result).toMatchObject({ name: 'alone', status: 'ok', virtualNs: '3000000000', nodes: {} });
    expect(result.script.output).toEqual({ k: 7, label: 'a=b', on: true, at: '3000000000' });
    expect(JSON.parse(readFileSync(join(out, 'result.json'), 'utf8'))).toEqual(result);
    const log = new LogReader(out);
    expect([...log].map(({ at, event }) => [at, event])).toEqual([
      [1_500_000_000n, { kind: 'mark', text: 'half way' }],
    ]);
    log.close();
  });

  test.each([
    [['--param', 'm=1'], '--param m: the scenario has no such parameter; known: k, label, on'],
    [['--param', 'constructor=1'], '--param constructor: the scenario has no such parameter'],
    [['--param', 'k=lots'], "--param k: expected a number, as its default 2; found 'lots'"],
    [['--param', 'on=1'], "--param on: expected true or false; found '1'"],
    [['--param', 'k'], "--param: expected name=value, such as k=3; found 'k'"],
  ])('bad parameters: %j', async (args, message) => {
    const space = new Workspace();
    const { status, stderr } = await space.run(['run', space.write('alone.ts', ALONE), ...args]);
    expect(stderr).toContain(message);
    expect(status).toBe(2);
  });

  test('one that waits for nothing says where', async () => {
    const space = new Workspace();
    const text = `import { scenario } from 'oneclock';
      export default scenario(async ({ sim }) => {
        await sim.event('a miracle');
      });`;
    const { status, stderr } = await space.run(['run', space.write('stuck.ts', text)]);
    expect(status).toBe(1);
    expect(stderr).toContain('event a miracle');
    expect(stderr).toMatch(/stuck\.ts:3:/);
  });
});
