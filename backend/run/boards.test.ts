// SPDX-License-Identifier: MIT
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { numbers } from '../calendar/testing/model.js';
import { OneclockError } from '../errors.js';
import type { BoardLinkOptions } from '../participants/board-link.js';
import { loadTopology, type Topology } from '../topology/index.js';
import { BoardWorld, type Deed, type WorldOptions } from './testing/board-world.js';
import { type FakeBoard, Wall } from './testing/fake-board.js';

const { linked } = vi.hoisted(() => ({ linked: new Map<string, FakeBoard>() }));
vi.mock('../participants/board-link.js', () => ({
  BoardLink: {
    connect: async (options: BoardLinkOptions) => linked.get(options.name)?.connect(options),
  },
}));

const US = 1_000n;
const MS = 1_000_000n;
const S = 1_000_000_000n;

let wall: Wall;
beforeEach(() => {
  wall = new Wall();
  vi.spyOn(process.hrtime, 'bigint').mockImplementation(() => wall.ns);
  vi.spyOn(performance, 'now').mockImplementation(() => Number(wall.ns) / 1e6);
});
afterEach(() => {
  vi.restoreAllMocks();
  linked.clear();
});

/** Boards bp1 and bp2, and the guest g with a pin on their wire. */
function topology({ until = '1s', board = '', pins = ', g.gpio0', rest = '' } = {}): Topology {
  const result = loadTopology(
    `name: t
until: ${until}
nodes:
  g: { kind: uml, interfaces: { eth0: {} } }
  bp1: { kind: board, interfaces: { eth0: {} }${board} }
  bp2: { kind: board, interfaces: { eth0: {} } }
wires:
  - { name: freeze, pins: [bp1.gpio0, bp1.gpio1, bp2.gpio0, bp2.gpio1${pins}], role: freeze }
${rest}`,
    't.yaml',
  );
  if (result.topology === undefined) throw new Error(JSON.stringify(result.problems));
  return result.topology;
}

const LAN = 'switches: [{ name: lan, ports: [g.eth0, bp1.eth0, bp2.eth0], latency: 2ms }]';

function world(options: Partial<WorldOptions> = {}): BoardWorld {
  return new BoardWorld(wall, (board) => linked.set(board.name, board), { topology: topology(), ...options });
}

async function begun(options: Partial<WorldOptions> = {}): Promise<BoardWorld> {
  const made = world(options);
  await made.begin();
  return made;
}

/** Something each `period`, which takes `wallNs` of wall time. */
function* busy(period: bigint, wallNs: () => bigint): Generator<Deed> {
  for (let at = period; ; at += period) yield { at, wallNs: wallNs() };
}

function lineIsUp({ log }: BoardWorld): boolean {
  return log.findLast((line) => line.includes(' line '))?.endsWith('1') ?? false;
}

describe('boards, before a run', () => {
  it('are taken, frozen, and made to start what they run', async () => {
    const { log, fakes, boards, calendar } = await begun({
      topology: topology({ board: ', run: date, tdf: 2000, watchdog: 3s' }),
      boards: { bp1: { pauseNs: 300n * US } },
    });
    expect(fakes[0]?.calls).toEqual([
      'start the machine',
      'connect',
      'load {"pause":"chip:gpio0","signal":"chip:gpio1"}',
      'configure {"tdf":2000,"watchdogMs":3000}',
      'run date',
    ]);
    expect(fakes[1]?.calls.slice(2)).toEqual([
      'load {"pause":"chip:gpio0","signal":"chip:gpio1"}',
      'configure {"tdf":1000,"watchdogMs":10000}',
    ]);
    expect(log).toEqual(['0 line 1', 'begin']);
    expect(fakes.map(({ frozen }) => frozen)).toEqual([true, true]);
    expect([boards.timeline.now, calendar.waiting]).toEqual([0n, true]);
  });

  it('must freeze', async () => {
    const made = world();
    made.board('bp2').isDeaf = true;
    await expect(made.begin()).rejects.toThrow(
      'bp2 does not freeze: its pause line, gpio0, sees no edge within 5 s',
    );
    expect(wall.ns).toBeLessThan(6n * S);
  });

  it('must not be frozen already', async () => {
    const made = world();
    made.boards.drive(made.node('bp2'), undefined, 1, 1);
    await expect(made.begin()).rejects.toThrow(
      'the wire that freezes boards is up before the run begins, held by bp2.gpio1: let go of it, or look for what else ' +
        'is connected there',
    );
  });

  it('have no result where they never began', () => {
    const made = world();
    expect(made.boards.resultOf(made.node('bp1'))).toBeUndefined();
    expect(made.boards.resultOf(made.guest('g').node)).toBeUndefined();
  });
});

