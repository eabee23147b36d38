// SPDX-License-Identifier: MIT
//
// A script beside a topology file: what becomes of a's pings while their link is slow, and while it is down.
import { scenario } from 'oneclock';
import topology from '../two-nodes.yaml';

export default scenario({ topology }, async ({ sim, nodes, links, expect, mark }) => {
  await nodes.a.console.waitFor('64 bytes');
  mark('the first answer');
  const before = await roundTrip();

  links.ab.set({ latency: '40ms' });
  const slow = await roundTrip();
  expect(slow - before, 'what the latency adds').toBe(2n * 39_000_000n);

  links.ab.down();
  await sim.sleep('1s');
  links.ab.up();
  await nodes.a.ended();

  /** From the next ping that a sends until its answer is there; nanoseconds. */
  async function roundTrip(): Promise<bigint> {
    const sent = await links.ab.frame({ when: 'sent', at: 'a' });
    const answered = await links.ab.frame({ at: 'a' });
    return answered.at - sent.at;
  }
});
