// SPDX-License-Identifier: MIT
import type { ProtoWriter } from '../trace/proto-writer.js';
import { COST_VERSION, HeaderField, NodeCostField, RecordField, SampleField } from './constants.js';
import type { CostSample } from './record.js';

/** Appends the first record. */
export function encodeCostHeader(out: ProtoWriter, nodes: readonly string[]): void {
  const record = out.open();
  const header = out.openField(RecordField.HEADER);
  out.uint32(HeaderField.VERSION, COST_VERSION);
  for (const name of nodes) out.element(HeaderField.NODES, name);
  out.close(header);
  out.close(record);
}

/** Appends a sample. */
export function encodeCostSample(out: ProtoWriter, { virtualNs, wallUs, ownCpuUs, nodes }: CostSample): void {
  const record = out.open();
  const sample = out.openField(RecordField.SAMPLE);
  out.uint64(SampleField.VIRTUAL_NS, virtualNs);
  out.uint64(SampleField.WALL_US, BigInt(wallUs));
  out.uint64(SampleField.OWN_CPU_US, BigInt(ownCpuUs));
  for (const { node, ranUs, activations } of nodes) {
    const cost = out.openField(SampleField.NODES);
    out.uint32(NodeCostField.NODE, node);
    out.uint64(NodeCostField.RAN_US, BigInt(ranUs));
    out.uint32(NodeCostField.ACTIVATIONS, activations);
    out.close(cost);
  }
  out.close(sample);
  out.close(record);
}