describe('boards and guests', () => {
  it('come to the end in wall time where guests have nothing to do', async () => {
    const made = await begun({ topology: topology({ until: '100ms' }) });
    const from = wall.ns;
    made.go();
    expect(made.ended).toBe(`until ${100n * MS}`);
    expect(wall.ns - from).toBe(100n * MS);
    // The line fell when the run began, and rose at its end at most.
    expect(made.boards.edges).toBeLessThanOrEqual(3);
  });

  it.each([0n, 300n * US])(
    'are held to one clock where guests are slow; looked at %d ns late',
    async (late) => {
      const random = numbers(5);
      const made = await begun({
        topology: topology({ until: '300ms', pins: '', rest: LAN }),
        guests: { g: busy(MS, () => 3n * MS) },
        sleepyNs: () => (late === 0n ? 0n : BigInt(random(Number(late)))),
        boards: { bp1: {}, bp2: {} },
      });
      const from = wall.ns;
      let ahead = 0n;
      made.go(() => {
        const behind = made.boards.timeline.now - made.guest('g').now;
        if (behind > ahead) ahead = behind;
        expect(made.guest('g').now - made.boards.timeline.now).toBeLessThanOrEqual(2n * MS);
        return false;
      });
      expect(made.ended).toBe(`until ${300n * MS}`);
      // 299 times 3 ms, while the boards went through 300 ms.
      expect(wall.ns - from).toBeGreaterThan(890n * MS);
      expect(ahead).toBeLessThanOrEqual(3n * MS + late);
      const [bp1] = made.boards.list;
      await made.boards.end();
      const result = bp1 && made.boards.resultOf(bp1.node);
      expect(Number(result?.frozenNs)).toBeGreaterThan(550e6);
      expect(result).toMatchObject({ skewNs: { mean: 0, max: 0 }, clock: 'hidden' });
      expect(result?.frozenFraction).toBeCloseTo(Number(result?.frozenNs) / Number(wall.ns - from), 2);
    },
  );

  it.each([
    [
      'pauses come late',
      { pauseNs: 900n * US, resumeNs: 50n * US },
      { pauseNs: 400n * US, resumeNs: 60n * US },
    ],
    [
      'resumes come late',
      { pauseNs: 50n * US, resumeNs: 900n * US },
      { pauseNs: 60n * US, resumeNs: 400n * US },
    ],
    ['one of each', { pauseNs: 500n * US }, { resumeNs: 500n * US }],
    ['clocks drift', { drift: 40_000n }, { drift: -90_000n }],
    ['news is slow', { pauseNs: 300n * US, lagNs: 9n * MS }, { resumeNs: 100n * US, lagNs: 2n * MS }],
  ])('agree on the mean of the boards over 2000 freezes: %s', async (_what, bp1, bp2) => {
    const random = numbers(11);
    const made = await begun({
      topology: topology({ until: '100s', pins: '', rest: LAN }),
      guests: { g: busy(3n * MS, () => BigInt(3 + random(8)) * MS) },
      boards: { bp1, bp2 },
    });
    const zeros = made.fakes.map(({ virtualNs }) => virtualNs);
    let worst = 0n;
    let freezes = 0;
    let was = true;
    made.go(() => {
      const frozen = made.fakes.every((board) => board.frozen);
      if (frozen && !was) {
        freezes++;
        const sum = made.fakes.reduce(
          (all, { virtualNs }, place) => all + virtualNs - (zeros[place] as bigint),
          0n,
        );
        const error = made.boards.timeline.now - sum / 2n;
        if (error > worst || -error > worst) worst = error < 0n ? -error : error;
      }
      was = frozen;
      return freezes >= 2_000;
    });
    expect(freezes).toBe(2_000);
    expect(worst).toBeLessThan(MS);
    await made.boards.end();
    const results = made.boards.list.map(({ node }) => made.boards.resultOf(node));
    for (const result of results) expect(result?.freezes).toBeGreaterThanOrEqual(1_990);
  });
});

