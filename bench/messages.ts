// SPDX-License-Identifier: MIT
import { availableParallelism } from 'node:os';
import { Run } from '../backend/run/index.js';
import { readTopology } from '../backend/topology/index.js';
import type { CaseResult } from './cases.js';
import { countMessages, type MessageCounts } from './message-counter.js';
import { topologyFile } from './sample.js';
import type { TableFormat } from './table.js';

const MAX_WALL_MS = 120_000;
const HANG_MS = 60_000;
/** What reading the time, requesting and free-running would send, and must not where memory is shared. */
const NEEDLESS = ['GET', 'REQUEST', 'UPDATE', 'FREE_UNTIL'] as const;

/** The time protocol's messages in one run of a case. */
export interface MessageResult extends MessageCounts {
  readonly case: string;
  readonly sharedMemory: boolean;
  readonly traceHash: string;
}

/** Runs the topology once in this process. */
export async function countCase(name: string, sharedMemory: boolean): Promise<MessageResult> {
  const [result, counts] = await countMessages(async () => {
    const run = new Run(readTopology(topologyFile(name)), {
      out: undefined,
      jobs: availableParallelism(),
      sharedMemory,
      maxWallMs: MAX_WALL_MS,
      hangMs: HANG_MS,
    });
    const dispose = () => run.dispose();
    process.once('exit', dispose);
    try {
      return await run.execute();
    } finally {
      process.off('exit', dispose);
    }
  });
  if (result.status !== 'ok') throw new Error(`the counted run of ${name} failed: ${result.reason}`);
  return { case: name, sharedMemory, traceHash: result.traceHash, ...counts };
}

/** @throws where the guests sent what they need not send, or the counted run is not the one that was measured */
export function checkMessages(counted: MessageResult, measured: readonly CaseResult[]): void {
  const { sharedMemory, fromGuests, toGuests, traceHash } = counted;
  if (!sharedMemory) return;
  const other = measured.find(({ name }) => name === counted.case)?.traceHash;
  if (traceHash !== other) {
    throw new Error(`the counted run's trace is ${traceHash}, and that of the measured ones is ${other}`);
  }
  const found = NEEDLESS.filter((op) => (fromGuests[op] ?? 0) + (toGuests[op] ?? 0) > 0);
  if (found.length > 0) {
    throw new Error(`with shared memory there are messages that memory should save: ${found.join(', ')}`);
  }
}

export function formatMessages(results: readonly MessageResult[], table: TableFormat): string {
  const kinds = ['START', 'WAIT', 'RUN', ...NEEDLESS, 'GET_TOD', 'BROADCAST', 'ACK'];
  const header = [
    '',
    ...results.map(({ sharedMemory }) => (sharedMemory ? 'shared memory' : 'messages alone')),
  ];
  const rows = kinds.map((kind) => [
    kind,
    ...results.map(({ fromGuests, toGuests }) => `${(fromGuests[kind] ?? 0) + (toGuests[kind] ?? 0)}`),
  ]);
  return table([header, ...rows]);
}
