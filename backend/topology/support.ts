// SPDX-License-Identifier: MIT
import type { Topology } from './model.js';
import type { Problem } from './problem.js';
import type { DocumentReporter } from './report.js';

/** Reports what the file may say but this version cannot run yet. */
export function reportUnsupported(topology: Topology, report: DocumentReporter): void {
  for (const { name, kind } of topology.nodes)
    if (kind === 'kvm')
      report.atValue(['nodes', name, 'kind'], `kind ${kind} is not available yet in this version; use uml`);
}

/** A topology of which everything has been checked. */
export interface LoadedTopology {
  readonly topology: Topology;
  /** What is right but cannot be run in this version: empty, or a reason not to start. */
  readonly unsupported: readonly Problem[];
}