describe('the controller', () => {
  it('freezes no board for so short that it would miss it, and waits for none that sees nothing', async () => {
    const made = await begun({
      topology: topology({ until: '2s', pins: '', rest: LAN }),
      guests: { g: busy(3n * MS, () => 3_200n * US) },
      boards: { bp1: { pauseNs: 2n * MS, resumeNs: MS }, bp2: { pauseNs: 20n * US } },
    });
    const rises = () => made.log.filter((line) => line.endsWith('line 1')).length;
    made.go(() => rises() > 100);
    const before = made.boards.timeline.now;
    made.go(() => !lineIsUp(made) && made.fakes.every(({ isSettled }) => isSettled));
    // The news of the last one, of each board.
    wall.pass(0n);
    wall.pass(0n);
    for (const { node } of made.boards.list) {
      // The one in which the run began does not count.
      expect(made.boards.resultOf(node)?.freezes).toBe(rises() - 1);
    }
    made.board('bp1').isDeaf = true;
    made.go(() => made.boards.timeline.now > before + 100n * MS);
    expect(made.ended).toBeUndefined();
  });
});

describe('a guest that freezes the boards', () => {
  const raising = (...deeds: Deed[]): Partial<WorldOptions> => ({ guests: { g: deeds } });
  const drive = (level: 0 | 1 | undefined) => () => made.drive('g', level);
  let made: BoardWorld;
  const lines = () => made.log.filter((line) => line.includes(' line '));

  it('holds them from the latency of the wire later until it lowers the line, and they see nothing of it', async () => {
    made = await begun(
      raising({ at: 5n * MS, act: drive(1) }, { at: 5n * MS, wallNs: 2n * S, act: drive(0) }),
    );
    const from = wall.ns;
    made.go(() => made.boards.timeline.now >= 50n * MS);
    expect(lines().slice(0, 2)).toEqual(['0 line 1', '0 line 0']);
    expect(made.log).not.toContainEqual(expect.stringContaining('stuck'));
    // The guest itself sees the edges when virtual time lets it.
    expect(made.log).toContainEqual(expect.stringMatching(/^1\d{7} g\.gpio0 sees 1$/));
    expect(wall.ns - from).toBeGreaterThan(2n * S);
    expect(wall.ns - from).toBeLessThan(2n * S + 60n * MS);
    expect(made.fakes.map(({ frozen }) => frozen)).toEqual([false, false]);
  });

  it.each([0n, 1n, 500n * US])('may lower it %d ns of virtual time later', async (later) => {
    made = await begun(raising({ at: 5n * MS, act: drive(1) }, { at: 5n * MS + later, act: drive(0) }));
    made.go(() => made.boards.timeline.now >= 50n * MS);
    expect(made.log).not.toContainEqual(expect.stringContaining('stuck'));
    expect(lines().at(-1)).toMatch(/line 0$/);
  });

  it('may raise it twice and lower it once', async () => {
    made = await begun(
      raising(
        { at: 5n * MS, act: drive(1) },
        { at: 5n * MS + 400n * US, act: drive(1) },
        { at: 5n * MS + 500n * US, act: drive(undefined) },
      ),
    );
    made.go(() => made.boards.timeline.now >= 50n * MS);
    expect(made.log).not.toContainEqual(expect.stringContaining('stuck'));
    expect(lines().at(-1)).toMatch(/line 0$/);
  });

  it('is not sent into its past where the boards were frozen late', async () => {
    const late = 1_500n * US;
    made = await begun({
      topology: topology({ rest: LAN }),
      guests: {
        g: [
          { at: 5n * MS, act: drive(1) },
          { at: 8n * MS, act: drive(0) },
        ],
      },
      sleepyNs: () => late,
    });
    // Frozen at 6.5 ms or so, it may go 2 ms further than that.
    made.go(() => made.boards.timeline.now >= 50n * MS);
    expect(made.log).not.toContainEqual(expect.stringContaining('stuck'));
    expect(made.guest('g').now).toBeGreaterThanOrEqual(8n * MS);
  });

  it('is told where nothing can go on', async () => {
    made = await begun(raising({ at: 5n * MS, act: drive(1) }));
    made.go();
    expect(made.log.at(-1)).toBe(
      'stuck: g.gpio0 freezes the boards, and no guest may go further than they are: it has to lower the line ' +
        'before anything else happens in virtual time',
    );
    expect(made.boards.timeline.now).toBeLessThan(6n * MS);
  });

  it('holds nobody any more when it has gone, though the rise was still on its way', async () => {
    made = await begun(
      raising({
        at: 5n * MS,
        act: () => {
          made.drive('g', 1);
          made.boards.release(made.guest('g').node);
        },
      }),
    );
    made.go(() => made.boards.timeline.now >= 50n * MS);
    expect(made.ended).toBeUndefined();
    expect(made.fakes.map(({ frozen }) => frozen)).toEqual([false, false]);
  });

  it('holds nobody any more when it has gone later', async () => {
    made = await begun(raising({ at: 5n * MS, act: drive(1) }, { at: 5n * MS, wallNs: S }));
    made.go(() => made.fakes.every(({ frozen }) => frozen) && wall.ns > 500n * MS);
    made.boards.release(made.guest('g').node);
    made.go(() => made.boards.timeline.now >= 50n * MS);
    expect(made.ended).toBeUndefined();
  });
});

