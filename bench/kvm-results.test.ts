// SPDX-License-Identifier: MIT
import { expect, it } from 'vitest';
import { formatExits, summarizeExits } from './kvm-exit-results.js';
import { type ExitSample, readBare } from './kvm-exits.js';
import { formatKvm } from './kvm-format.js';
import { summarizeLinux } from './kvm-linux-results.js';
import { formatPart, partOfExits } from './kvm-part.js';
import { summarizeUpdates } from './kvm-update-results.js';
import { formatTable } from './table.js';
import { exitTurn, linuxTurn } from './testing/kvm-turns.js';

it('reads the costs of bare exits', () => {
  expect(readBare('pio: 12.500 11.250\nmmio read: 14.000 13.000\n')).toEqual(
    new Map([
      ['pio', { wallUs: 12.5, cpuUs: 11.25 }],
      ['mmio read', { wallUs: 14, cpuUs: 13 }],
    ]),
  );
  expect(() => readBare('pio: much\n')).toThrow('expected the cost of a bare exit, found "pio: much"');
});

it('compares exits with bare ones of the same turn', () => {
  // By the medians, 20 and 20, ours would cost nothing.
  const { exits } = summarizeExits([exitTurn(10, 20), exitTurn(20, 40), exitTurn(40, 10)]);
  expect(exits[0]?.wallRatio).toEqual({ median: 2, min: 0.25, max: 2 });
  expect(exits[0]?.cpuShare).toEqual({ median: 0.5, min: -3, max: 0.5 });
});

it('holds an exit against a bare one of its own way, and the ratio against PIO', () => {
  const bare = { wallUs: 16, cpuUs: 16 };
  const [exit] = summarizeExits([exitTurn(10, 20, { bare })]).exits;
  expect(exit?.cpuRatio.median).toBe(2);
  expect(exit?.cpuShare.median).toBeCloseTo(0.2);
});

it('reaches the target at the target', () => {
  const reached = (ours: number) => summarizeExits([exitTurn(8, ours)]).exits[0]?.reached;
  expect(reached(10)).toBe(true);
  expect(reached(10.1)).toBe(false);
});

it('says where there are no hypercalls', () => {
  const told = (name: string) => formatExits(summarizeExits([exitTurn(1, 2, { name })]), formatTable);
  expect(told('UPDATE by PIO')).toContain('No hypercalls');
  expect(told('UPDATE by hypercall')).not.toContain('No hypercalls');
});

it('compares the pings of Linux guests turn by turn', () => {
  const result = summarizeLinux([linuxTurn(2), linuxTurn(3), linuxTurn(4)]);
  expect(result.ratio).toEqual({ median: 3, min: 2, max: 4 });
  expect(result.wholeRatio.median).toBe(3);
  expect(result.umlPingUs.median).toBe(2000);
  expect(result.kvmPingExits.median).toBe(9);
  expect(result.sleepMs.median).toBe(100);
  expect(result.sleepExits.median).toBe(300);
});

it('holds all exits of pings together against bare ones', () => {
  const linux = summarizeLinux([linuxTurn(2)]);
  const turn = exitTurn(10, 11);
  const cost = { wallUs: 20, cpuUs: 20 };
  const seen = { ...(turn.samples[0] as ExitSample), handled: 'JavaScript', ours: cost } as const;
  const exits = summarizeExits([{ ...turn, samples: [...turn.samples, seen] }]);
  // Of nine exits one costs 10 more, and eight cost 1 more.
  expect(partOfExits(exits, linux)).toBeCloseTo(18 / 108);
  const place = { place: 'here', exits, updates: null, linux } as const;
  expect(formatPart([place, { ...place, place: 'nested in QEMU', linux: null }], 0.2)).toMatch(
    /^(Our part .* (here|nested in QEMU): 17 % .*: reached\)\n){2}$/,
  );
  expect(formatPart([{ ...place, linux: null }], 0.2)).toBe('');
});

it('fails where a turn has another trace', () => {
  expect(() => summarizeLinux([linuxTurn(2), linuxTurn(2, 'sha256:1')])).toThrow(
    'runs of Linux guests differ: their traces are sha256:0, sha256:1',
  );
});

it('summarizes updates by group', () => {
  const rate = (guests: number, perSecond: number) =>
    ({ method: 'ordered', guests, perSecond, delayUs: { mean: 1, p99: 2 } }) as const;
  const results = summarizeUpdates([
    [rate(2, 10), rate(4, 1)],
    [rate(2, 30), rate(4, 3)],
  ]);
  expect(results.map(({ guests, perSecond }) => [guests, perSecond.median])).toEqual([
    [2, 20],
    [4, 2],
  ]);
});

it('says where each figure was taken, and what could not be measured', () => {
  const exits = summarizeExits([exitTurn(1, 2)]);
  const text = formatKvm(
    {
      places: [
        { place: 'here', exits, updates: null, linux: null },
        { place: 'nested in QEMU', exits, updates: null, linux: summarizeLinux([linuxTurn(2)]) },
      ],
      missing: ['guests with Linux: there is no kernel'],
    },
    formatTable,
  );
  expect(text.match(/^(One|Linux|Not) .*$/gm)).toEqual([
    'One exit, here:',
    'One exit, nested in QEMU:',
    'Linux guests, nested in QEMU:',
    'Not measured: guests with Linux: there is no kernel',
  ]);
});
