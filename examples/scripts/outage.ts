// SPDX-License-Identifier: MIT
//
// A link that fails at an exact instant: how many of the pings get through?
import { scenario } from 'oneclock';

export default scenario(
  {
    topology: {
      name: 'outage',
      nodes: {
        a: { kind: 'uml', interfaces: { eth0: { address: '10.0.0.1/24' } } },
        b: { kind: 'uml', interfaces: { eth0: { address: '10.0.0.2/24' } } },
      },
      links: [{ name: 'ab', between: ['a.eth0', 'b.eth0'], latency: '1ms' }],
    },
    params: { outage: '2s' },
    until: '60s',
  },
  async ({ sim, nodes, links, params, expect }) => {
    await Promise.all([nodes.a.ready(), nodes.b.ready()]);
    await sim.at('5s');
    links.ab.down();
    await sim.sleep(params.outage);
    links.ab.up();
    expect(sim.now).toBe(7_000_000_000n);
    return { frames: 0 };
  },
);