describe('a board that freezes the others', () => {
  it('by its signal line, as long as it likes; guests see both edges at one instant of theirs', async () => {
    const made = await begun({ guests: { g: busy(MS, () => 10n * US) } });
    wall.in(30n * MS, () => made.boards.drive(made.node('bp1'), undefined, 1, 1));
    made.go(() => made.fakes.every(({ frozen }) => frozen) && made.boards.timeline.now > 25n * MS);
    const at = made.boards.timeline.now;
    const seen = made.guest('g').now;
    wall.in(3n * S, () => made.boards.drive(made.node('bp1'), undefined, 1, 0));
    made.go(() => made.fakes.every(({ frozen }) => !frozen));
    expect(made.boards.timeline.now).toBe(at);
    expect(seen - at).toBeLessThanOrEqual(10n * MS);
    expect(made.guest('g').now - at).toBeLessThanOrEqual(10n * MS);
    made.go(() => made.boards.timeline.now > at + 20n * MS);
    const edges = made.log.filter((line) => line.includes('g.gpio0 sees')).slice(-2);
    expect(edges).toEqual([`${at + 10n * MS} g.gpio0 sees 1`, `${at + 10n * MS} g.gpio0 sees 0`]);
    expect(made.log).not.toContainEqual(expect.stringContaining('stuck'));
  });

  it('is let go by the watchdogs, which hear nothing of us meanwhile', async () => {
    const made = await begun();
    wall.in(5n * MS, () => made.boards.drive(made.node('bp1'), undefined, 1, 1));
    const from = wall.ns;
    made.go(() => wall.ns - from > 12n * S);
    expect(made.fakes.map(({ watchdogMs }) => watchdogMs)).toEqual([10_000, 10_000]);
  });

  it('lets go of the line when it has gone', async () => {
    const made = await begun();
    made.go(() => made.boards.timeline.now > 5n * MS);
    made.boards.drive(made.node('bp1'), undefined, 1, 1);
    made.boards.gone(made.boards.list[0] as (typeof made.boards.list)[0]);
    made.go(() => made.boards.timeline.now > 50n * MS);
    expect(made.board('bp2').frozen).toBe(false);
    expect(made.fakes[0]?.calls.slice(-2)).toEqual(['close', 'close the machine']);
  });
});

