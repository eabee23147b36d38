// SPDX-License-Identifier: MIT
import { beforeEach, describe, expect, test } from 'vitest';
import type { Edge, EdgeListener, Level } from '../../host/gpio/index.js';
import { FakeLine } from '../../host/gpio/testing/fake-line.js';
import { CONTROLLER, FreezeLine } from './freeze-line.js';
import { HostLine } from './host-line.js';

/** What the kernel knows of an input: its edges wait until somebody takes them. */
class QueuedLine extends FakeLine {
  readonly #waiting: (() => void)[] = [];

  override watch({ onEdge, onError }: EdgeListener): () => void {
    const later = (edge: Edge) => this.#waiting.push(() => onEdge(edge));
    return super.watch({ onEdge: later, onError });
  }

  take(): void {
    for (const tell of this.#waiting.splice(0)) tell();
  }
}

/** A cable that is pulled down, or up, with our two lines and somebody else on it. */
class Cable {
  time = 0n;
  readonly drive: FakeLine;
  readonly sense: QueuedLine;
  readonly failures: string[] = [];
  readonly line: HostLine;
  #other = false;

  constructor(
    readonly active: Level = 1,
    ours: { readonly drive: boolean; readonly sense: boolean } = { drive: true, sense: true },
  ) {
    const now = () => this.time;
    const idle = active === 1 ? 0 : 1;
    this.sense = new QueuedLine('sense', now);
    this.sense.outside = idle;
    const wired = this.#settle.bind(this);
    this.drive = new (class extends FakeLine {
      override write(level: Level): void {
        super.write(level);
        wired();
      }
    })('drive', now);
    this.drive.setDirection('out', idle);
    this.line = new HostLine(
      {
        name: 'sense',
        drive: ours.drive ? this.drive : undefined,
        sense: ours.sense ? this.sense : undefined,
        active,
        failed: (error) => this.failures.push(error.message),
      },
      now,
    );
  }

  /** What somebody else does. */
  set other(active: boolean) {
    this.#other = active;
    this.#settle();
  }

  get level(): Level {
    return this.drive.driven === this.active || this.#other === true
      ? this.active
      : this.active === 1
        ? 0
        : 1;
  }

  #settle(): void {
    this.time++;
    this.sense.outside = this.level;
  }
}

describe.each<[string, Level]>([
  ['pulled down', 1],
  ['pulled up', 0],
])('copper that is %s', (_name, active) => {
  let cable: Cable;
  let heard: boolean[];
  beforeEach(() => {
    cable = new Cable(active);
    heard = [];
    cable.line.listen((held) => heard.push(held));
  });

  test('our own edges are not heard', () => {
    cable.line.drive(true);
    expect(cable.level).toBe(active);
    cable.sense.take();
    cable.line.drive(false);
    expect(cable.level).toBe(active === 1 ? 0 : 1);
    cable.sense.take();
    // Nor those that are told when it is all over.
    cable.line.drive(true);
    cable.line.drive(false);
    cable.sense.take();
    expect(heard).toEqual([]);
  });

  test("others' edges are", () => {
    cable.other = true;
    cable.sense.take();
    cable.other = false;
    cable.sense.take();
    // A pulse that is told when it is over has both.
    cable.other = true;
    cable.other = false;
    cable.sense.take();
    expect(heard).toEqual([true, false, true, false]);
  });

  test('others who began while we held it are heard when we let go', () => {
    cable.line.drive(true);
    cable.other = true;
    cable.sense.take();
    expect(heard).toEqual([]);
    cable.line.drive(false);
    expect(heard).toEqual([true]);
    cable.other = false;
    cable.sense.take();
    expect(heard).toEqual([true, false]);
  });

  test('others who let go while we held it are heard of when we let go', () => {
    cable.other = true;
    cable.sense.take();
    cable.line.drive(true);
    cable.other = false;
    cable.sense.take();
    expect(heard).toEqual([true]);
    cable.line.drive(false);
    expect(heard).toEqual([true, false]);
    cable.sense.take();
    expect(heard).toEqual([true, false]);
  });

  test('edges that wait since before we let go are not taken for new ones', () => {
    cable.other = true;
    cable.line.drive(true);
    cable.other = false;
    cable.line.drive(false);
    cable.other = true;
    expect(heard).toEqual([]);
    cable.sense.take();
    expect(heard).toEqual([true]);
  });

  test('copper that falls slowly is theirs until it has fallen', () => {
    cable.line.drive(true);
    cable.sense.take();
    cable.other = true;
    cable.line.drive(false);
    expect(heard).toEqual([true]);
    // What was somebody else here may as well be a capacity.
    cable.other = false;
    cable.sense.take();
    expect(heard).toEqual([true, false]);
  });

  test('closing lets go of it', () => {
    cable.line.drive(true);
    cable.line.close();
    cable.line.close();
    expect(cable.level).toBe(active === 1 ? 0 : 1);
    expect([cable.drive.open, cable.sense.open, cable.sense.watched]).toEqual([false, false, false]);
    expect(heard).toEqual([]);
  });
});

