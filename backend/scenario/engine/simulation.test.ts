// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { Cancelled, simulate, TimedOut } from './index.js';

describe('a simulation', () => {
  it('lets processes sleep beside each other', async () => {
    const log: string[] = [];
    await simulate(async (sim) => {
      const other = sim.process('other', async () => {
        await sim.sleep('2s');
        log.push(`other ${sim.seconds}`);
        return 7;
      });
      await sim.sleep('1s');
      log.push(`main ${sim.seconds}`);
      expect(await other).toBe(7);
      expect(sim.now).toBe(2_000_000_000n);
    });
    expect(log).toEqual(['main 1', 'other 2']);
  });

  it('cancels a process at what it waits for', async () => {
    await simulate(async (sim) => {
      const sleeper = sim.process('sleeper', () => sim.sleep('1h'));
      await sim.sleep('1s');
      sleeper.cancel('enough');
      await expect(sleeper).rejects.toThrow(Cancelled);
      expect(sim.seconds).toBe(1);
    });
  });

  it('has time-outs in virtual time', async () => {
    await simulate(async (sim) => {
      const signal = sim.signal('never');
      await expect(sim.timeout(signal.wait(), '3s')).rejects.toThrow(TimedOut);
      expect(sim.seconds).toBe(3);
      expect(signal.waiting).toBe(0);
    });
  });

  it('says where a script waits for what cannot happen', async () => {
    const run = simulate(async function script(sim) {
      const door = sim.signal('door');
      sim.process('visitor', async function visit() {
        await sim.any({ open: door.wait(), other: sim.event('other') });
      });
      await door.wait();
    });
    await expect(run).rejects.toThrow(
      /main waits for signal door\n +at (async )?script .*simulation\.test\.ts:47/,
    );
    await expect(run).rejects.toThrow(
      /visitor waits for signal door\n +at (async )?visit .*simulation\.test\.ts:45/,
    );
  });
});
