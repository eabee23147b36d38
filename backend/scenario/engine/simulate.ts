// SPDX-License-Identifier: MIT
import { NEVER } from '../../calendar/time.js';
import { Simulation, type SimulationOptions } from './simulation.js';
import type { Span } from './span.js';

export interface SimulateOptions extends SimulationOptions {
  /** The simulation ends at this instant, if not before. */
  readonly until?: Span;
}

/**
 * Runs `main` as a process in a simulation of its own, which ends with it, as the others then do not go on.
 *
 * @returns what `main` returned; undefined where `until` came first
 * @throws what `main`, or a process that nobody awaited, threw; PARTICIPANT where `main` waits for what cannot
 *   happen
 */
export async function simulate<T>(
  main: (sim: Simulation) => T | PromiseLike<T>,
  options: SimulateOptions = {},
): Promise<T | undefined> {
  const sim = new Simulation(options);
  let result: { readonly value: T } | undefined;
  sim.process('main', async () => {
    result = { value: await main(sim) };
    sim.stop();
  });
  await sim.run(options.until);
  if (result !== undefined) return result.value;
  if (sim.engine.next === NEVER) throw await sim.stuck();
  return undefined;
}