test('copper that somebody holds from the beginning is told of at once', () => {
  const cable = new Cable();
  cable.other = true;
  const heard: boolean[] = [];
  cable.line.listen((held) => heard.push(held));
  expect(heard).toEqual([true]);
});

test('without a line that drives, what is heard is always of others', () => {
  const cable = new Cable(1, { drive: false, sense: true });
  const heard: boolean[] = [];
  cable.line.listen((held) => heard.push(held));
  cable.line.drive(true);
  expect(cable.level).toBe(0);
  cable.other = true;
  cable.sense.take();
  expect(heard).toEqual([true]);
});

test('without a line that hears, nothing is heard', () => {
  const cable = new Cable(1, { drive: true, sense: false });
  const heard: boolean[] = [];
  cable.line.listen((held) => heard.push(held));
  cable.other = true;
  cable.line.drive(true);
  cable.line.drive(false);
  expect(heard).toEqual([]);
});

test('a line that cannot be driven is said to be so, and is given back all the same', () => {
  const cable = new Cable();
  cable.drive.failing.set('write', 'no');
  expect(() => cable.line.drive(true)).toThrow('the line drive cannot be driven: no');
  cable.line.close();
  expect([cable.drive.open, cable.sense.open]).toEqual([false, false]);
});

describe('the line that freezes boards, with copper', () => {
  let cable: Cable;
  let line: FreezeLine;
  let levels: Level[];
  beforeEach(() => {
    cable = new Cable();
    levels = [];
    line = new FreezeLine((level) => levels.push(level));
    line.join(cable.line);
  });

  test('it does not hold itself', () => {
    line.raise(CONTROLLER);
    expect(cable.level).toBe(1);
    cable.sense.take();
    line.lower(CONTROLLER);
    cable.sense.take();
    expect([cable.level, line.level, line.holders]).toEqual([0, 0, []]);
    expect(levels).toEqual([1, 0]);
  });

  test('somebody on the copper holds it, and we do not hold the copper for him', () => {
    cable.other = true;
    cable.sense.take();
    expect([line.holders, cable.drive.driven]).toEqual([['sense'], 0]);
    cable.other = false;
    cable.sense.take();
    expect(levels).toEqual([1, 0]);
  });

  test('it stays up from one holder to the next, on the copper too', () => {
    cable.other = true;
    cable.sense.take();
    line.raise(CONTROLLER);
    expect(cable.drive.driven).toBe(1);
    cable.other = false;
    cable.sense.take();
    expect(cable.level).toBe(1);
    cable.other = true;
    line.raise('a.gpio0');
    line.lower(CONTROLLER);
    expect(cable.drive.driven).toBe(1);
    line.lower('a.gpio0');
    expect([cable.drive.driven, line.holders]).toEqual([0, ['sense']]);
    expect(levels).toEqual([1]);
    cable.other = false;
    cable.sense.take();
    expect(levels).toEqual([1, 0]);
  });
});
