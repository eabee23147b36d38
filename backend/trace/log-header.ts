// SPDX-License-Identifier: MIT
import type { LogHeader } from '../../protocols/trace/index.js';
import type { Endpoint, Topology } from '../topology/model.js';

/** The run log's name in a run directory. */
export const LOG_NAME = 'trace';

/** What the log of a run of `topology` begins with. */
export function logHeader(topology: Topology): LogHeader {
  return {
    topology: topology.name,
    seed: topology.seed,
    start: topology.start,
    nodes: topology.nodes.map(({ name, kind, interfaces, lines }) => ({
      name,
      kind,
      interfaces: interfaces.map((each) => each.name),
      lines,
    })),
    links: topology.links.map(({ name, between }) => ({ name, ends: between.map(endName) })),
    switches: topology.switches.map(({ name, ports }) => ({ name, ports: ports.map(endName) })),
    wires: topology.wires.map(({ name, pins }) => ({
      name,
      pins: pins.map(({ node, line }) => `${node}.${line}`),
    })),
    shared: topology.shared.map(({ name, variable, between, method }) => ({
      name,
      variable,
      between,
      method,
    })),
  };
}

function endName(end: Endpoint): string {
  return `${end.node}.${end.interface}`;
}
