// SPDX-License-Identifier: MIT
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { decodeCostRecord } from '../../protocols/cost/decoder.js';
import { type CostRecord, type CostSample, MAX_COST_RECORD } from '../../protocols/cost/index.js';
import { unreadable } from './byte-file.js';
import { COST_NAME } from './cost-writer.js';
import { type Damage, RecordFile } from './record-file.js';

const WHAT = 'the file of costs';

/** What a run cost the machine. */
export interface RunCost {
  /** The names of the nodes, by index. */
  readonly nodes: readonly string[];
  /** In the order of wall time; neither time goes back from one to the next. */
  readonly samples: readonly CostSample[];
  /** Where the file could not be read any further; undefined: it was read to its end. */
  readonly damage: Damage | undefined;
}

/**
 * Reads what a run cost; the file of a run of hours has some ten thousand samples.
 *
 * @param path a run directory, or the file `cost` of one
 * @throws OneclockError INPUT where there is none
 */
export function readCost(path: string): RunCost {
  const records = new RecordFile(findCost(path), WHAT, MAX_COST_RECORD);
  try {
    const samples: CostSample[] = [];
    let nodes: readonly string[] | undefined;
    for (let bytes = records.next(); bytes !== undefined; bytes = records.next()) {
      try {
        const record = decodeCostRecord(bytes);
        if (nodes === undefined) nodes = firstNodes(record);
        else if (record.what === 'header') throw new Error('expected a sample, found a header');
        else if (record.what === 'sample') {
          check(record.sample, samples.at(-1), nodes.length);
          samples.push(record.sample);
        }
      } catch (error) {
        records.fail((error as Error).message);
      }
    }
    if (nodes === undefined) {
      throw unreadable(records.file, WHAT, new Error(records.damage?.reason ?? 'it is empty'));
    }
    return { nodes, samples, damage: records.damage };
  } finally {
    records.close();
  }
}

function findCost(path: string): string {
  try {
    return statSync(path).isDirectory() ? join(path, COST_NAME) : path;
  } catch (cause) {
    throw unreadable(path, WHAT, cause);
  }
}

function firstNodes(record: CostRecord): readonly string[] {
  if (record.what === 'header') return record.nodes;
  throw new Error('expected a header first, found another record');
}

function check(sample: CostSample, before: CostSample | undefined, nodes: number): void {
  if (before && (sample.wallUs < before.wallUs || sample.virtualNs < before.virtualNs)) {
    throw new Error(
      `expected a time from ${before.virtualNs}ns and ${before.wallUs}us on, found ${sample.virtualNs}ns and ${sample.wallUs}us`,
    );
  }
  const stranger = sample.nodes.find(({ node }) => node >= nodes);
  if (stranger) throw new Error(`expected one of ${nodes} nodes, found ${stranger.node}`);
}
