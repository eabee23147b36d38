// SPDX-License-Identifier: MIT
//
// outage.ts: a link fails for a while. How many pings are answered all the same?
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
  async ({ sim, nodes: { a }, links: { ab }, params, expect }) => {
    await a.ready();
    const pings = a.exec('ping -c 10 -i 1 10.0.0.2');
    await sim.at('4500ms');
    ab.down();
    await sim.sleep(params.outage);
    ab.up();
    const { stdout } = await pings;
    const received = Number(/(\d+) packets received/.exec(stdout)?.[1]);
    expect(received, 'pings that came back').toBeAtLeast(5);
    return { received };
  },
);
