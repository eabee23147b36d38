// SPDX-License-Identifier: MIT
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readTopology } from '../backend/topology/index.js';
import { scaleTopology } from './scale-topology.js';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'oneclock-bench-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

function read(guests: number, active: number) {
  const file = join(folder, 'scale.yaml');
  writeFileSync(file, scaleTopology(guests, active, 3));
  return readTopology(file, { seed: undefined, until: undefined });
}

it('is a topology, of more guests than one byte of an address holds', () => {
  const { nodes, switches } = read(300, 300);
  expect(nodes).toHaveLength(300);
  expect(switches[0]?.ports).toHaveLength(300);
});

it('lets those that are active ping one another, in a ring', () => {
  const runs = read(4, 3).nodes.map(({ run }) => run);
  const ping = (address: string) => `ping -q -c 3 -i 0.01 ${address}`;
  expect(runs).toEqual([ping('10.0.0.2'), ping('10.0.0.3'), ping('10.0.0.1'), undefined]);
});
