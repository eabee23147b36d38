// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest';
import { Workspace } from '../support/cli.js';
import { fakeKernel } from '../support/fake.js';

/** No misbehaviour may hold the run up for longer; the slowest is a guest that closes a socket and lives on. */
const BOUND_MS = 30_000;

const topology = (kernel: string) => `
name: faulty
until: 10s
nodes:
  bad: { kind: uml, kernel: ${kernel}, run: 'true' }
`;

/** What each misbehaviour is called, by the guest's own reason in the result. */
const FAULTS: readonly (readonly [behaviour: string, reason: RegExp])[] = [
  ['exits before it connects', /^its process ended with exit code 3; its last message was nothing$/],
  ['dies before it connects', /^its process ended by signal SIGSEGV; its last message was nothing$/],

  [
    'sends garbage for time',
    /^its first message was (operation )?\w+, where START was expected; its last message was /,
  ],
  ['sends half a message', /^its time socket was closed \(.*\); its last message was nothing$/],
  [
    'sends WAIT first',
    /^its first message was WAIT, where START was expected; its last message was WAIT \(sequence 1,/,
  ],
  [
    'sends START twice',
    /^it sent START, which a client does not send here; its last message was START \(sequence 2,/,
  ],
  ['sends START twice at once', /^it sent START, which a client does not send here; /],
  ['sends RUN', /^it sent RUN, which a client does not send here; its last message was RUN \(sequence 2,/],
  ['sends an unknown operation', /^it sent operation 99, which a client does not send here; /],
  [
    'runs past its time',
    /^it ran past its time: it came to 1152921504\.606846976,? .*; its last message was UPDATE /,
  ],
  [
    'goes back in time',
    /^its time went back from 0\.000005000 to 0\.000004999; its last message was UPDATE /,
  ],
  ['asks for the past', /^it asked to run at 0\.000004999, when it was 0\.000005000 already; .* REQUEST /],
  ['acknowledges nothing', /^it acknowledged message 77, where none was expected; its last message was ACK /],
  [
    'acknowledges with a wrong sequence',
    /^it acknowledged message \d+, where that of \d+ was expected; .* ACK /,
  ],
  ['closes its time socket at once', /^its time socket was closed \(.*\); its last message was nothing$/],
  ['closes its time socket after START', /^its time socket was closed \(.*\); its last message was START /],
  ['closes its time socket while it runs', /^its time socket was closed \(.*\); its last message was START /],
  ['closes its time socket with a message unanswered', /^its time socket was closed \(.*\); .* WAIT /],
  ['reads nothing', /^its time socket was closed \(.*\); its last message was GET /],

  ['sends garbage to a device', /^console of bad: .* \(last message: /],
  ['sends a message that is too long to a device', /^console of bad: .* \(last message: /],
  ['shares memory that is none', /^console of bad: .* \(last message: SET_MEM_TABLE\)/],
  ['closes a device at once', /^console of bad was closed \(.*\); its last message was START /],
  [
    'closes a device that is set up',
    /^(console of bad|its time socket) was closed \(.*\); its last message was START /,
  ],
  ['has a chain without an end', /^console of bad: .*head 0 .* \(last message: VRING_KICK\)/],
  [
    'has a buffer outside its memory',
    /^console of bad: .*head 0 .* outside shared memory \(last message: VRING_KICK\)/,
  ],
  ['has a buffer of 4 GiB', /^console of bad: .*head 0 .* \(last message: VRING_KICK\)/],
  [
    'has a descriptor that is not in the queue',
    /^console of bad: .*head 0 .*4711 of 8 \(last message: VRING_KICK\)/,
  ],
  ['has a table of tables', /^console of bad: .*head 0 .* \(last message: VRING_KICK\)/],
  ['offers more buffers than there are', /^console of bad: .* \(last message: VRING_KICK\)/],
];

describe('a guest that breaks a protocol fails, and nothing else', () => {
  test.each(FAULTS)('it %s', async (behaviour, reason) => {
    const space = new Workspace();
    const run = await space.runTopology(topology(await fakeKernel(space, behaviour)));
    run.expectStatus(3);
    expect(run.wallMs).toBeLessThan(BOUND_MS);
    expect(run.result).toMatchObject({ status: 'error', exitCode: 3 });
    expect(run.node('bad').state).toBe('crashed');
    expect(run.node('bad').reason).toMatch(reason);
    // Who, when by both clocks, and what.
    expect(run.stderr).toMatch(
      /^oneclock: bad failed at \d+\.\d{9} s of virtual and \d+\.\d s of wall time: .+\n$/,
    );
    expect(run.stderr).toContain(run.node('bad').reason);
    expect(run.result.reason).toBe(run.stderr.slice('oneclock: '.length, -1));
  });

  test('it does nothing at all: it hangs', async () => {
    const space = new Workspace();
    const run = await space.runTopology(topology(await fakeKernel(space, 'does nothing')), ['--hang', '1s']);
    run.expectStatus(3);
    expect(run.wallMs).toBeLessThan(BOUND_MS);
    expect(run.node('bad').state).toBe('hung');
    expect(run.node('bad').reason).toBe(
      'it hangs: no message for 1 s of wall time; its last message was nothing',
    );
  });
});

/** Two real guests, and one that misbehaves while they run, which is always when it is not its turn. */
const IN_COMPANY: readonly (readonly [behaviour: string, reason: RegExp])[] = [
  ['sends WAIT twice', /^it sent WAIT while it was waiting already; its last message was WAIT \(sequence 3,/],
  ['goes on while it waits', /^it sent UPDATE, which a client does not send here; /],
  ['broadcasts while it waits', /^it sent a broadcast while it was quiet; its last message was BROADCAST /],
  ['asks for the past of others', /^it asked to run while it was quiet; its last message was REQUEST /],
  ['kicks while it waits', /^it wrote to its console while it was quiet; its last message was WAIT /],
  ['acknowledges with a wrong sequence', /^it acknowledged message \d+, where that of \d+ was expected; /],
  ['closes its time socket while it waits', /^its time socket was closed \(.*\); its last message was WAIT /],
  ['ends while it waits', /^its process ended with exit code 5; its last message was WAIT /],
  ['closes a device that is set up', /^(console of bad|its time socket) was closed \(.*\); /],
  ['has a chain without an end', /^console of bad: .*head 0 /],
];

const company = (kernel: string, onFailure: string) => `
name: company
until: 20s
nodes:
  a: { kind: uml, interfaces: { eth0: { address: 10.0.0.1/24 } }, run: sleep 1; ping -c 500 -i 0.005 10.0.0.2 }
  b: { kind: uml, interfaces: { eth0: { address: 10.0.0.2/24 } } }
  bad:
    kind: uml
    kernel: ${kernel}
    interfaces: { eth0: {} }
    expect: running
    on-failure: ${onFailure}
switches:
  - { name: lan, ports: [a.eth0, b.eth0, bad.eth0], latency: 1ms }
`;

describe('a guest that fails while others run fails the run', () => {
  test.each(IN_COMPANY)('it %s', async (behaviour, reason) => {
    const space = new Workspace();
    const run = await space.runTopology(company(await fakeKernel(space, behaviour), 'fail'));
    run.expectStatus(3);
    expect(run.wallMs).toBeLessThan(BOUND_MS);
    expect(run.node('bad')).toMatchObject({ state: 'crashed', reason: expect.stringMatching(reason) });
    expect(run.stderr).toContain('oneclock: bad failed at ');
    for (const name of ['a', 'b']) expect(run.node(name).reason).toBeNull();
  });
});

describe('with `on-failure: evict` the others go on', () => {
  test.each(IN_COMPANY)('it %s', async (behaviour, reason) => {
    const space = new Workspace();
    // Once: what a guest does while it is quiet, it does at no virtual time.
    const run = await space.runOnce(company(await fakeKernel(space, behaviour), 'evict'));
    run.expectStatus(0);
    expect(run.wallMs).toBeLessThan(BOUND_MS);
    expect(run.result).toMatchObject({ status: 'ok', reason: null });
    expect(run.node('bad')).toMatchObject({ state: 'evicted', reason: expect.stringMatching(reason) });
    expect(run.lines('a').join('\n')).toContain(
      '500 packets transmitted, 500 packets received, 0% packet loss',
    );
  });
});

describe('a kernel that is none', () => {
  test.each([
    ['/bin/true', /^its process ended with exit code 0; its last message was nothing$/],
    ['/bin/false', /^its process ended with exit code 1; its last message was nothing$/],
    [
      '/bin/cat',
      /^its process ended with exit code 1; its last message was nothing; it said: .*No such file/,
    ],
  ])('%s', async (kernel, reason) => {
    const run = (await new Workspace().runTopology(topology(kernel))).expectStatus(3);
    expect(run.wallMs).toBeLessThan(BOUND_MS);
    expect(run.node('bad')).toMatchObject({ state: 'crashed', exit: null });
    expect(run.node('bad').reason).toMatch(reason);
  });

  test('a file that no system can execute', async () => {
    const space = new Workspace();
    const kernel = space.write('kernel', '\0not a program', 0o755);
    const run = await space.runTopology(topology(kernel));
    expect(run.status).toBe(4);
    expect(run.stderr).toContain(kernel);
  });

  test('a kernel that is not there: 4, and what to do', async () => {
    const space = new Workspace();
    const run = await space.runTopology(topology('/nowhere/linux'));
    expect(run.status).toBe(4);
    expect(run.stdout).toBe('');
    expect(run.stderr).toContain('/nowhere/linux');
    expect(run.stderr).toContain('correct `kernel:` in the topology');
  });

  test('the kernel of this project is not there: 4, and the command that makes it', async () => {
    const space = new Workspace();
    const file = space.write('topology.yaml', 'name: t\nnodes: { a: { kind: uml, run: "true" } }\n');
    const { status, stderr } = await space.run(['run', file], { ONECLOCK_UML_KERNEL: '/nowhere/linux' });
    expect(status).toBe(4);
    expect(stderr).toContain('there is no User-Mode Linux kernel at /nowhere/linux: run "make kernel"');
  });
});
