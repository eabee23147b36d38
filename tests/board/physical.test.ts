// SPDX-License-Identifier: MIT
// A machine of its own, in real time, is controller and board at once: with the real agent, the real module, and a GPIO chip
// whose lines a cable joins.
import { beforeAll, describe, expect, test } from 'vitest';
import type { BoardResult } from '../../backend/run/result.js';
import { boot, buildModules, resultIn } from './physical-support.js';

/** Freezes and lets go in the shell of the board, outside of its `run`. */
const FREEZES = 3;
const FROZEN_MS = 100;
const BUILD_MS = 120_000;
/** How far the controller's clock and the board's may be apart, on a machine that is busy with other things. */
const CLOCKS_MS = 50;

beforeAll(buildModules, BUILD_MS);

interface TopologyParts {
  readonly drive: string;
  readonly sense: string;
  readonly run: string;
  readonly devices?: readonly [string, string];
}

/** The board, with its pins by their names on the chip, and our lines. */
function topology({ drive, sense, run, devices }: TopologyParts): string {
  const [a, b] = devices ?? [];
  return `name: physical
until: 60s
nodes:
  bp1:
    kind: board
    address: 127.0.0.1:7424
    key: board.key
    lines: { pause: wire-in, signal: wire-out }
    interfaces: { ${devices ? `eth0: { device: ${a} }, eth1: { device: ${b} }` : ''} }
    run: |
${run.replace(/^/gm, '      ')}
wires:
  - { name: freeze, pins: [bp1.wire-in, bp1.wire-out], role: freeze, host: { drive: ${drive}, sense: ${sense} } }
${devices ? 'links:\n  - { name: ab, between: [bp1.eth0, bp1.eth1], latency: 5ms }\n' : ''}`;
}

/** Writes a file in the machine. */
function write(name: string, text: string): string {
  return `cat > ${name} <<'END_OF_FILE'\n${text}END_OF_FILE\n`;
}

/** A clock that ticks on the board, and sees every jump of time. */
const TICKING = `echo begun
i=0; while [ $i -lt 20 ]; do date +%s%N; sleep 0.05; i=$((i+1)); done`;

