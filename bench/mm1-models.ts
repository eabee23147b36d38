// SPDX-License-Identifier: MIT
import { Simulation, Tally } from '../backend/scenario/engine/index.js';

/** Customers arrive every 10 ms on average, and are served in 8 ms on average: the server is busy 80 % of the time. */
const ARRIVAL = '10ms';
const SERVICE = '8ms';

export interface ModelResult {
  /** How often the engine let something happen. */
  readonly events: number;
  /** Mean time in the queue, in seconds. */
  readonly waited: number;
}

/** M/M/1 as a person would write it: each customer is an async process. */
export async function processes(customers: number, seed: bigint): Promise<ModelResult> {
  const sim = new Simulation({ seed });
  const arrivals = sim.random('arrivals');
  const services = sim.random('services');
  const server = sim.resource({ name: 'server' });
  const waited = new Tally();
  const customer = async () => {
    const arrived = sim.seconds;
    const grant = await server.request();
    waited.record(sim.seconds - arrived);
    await sim.sleep(services.exponential(SERVICE));
    grant.release();
  };
  sim.process('arrivals', async () => {
    for (let left = customers; left > 0; left--) {
      await sim.sleep(arrivals.exponential(ARRIVAL));
      sim.process('customer', customer);
    }
  });
  await sim.run();
  return { events: sim.engine.events, waited: waited.mean };
}

/** The same of callbacks. */
export async function callbacks(customers: number, seed: bigint): Promise<ModelResult> {
  const sim = new Simulation({ seed });
  const arrivals = sim.random('arrivals');
  const services = sim.random('services');
  const waited = new Tally();
  const queue = sim.store<number>();
  let busy = false;
  let left = customers;
  const serve = () => {
    const arrived = queue.poll();
    busy = arrived !== undefined;
    if (arrived === undefined) return;
    waited.record(sim.seconds - arrived);
    sim.after(services.exponential(SERVICE), serve);
  };
  const arrive = () => {
    queue.offer(sim.seconds);
    if (!busy) serve();
    if (--left > 0) sim.after(arrivals.exponential(ARRIVAL), arrive);
  };
  sim.after(arrivals.exponential(ARRIVAL), arrive);
  await sim.run();
  return { events: sim.engine.events, waited: waited.mean };
}
