// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { BatchMeans, simulate } from './index.js';

const CUSTOMERS = 60_000;
const WARM_UP = 2_000;

// Arrivals every 10 ms, so λ = 100 per second; ρ = λ · service; mean wait in the queue ρ / (μ - λ).
describe.each([
  ['5ms', 0.5, 0.005],
  ['8ms', 0.8, 0.032],
])('M/M/1 with a service of %s', (service, load, wait) => {
  it.each([1n, 2n, 3n])('waits as theory says, within 99.9 % (seed %i)', async (seed) => {
    const waited = new BatchMeans(2000);
    const server = await simulate(
      async (sim) => {
        const arrivals = sim.random('arrivals');
        const services = sim.random('services');
        const server = sim.resource();
        const customer = async (number: number) => {
          const arrived = sim.seconds;
          await server.use(() => {
            if (number >= WARM_UP) waited.record(sim.seconds - arrived);
            return sim.sleep(services.exponential(service));
          });
        };
        for (let number = 0; number < CUSTOMERS; number++) {
          await sim.sleep(arrivals.exponential('10ms'));
          sim.process('customer', () => customer(number));
        }
        return server;
      },
      { seed },
    );
    const [low, high] = waited.interval(0.999);
    expect(low).toBeLessThan(wait);
    expect(high).toBeGreaterThan(wait);
    expect(high - low).toBeLessThan(wait);
    expect(server?.utilization).toBeCloseTo(load, 1);
    // Little's law: L = λ W.
    expect(server?.queue.mean).toBeCloseTo(100 * (server?.waited.mean as number), 1);
  });
});
