// SPDX-License-Identifier: MIT
import { expect } from 'vitest';
import type { RunOutcome, Workspace } from './cli.js';

/** The two runs are the same, byte for byte, in everything but the time that they took. */
export async function expectSame(
  space: Workspace,
  one: RunOutcome,
  other: RunOutcome,
  how: string,
): Promise<void> {
  const [files, others] = [one.files(), other.files()];
  const different = [...files]
    .filter(([name, bytes]) => !others.get(name)?.equals(bytes))
    .map(([name]) => name);
  if (different.length > 0) {
    const { stdout } = await space.run(['diff', one.out, other.out]);
    expect.fail(`${how}: ${different.join(', ')} differ\n${stdout}`);
  }
  expect([...others.keys()]).toEqual([...files.keys()]);
  expect(files.size).toBe(1 + Object.keys(one.result.nodes).length + Object.keys(one.result.links).length);
  expect(other.result.traceHash, how).toBe(one.result.traceHash);
  expect(virtual(other), how).toEqual(virtual(one));
}

/** A result without what depends on the machine. */
function virtual({ result }: RunOutcome) {
  return {
    ...result,
    wallMs: 0,
    cpuMs: 0,
    nodes: Object.entries(result.nodes).map(([name, node]) => ({ name, ...node, cpuMs: 0 })),
  };
}
