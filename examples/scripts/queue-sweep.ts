// SPDX-License-Identifier: MIT
//
// A queue with one server, M/M/1: how long do customers wait, the busier the server is? Theory says that they wait
// load / (1 - load) times the mean service, on average.
//
//   oneclock run queue-sweep.ts --param load=0.5,0.7,0.8,0.9 --repeat 10 --out waiting
import { scenario, Tally } from 'oneclock';

export default scenario(
  {
    params: {
      /** Of the server, below 1. */
      load: 0.5,
      /** Whose waiting counts. */
      customers: 5000,
      /** Who comes before: the queue is empty at the beginning, and that is not what it is like later. */
      warmUp: 1000,
    },
  },
  async ({ sim, params: { load, customers, warmUp } }) => {
    const server = sim.resource({ name: 'the server' });
    const arrivals = sim.random('arrivals');
    const services = sim.random('services');
    const waited = new Tally();

    const customer = async (number: number) => {
      const came = sim.seconds;
      await server.use(async () => {
        if (number >= warmUp) waited.record(sim.seconds - came);
        await sim.sleep(services.exponential('1s'));
      });
    };
    const between = `${Math.round(1e9 / load)}ns`;
    for (let number = 0; number < warmUp + customers; number++) {
      await sim.sleep(arrivals.exponential(between));
      if (number === warmUp) server.busy.reset();
      sim.process(() => customer(number));
    }
    return { waiting: { mean: waited.mean, longest: waited.max }, utilisation: server.utilization };
  },
);