describe('the watchdogs', () => {
  it('wait as long as guests keep the boards frozen, and no longer', async () => {
    const made = await begun({
      topology: topology({ board: ', watchdog: 1s', pins: '' }),
      guests: { g: [{ at: MS, wallNs: 15n * S }] },
    });
    const from = wall.ns;
    let frozenAt = 0n;
    let least = S;
    let most = 0n;
    made.go(() => {
      if (frozenAt === 0n && made.fakes.every(({ frozen }) => frozen) && wall.ns > from + 5n * MS)
        frozenAt = wall.ns;
      const up = lineIsUp(made);
      for (const { watchdogMs } of made.fakes) {
        const waits = BigInt(watchdogMs) * MS;
        const left = waits - (wall.ns - frozenAt);
        if (up && frozenAt > 0n && left < least) least = left;
        if (waits - (wall.ns - from) > most) most = waits - (wall.ns - from);
      }
      return made.boards.timeline.now > 20n * MS;
    });
    expect(frozenAt).toBeGreaterThan(0n);
    expect(wall.ns - from).toBeGreaterThan(15n * S);
    expect(least).toBeGreaterThan(400n * MS);
    expect(most).toBeLessThan(10_100n * MS);
    // Let go, they wait as long as they were told to.
    expect(made.fakes.map(({ watchdogMs }) => watchdogMs)).toEqual([1_000, 10_000]);
  });

  it('that let a board go are a failure of the board, but not where that was before', async () => {
    const made = world();
    made.board('bp1').watchdogReleases = 4n;
    await made.begin();
    made.go(() => made.boards.timeline.now > 50n * MS);
    expect(made.log).not.toContainEqual(expect.stringContaining('failed'));
    made.board('bp1').watchdogReleases = 5n;
    made.boards.drive(made.node('bp2'), undefined, 1, 1);
    made.board('bp1').sense(0);
    made.go(() => made.log.some((line) => line.includes('failed')));
    expect(made.log.at(-1)).toBe('bp1 failed: bp1 was let go by its watchdog while bp2.gpio1 froze it');
  });
});

describe('what boards tell', () => {
  it('has the time of the board', async () => {
    const made = await begun({ topology: topology({ board: ', run: date' }) });
    made.go(() => made.boards.timeline.now >= 5n * MS);
    const board = made.board('bp1');
    const { time } = board;
    const at = made.boards.timeline.now;
    board.tell({ type: 'console', run: 1, time, data: Buffer.from('hello'), dropped: 0n });
    board.tell({ type: 'exited', run: 2, time, code: 1 });
    board.tell({ type: 'exited', run: 1, time, code: 3 });
    board.tell({ type: 'problem', errno: '', text: 'no such line' });
    board.lose(new OneclockError('PARTICIPANT', 'bp1 is lost'));
    expect(made.log.slice(-4)).toEqual([
      `bp1 says hello at ${at}`,
      `bp1 ended with 3 at ${at}`,
      'bp1 failed: bp1: no such line',
      'bp1 failed: bp1 is lost',
    ]);
  });

  it('is of no interest once it is over', async () => {
    const made = await begun();
    await made.boards.end();
    const before = made.log.length;
    made.board('bp1').tell({ type: 'problem', errno: '', text: 'too late' });
    made.board('bp1').lose(new OneclockError('PARTICIPANT', 'too late'));
    expect(made.log.length).toBe(before);
    expect(made.fakes[0]?.calls.slice(-2)).toEqual(['close', 'close the machine']);
  });
});
