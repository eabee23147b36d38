// SPDX-License-Identifier: MIT
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it, test } from 'vitest';
import { DeviceLine, type Edge, SysfsLine } from './index.js';
import { FakeLine, type LineStep } from './testing/fake-line.js';
import { LineEventId, LineFlag } from './uapi.js';

describe('a fake line', () => {
  it('keeps what it is made, and tells of what happens outside', () => {
    const line = new FakeLine('x', () => 7n);
    const edges: Edge[] = [];
    const onError = () => expect.unreachable();
    const end = line.watch({ onEdge: (edge) => edges.push(edge), onError });
    line.outside = 1;
    line.outside = 1;
    expect(line.read()).toBe(1);
    end();
    line.outside = 0;
    expect(edges).toEqual([{ level: 1, at: 7n }]);
    line.setDirection('out', 1);
    expect(line.read()).toBe(1);
    line.write(0);
    expect([line.read(), line.driven]).toEqual([0, 0]);
  });

  it.each<[LineStep, (line: FakeLine) => void, string]>([
    ['read', (line) => line.read(), 'the line x cannot be read: no'],
    ['write', (line) => line.write(1), 'the line x cannot be driven: no'],
    ['setDirection', (line) => line.setDirection('in'), 'the line x cannot be made an input: no'],
    ['close', (line) => line.close(), 'the line x cannot be given back: no'],
  ])('fails where it is to: %s', (step, act, message) => {
    const line = new FakeLine('x');
    line.setDirection('out', 0);
    line.failing.set(step, 'no');
    expect(() => act(line)).toThrow(message);
    expect([line.direction, line.driven, line.open]).toEqual(['out', 0, true]);
  });

  it('is one thing at a time', () => {
    const line = new FakeLine('x');
    const listener = { onEdge: () => undefined, onError: () => undefined };
    expect(() => line.write(1)).toThrow('the line x cannot be driven: it is an input');
    line.setDirection('out', 0);
    expect(() => line.watch(listener)).toThrow('the line x cannot be watched: it is an output');
    line.failing.set('watch', 'no');
    line.setDirection('in');
    expect(() => line.watch(listener)).toThrow('the line x cannot be watched: no');
    line.close();
    expect(() => line.read()).toThrow('it was given back');
  });
});

test('a chip that is not there is named', () => {
  expect(() => new DeviceLine('/dev/gpiochip-none', 3)).toThrow(
    'the line gpiochip-none:3 cannot be taken: /dev/gpiochip-none: No such file or directory',
  );
});

test('a file that is no chip is refused', () => {
  expect(() => new DeviceLine('/dev/null', 0)).toThrow(/the line null:0 cannot be taken: GPIO_V2_GET_LINE: /);
});

const compiled = existsSync(new URL('../../node_modules/epoll/build/Release/epoll.node', import.meta.url));

test.skipIf(!compiled)(
  `a number that is no line is refused${compiled ? '' : ' (epoll is not compiled)'}`,
  () => {
    expect(() => new SysfsLine(999_999)).toThrow(/the line gpio999999 cannot be exported: /);
  },
);

const header = '/usr/include/linux/gpio.h';
const present = existsSync(header);

test.skipIf(!present)(
  `constants agree with the kernel header${present ? '' : ' (linux-libc-dev is missing)'}`,
  () => {
    const text = readFileSync(header, 'utf8');
    for (const [name, value] of Object.entries(LineFlag)) {
      const bit = new RegExp(`GPIO_V2_LINE_FLAG_${name}\\s*=\\s*_BITULL\\((\\d+)\\)`).exec(text)?.[1];
      expect(value, name).toBe(2 ** Number(bit));
    }
    for (const [name, value] of Object.entries(LineEventId))
      expect(text).toMatch(new RegExp(`GPIO_V2_LINE_EVENT_${name}\\s*=\\s*${value},`));
  },
);
