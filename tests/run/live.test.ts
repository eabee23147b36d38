// SPDX-License-Identifier: MIT
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { BoardResult } from '../../backend/run/result.js';
import { whyNoKvm } from '../../host/kvm/index.js';
import { assemble } from '../../host/kvm/testing/bare-metal.js';
import { CLOCK } from '../../host/kvm/testing/clock-guests.js';
import { elf } from '../../host/kvm/testing/kernel-files.js';
import { Feature } from '../../protocols/hypercall/index.js';
import { Workspace } from '../support/cli.js';

const missing = whyNoKvm() ?? '';
const KERNEL = 0x100_0000;

/** Reads its clock until that is `ns`, and dies with what it has read in RAX: the message of its end has that. */
const clockReader = (ns: number, features: number = Feature.REAL) => `${CLOCK}
  START 0, ${features}
  1: RING 4
  mov RET(%rbx), %rax
  cmp $${ns}, %rax
  jb 1b
  ud2`;

describe.skipIf(missing !== '')(`a live guest without Linux${missing && ` (${missing})`}`, () => {
  test('is frozen while others are behind, and never sees that time', async () => {
    const workspace = new Workspace();
    const kernel = (name: string, source: string) =>
      writeFileSync(join(workspace.path, name), elf([{ address: KERNEL, bytes: assemble(source) }]));
    kernel('clock.elf', clockReader(1_500_000_000));
    kernel('other.elf', clockReader(0, 0));
    const run = await workspace.runOnce(`
name: live
until: 60s
nodes:
  slow: { kind: uml, run: 'for i in $(seq 20); do sleep 0.1; n=0; while [ $n -lt 5000 ]; do n=$((n+1)); done; done' }
  live: { kind: kvm, clock: real, kernel: clock.elf, on-failure: evict }
  other: { kind: kvm, clock: real, kernel: other.elf, on-failure: evict }
wires:
  - { name: freeze, pins: [live.freeze, other.freeze], role: freeze }
`);
    run.expectStatus(0);
    const live = run.node('live') as BoardResult;
    expect(live.state).toBe('evicted');
    expect(live.freezes).toBeGreaterThan(0);
    const clock = Number(/triple fault.*\brax=(0x[0-9a-f]+)/.exec(live.reason ?? '')?.[1]);
    expect(clock).toBeGreaterThanOrEqual(1_500_000_000);
    // It has no more than the wall time for which it ran.
    expect(clock).toBeLessThanOrEqual(run.result.wallMs * 1e6 - Number(live.frozenNs));
    expect(run.node('other').reason).toMatch(/does not know of real time/);
  });
});
