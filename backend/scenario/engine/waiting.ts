// SPDX-License-Identifier: MIT
import { formatInstant, type Instant } from '../../calendar/time.js';
import { OneclockError } from '../../errors.js';
import type { Wait } from './wait.js';

/** What somebody waits for. */
export interface Waiting {
  /** The name of the process. */
  readonly process: string;
  readonly what: string;
}

/** Lines of a stack that say nothing to the author of a script. */
const OURS =
  /^ *at (?:async )?(?:Promise\.|process\.processTicks|awaitContender |awaitMember |awaitAll |Resource\.use )/;
/** As many are told of. */
const SHOWN = 20;

export function describe(wait: Wait<unknown>): Waiting {
  return { process: wait.owner.name, what: wait.source.describe(wait) };
}

/**
 * Where in the script each of `waits` is awaited: lines of a stack. They do not go on after that.
 *
 * To note the stack at every wait would cost more than the wait itself. Instead each promise is made to follow an
 * async function; where that goes on, V8 finds out who would go on after it.
 */
export async function stacksOf(waits: readonly Wait<unknown>[]): Promise<string[]> {
  let open = () => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const stacks = waits.map(() => '');
  const probe = async (at: number): Promise<never> => {
    await gate;
    const { stack = '' } = new Error();
    stacks[at] = stack
      .split('\n')
      .slice(2)
      .filter((line) => !OURS.test(line))
      .join('\n');
    return new Promise<never>(() => {});
  };
  waits.forEach((wait, at) => {
    wait.follow(probe(at));
  });
  await quiet();
  open();
  await quiet();
  return stacks;
}

/** That none of `waits` comes to anything, as an error for the author of the script. */
export async function stuck(
  waits: readonly Wait<unknown>[],
  now: Instant,
  why = 'nothing is left that could happen',
): Promise<OneclockError> {
  const shown = waits.slice(0, SHOWN);
  const stacks = await stacksOf(shown);
  const lines = shown.map((wait, at) => {
    const { process, what } = describe(wait);
    return `  ${process} waits for ${what}${stacks[at] === '' ? '' : `\n${stacks[at]}`}`;
  });
  if (waits.length === 0) {
    lines.push('  for nothing of virtual time: promises of Node.js are awaited by sim.external(...)');
  }
  if (waits.length > SHOWN) lines.push(`  and ${waits.length - SHOWN} more`);
  return new OneclockError(
    'PARTICIPANT',
    `at ${formatInstant(now)} s ${why}, and the script waits:\n${lines.join('\n')}`,
  );
}

/** When all promise jobs have come to rest. */
function quiet(): Promise<void> {
  return new Promise((resolve) => {
    queueMicrotask(() => process.nextTick(resolve));
  });
}
