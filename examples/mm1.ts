// SPDX-License-Identifier: MIT
// An M/M/1 queue: customers arrive at random, and one server serves them in turn. How long do they wait?
import { BatchMeans, simulate } from 'oneclock';

const CUSTOMERS = 100_000;

await simulate(async (sim) => {
  const arrivals = sim.random('arrivals');
  const services = sim.random('services');
  const server = sim.resource({ name: 'server' });
  // Customers who come one after the other wait similarly long: only means of many at a time can be compared.
  const waited = new BatchMeans(2000);

  const customer = async () => {
    const arrived = sim.seconds;
    await server.use(async () => {
      waited.record(sim.seconds - arrived);
      await sim.sleep(services.exponential('8ms'));
    });
  };
  for (let left = CUSTOMERS; left > 0; left--) {
    await sim.sleep(arrivals.exponential('10ms'));
    sim.process('customer', customer);
  }

  const ms = (seconds: number) => `${(1000 * seconds).toFixed(1)} ms`;
  const [low, high] = waited.interval();
  console.log(`mean wait ${ms(waited.mean)}, 95 % interval ${ms(low)} to ${ms(high)}; theory says 32 ms`);
  console.log(`the server was busy ${(100 * server.utilization).toFixed(1)} % of the time; theory says 80 %`);
});
