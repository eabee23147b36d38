// SPDX-License-Identifier: MIT
import { closeSync } from 'node:fs';
import { type CostSample, encodeCostHeader, encodeCostSample } from '../../protocols/cost/index.js';
import { ProtoWriter } from '../../protocols/trace/index.js';
import { writeFully } from './write-fully.js';

/** The name of the file in a run directory. */
export const COST_NAME = 'cost';
const CAPACITY = 4_096;

/** Writes the file `cost` of a run directory (cost.proto), each sample at once. */
export class CostWriter {
  private readonly out = new ProtoWriter(CAPACITY);
  private closed = false;

  /**
   * @param descriptor open for writing, at the beginning of an empty file, and the writer's own from then on
   * @param nodes their names, by index
   */
  constructor(
    private readonly descriptor: number,
    nodes: readonly string[],
  ) {
    encodeCostHeader(this.out, nodes);
    this.flush();
  }

  /** @throws OneclockError MACHINE where the file cannot be written */
  write(sample: CostSample): void {
    if (this.closed) return;
    encodeCostSample(this.out, sample);
    this.flush();
  }

  /** Later calls of any method do nothing. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    closeSync(this.descriptor);
  }

  private flush(): void {
    const bytes = this.out.buffer.subarray(0, this.out.length);
    this.out.length = 0;
    writeFully(this.descriptor, bytes, 'the file of costs');
  }
}
