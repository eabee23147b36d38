// SPDX-License-Identifier: MIT
import { diffRuns, formatDiff } from '../trace/diff.js';

const STATUS = { identical: 0, different: 1, damaged: 2 } as const;

/** `oneclock diff`. @returns the exit status */
export async function diff(
  run: string,
  other: string,
  options: { readonly json?: boolean },
): Promise<number> {
  const found = diffRuns(run, other);
  const text = options.json ? JSON.stringify(found, plain, 2) : formatDiff(found).trimEnd();
  process.stdout.write(`${text}\n`);
  return STATUS[found.verdict];
}

/** What JSON has no form for: instants are decimal strings, maps are objects. */
function plain(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  return value instanceof Map ? Object.fromEntries(value) : value;
}
