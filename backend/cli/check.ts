// SPDX-License-Identifier: MIT
import { formatDuration } from '../calendar/time.js';
import { type Layout, layOut } from '../run/layout.js';
import { formatProblem, inspectTopology, type Topology } from '../topology/index.js';

export interface CheckCommandOptions {
  readonly json?: boolean;
}

/** `oneclock check`. @returns the exit status */
export async function check(file: string, options: CheckCommandOptions): Promise<number> {
  const result = inspectTopology(file);
  const problems = result.problems ?? result.unsupported;
  const { topology } = result;
  if (options.json) {
    process.stdout.write(`${JSON.stringify({ file, ok: problems.length === 0, problems }, null, 2)}\n`);
  } else if (problems.length > 0 || topology === undefined) {
    for (const problem of problems) process.stderr.write(`${formatProblem(file, problem)}\n`);
  } else {
    process.stdout.write(`${file}: ok\n${describe(topology, layOut(topology))}`);
  }
  return problems.length > 0 ? 2 : 0;
}

/** What the topology comes to: how many of what, and which nodes can run at once. */
function describe(topology: Topology, layout: Layout): string {
  const { nodes, links, switches } = topology;
  const lines = [`  ${nodes.length} nodes, ${links.length} links, ${switches.length} switches`];
  const groups = new Map<number, string[]>();
  for (const { index, name } of nodes) {
    const domain = layout.nodeDomain[index] as number;
    groups.set(domain, [...(groups.get(domain) ?? []), name]);
  }
  for (const [domain, names] of groups) lines.push(`  domain ${domain}: ${names.join(', ')}`);
  const tightest = layout.ways
    .filter(({ latency }) => latency > 0n)
    .sort((a, b) => Number(a.latency - b.latency))[0];
  if (tightest) {
    lines.push(`  shortest lookahead: ${formatDuration(tightest.latency)}, through ${tightest.name}`);
  }
  return `${lines.join('\n')}\n`;
}
