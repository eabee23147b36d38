// SPDX-License-Identifier: MIT
import { FakeMachine, type FakeProgram } from './fake-machine.js';
import { type World, type WorldOptions, world } from './world.js';

export interface FakeWorld extends World {
  readonly machines: ReadonlyMap<string, FakeMachine>;
  /** Runs to the end; nothing of it is in the background. */
  run(): void;
}

export interface FakeWorldOptions extends Omit<WorldOptions, 'machines'> {
  readonly programs: ReadonlyMap<string, FakeProgram>;
}

/** A world whose guests are programs in TypeScript. */
export function fakeWorld({ programs, ...options }: FakeWorldOptions): FakeWorld {
  const fakes = new Map<string, FakeMachine>();
  const made = world({
    ...options,
    machines: new Map(
      [...programs].map(([name, program]) => [
        name,
        (handler) => {
          const machine = new FakeMachine(handler, program);
          fakes.set(name, machine);
          return machine;
        },
      ]),
    ),
  });
  const run = () => {
    made.start();
    if (!made.over()) throw new Error('the calendar has not come to its end');
  };
  return { ...made, machines: fakes, run };
}