describe('a board elsewhere', () => {
  test.each([
    ['by the character device', 'gpiochip0/4', 'gpiochip0/2'],
    ['by onoff', 'gpio516', 'gpio517'],
  ])('freezes and is let go on lines of this machine, %s', async (_how, drive, sense) => {
    const sections = await boot(`
${write('topology.yaml', topology({ drive, sense, run: TICKING }))}
$cli run topology.yaml --out out --json > result 2> errors &
run=$!
await begun
section levels
cat $level
for i in $(seq ${FREEZES}); do
  echo freeze > /sys/vt/VT7/mode; sleep ${FROZEN_MS / 1000}; cat $level
  echo unfreeze > /sys/vt/VT7/mode; sleep 0.1
done
wait $run; status=$?
section status; echo $status
section errors; cat errors
section result; cat result
section console; cat out/console/bp1.log
# Nothing is left: the line is down, nobody is registered, and the lines are free again.
section left; cat $level /sys/vt/VT7/pids /sys/vt/VT7/mode
section again; oneclock run topology.yaml --json | grep '"status"'
section agent; cat agent.log
`);
    expect(sections.get('errors')).toBe('');
    expect(sections.get('status')).toBe('0');
    const result = resultIn(sections, 'result');
    const board = result.nodes.bp1 as BoardResult;
    expect(board).toMatchObject({ kind: 'board', state: 'exited', exit: 0, clock: 'hidden' });
    expect(board.freezes).toBeGreaterThanOrEqual(FREEZES);
    const frozenMs = Number(board.frozenNs) / 1e6;
    expect(frozenMs).toBeGreaterThanOrEqual(FREEZES * FROZEN_MS);
    // Each of them is an edge up and an edge down, and so is the one in which the run began; the last may be up still.
    expect(result.wires.freeze?.edges).toBeGreaterThanOrEqual(2 * FREEZES + 2);
    expect(Number(result.virtualNs) / 1e6).toBeLessThanOrEqual(result.wallMs - frozenMs);
    expect(sections.get('levels')?.split('\n').slice(1)).toEqual(Array(FREEZES).fill('1'));
    // What runs there sees nothing of it, else it would see time that the run does not have.
    const times = [...(sections.get('console') ?? '').matchAll(/\] (\d{19})$/gm)].map(([, ns]) =>
      BigInt(ns ?? 0),
    );
    expect(times).toHaveLength(20);
    const seenMs = Number((times.at(-1) ?? 0n) - (times[0] ?? 0n)) / 1e6;
    expect(seenMs).toBeGreaterThanOrEqual(19 * 50);
    expect(seenMs).toBeLessThan(Number(result.virtualNs) / 1e6 + CLOCKS_MS);
    expect(sections.get('left')).toBe('0\nunfreeze');
    expect(sections.get('again')).toContain('"ok"');
  });

  test('is let go when the run is over, however that comes', async () => {
    const yaml = topology({
      drive: 'gpiochip0/4',
      sense: 'gpiochip0/2',
      run: 'echo begun; sleep 1000',
    });
    const sections = await boot(`
${write('topology.yaml', yaml.replace('    key:', '    watchdog: 1s\n    key:'))}
$cli run topology.yaml --out out > /dev/null 2>&1 &
run=$!
await begun
echo freeze > /sys/vt/VT7/mode; sleep 0.1
section frozen; cat $level
kill -TERM $run
wait $run; status=$?
section ended; echo $status
section left; cat $level /sys/vt/VT7/pids /sys/vt/VT7/mode
rm -r out
$cli run topology.yaml --out out --json > /dev/null 2> errors &
run=$!
await begun
echo 1 > $level
wait $run; status=$?
section stuck; cat errors; echo "status $status"
echo 0 > $level
section left-again; cat $level /sys/vt/VT7/pids /sys/vt/VT7/mode
`);
    expect(sections.get('frozen')).toBe('1');
    expect(sections.get('ended')).toBe('143');
    expect(sections.get('left')).toBe('0\nunfreeze');
    expect(sections.get('stuck')).toMatch(
      /^oneclock: bp1 failed at .*: bp1 was let go by its watchdog while gpiochip0\/2 froze it\nstatus 3$/,
    );
    expect(sections.get('left-again')).toBe('0\nunfreeze');
  });

  test('is let go by its watchdog when the controller is killed while it is frozen, and then by its agent', async () => {
    const parts = { drive: 'gpiochip0/4', sense: 'gpiochip0/2', run: 'echo begun; sleep 1000' };
    const sections = await boot(`
${write('topology.yaml', topology(parts).replace('    key:', '    watchdog: 1s\n    key:'))}
$cli run topology.yaml --out out > /dev/null 2>&1 &
run=$!
await begun
cd /sys/vt/VT7
echo 1 > $level; sleep 0.1
section frozen; cat mode watchdog_releases
kill -KILL $run
i=0; while [ "$(cat watchdog_releases)" = 0 ] && [ $i -lt 100 ]; do sleep 0.05; i=$((i+1)); done
section released; cat mode watchdog_releases
i=0; while [ -n "$(cat pids)" ] && [ $i -lt 300 ]; do sleep 0.05; i=$((i+1)); done
section left; cat pids; pgrep -f 'sleep 1000' || echo nobody
`);
    expect(sections.get('frozen')).toBe('freeze\n0');
    expect(sections.get('released')).toBe('unfreeze\n1');
    expect(sections.get('left')).toBe('nobody');
  });

  test('sends and receives frames by network interfaces of this machine', async () => {
    const run = `ip netns exec b busybox nc -l -p 7000 > got &
ip netns exec a busybox ping -c 10 -i 0.1 10.9.0.2
echo over the cable | ip netns exec a busybox nc -w 10 10.9.0.2 7000
wait
cat got`.replaceAll(' got', ' /dev/shm/got');
    const parts = { drive: 'gpiochip0/4', sense: 'gpiochip0/2', run, devices: ['va', 'vb'] as const };
    const sections = await boot(`
for end in a b; do
  ip netns add $end
  ip link add v$end type veth peer name eth0 netns $end
  ip link set v$end up
  ip -n $end link set eth0 up
done
ip -n a address add 10.9.0.1/24 dev eth0
ip -n b address add 10.9.0.2/24 dev eth0
${write('topology.yaml', topology(parts))}
section result; oneclock run topology.yaml --out out --json 2> errors
section errors; cat errors
section console; cat out/console/bp1.log
ip link set va down
section down; oneclock run topology.yaml 2>&1; echo "status $?"
ip link set va up
ip link set dummy0 up
sed s/va/dummy0/ topology.yaml > other.yaml
section merging; oneclock run other.yaml 2>&1; echo "status $?"
sed s/va/no-such/ topology.yaml > other.yaml
section missing; oneclock run other.yaml 2>&1; echo "status $?"
section forbidden
setpriv --bounding-set=-net_raw --inh-caps=-net_raw $cli run topology.yaml 2>&1; echo "status $?"
`);
    expect(sections.get('errors')).toBe('');
    const result = resultIn(sections, 'result');
    expect(result.status).toBe('ok');
    const console = sections.get('console') ?? '';
    expect(console).toContain('10 packets transmitted, 10 packets received, 0% packet loss');
    // There and back by a link of 5 ms; how much longer it takes is a matter of what else this machine does.
    const times = [...console.matchAll(/time=([\d.]+) ms/g)].map(([, ms]) => Number(ms));
    expect(times).toHaveLength(10);
    expect(Math.min(...times)).toBeGreaterThanOrEqual(10);
    expect(Math.min(...times)).toBeLessThan(1000);
    expect(console).toContain('over the cable');
    const { interfaces } = result.nodes.bp1 as BoardResult;
    const { eth0, eth1 } = interfaces ?? {};
    expect([eth0?.dropped, eth1?.dropped, result.links.ab?.dropped]).toEqual([0, 0, 0]);
    expect(eth0?.received).toBeGreaterThanOrEqual(12);
    // The last may still be under way when the run ends.
    expect(eth1?.sent).toBeGreaterThanOrEqual(12);
    expect(eth1?.sent).toBeLessThanOrEqual(eth0?.received ?? 0);
    expect((eth0?.received ?? 0) + (eth1?.received ?? 0)).toBe(result.links.ab?.frames);

    expect(sections.get('down')).toBe(
      'oneclock: the network interface va is down: run "ip link set va up"\nstatus 4',
    );
    expect(sections.get('merging')).toBe(
      'oneclock: the network interface dummy0 makes one of several packets: run "ethtool -K dummy0 gro off lro off"\nstatus 4',
    );
    expect(sections.get('missing')).toBe(
      'oneclock: this machine has no network interface no-such: "ip link" shows which there are\nstatus 4',
    );
    expect(sections.get('forbidden')).toBe(
      'oneclock: frames of network interfaces are for root: run oneclock as root, or with the capability CAP_NET_RAW\nstatus 4',
    );
  });

  test('says what keeps a run from beginning', async () => {
    const sections = await boot(`
${write('topology.yaml', topology({ drive: 'gpiochip0/4', sense: 'gpiochip0/2', run: 'true' }))}
sed 's/pause: wire-in/pause: wire-free/' topology.yaml > other.yaml
section unconnected; oneclock run other.yaml --json 2>&1 >/dev/null; echo "status $?"
rmmod vtgpio
cp board.key right.key
key board.key 7766554433221100
section key; oneclock run topology.yaml --json 2>&1 >/dev/null; echo "status $?"
cp right.key board.key
echo 1 > $level
section high; oneclock run topology.yaml --json 2>&1 >/dev/null; echo "status $?"
echo 0 > $level
sed 's/drive: [^,]*/drive: gpiochip9\\/4/' topology.yaml > other.yaml
section chip; oneclock run other.yaml 2>&1; echo "status $?"
sed 's/drive: [^,]*/drive: gpiochip0\\/3/' topology.yaml > other.yaml
section input; oneclock run other.yaml 2>&1; echo "status $?"
section well; oneclock run topology.yaml --json 2>&1 >/dev/null; echo "status $?"
`);
    expect(sections.get('key')).toBe(
      'oneclock: bp1: the agent at 127.0.0.1:7424 has another key: give both the same key file\nstatus 3',
    );
    expect(sections.get('high')).toBe(
      'oneclock: the wire that freezes boards is up before the run begins, held by gpiochip0/2: let go of it, or look for ' +
        'what else is connected there\nstatus 3',
    );
    expect(sections.get('chip')).toBe(
      'oneclock: the line gpiochip9:4 cannot be taken: /dev/gpiochip9: No such file or directory\nstatus 4',
    );
    expect(sections.get('input')).toBe(
      'oneclock: the line gpiochip0:3 cannot be taken: GPIO_V2_GET_LINE: Invalid argument\nstatus 4',
    );
    expect(sections.get('unconnected')).toBe(
      'oneclock: bp1 does not freeze: its pause line, wire-free, sees no edge within 5 s\nstatus 3',
    );
    expect(sections.get('well')).toBe('status 0');
  });
});
