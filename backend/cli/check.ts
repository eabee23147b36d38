// SPDX-License-Identifier: MIT
import { duration, formatDuration } from '../calendar/time.js';
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
    const comesTo = topology === undefined ? {} : { domains: nodesByDomain(topology, layOut(topology)) };
    process.stdout.write(
      `${JSON.stringify({ file, ok: problems.length === 0, problems, ...comesTo }, null, 2)}\n`,
    );
  } else if (problems.length > 0 || topology === undefined) {
    for (const problem of problems) process.stderr.write(`${formatProblem(file, problem)}\n`);
  } else {
    process.stdout.write(`${file}: ok\n${describe(topology, layOut(topology))}`);
  }
  return problems.length > 0 ? 2 : 0;
}

/** Windows shorter than this cost more at their barriers than running guests at once can win. */
const SHORT_WINDOW = duration(20_000n);
/** Domains and notes beyond this many are only counted. */
const SHOWN = 20;

/** What the topology comes to: how many of what, which nodes can run at once, and what limits that. */
function describe(topology: Topology, layout: Layout): string {
  const { nodes, links, switches } = topology;
  const groups = nodesByDomain(topology, layout);
  const lines = [
    `${count(nodes.length, 'node')}, ${count(links.length, 'link')}, ${count(switches.length, 'switch', 'es')}`,
    `${count(groups.length, 'domain')} of nodes, which can run at once:`,
    ...shorten(groups.map((names) => `  ${names.join(', ')}`)),
    ...lookahead(layout),
    ...shorten(notes(topology, layout, groups)),
  ];
  return `${lines.map((line) => `  ${line}`).join('\n')}\n`;
}

/** The names of the nodes of each domain that has any. */
function nodesByDomain(topology: Topology, layout: Layout): string[][] {
  const groups = new Map<number, string[]>();
  for (const { index, name } of topology.nodes) {
    const domain = layout.nodeDomain[index] as number;
    groups.set(domain, [...(groups.get(domain) ?? []), name]);
  }
  return [...groups.values()];
}

function count(number: number, what: string, plural = 's'): string {
  return `${number} ${what}${number === 1 ? '' : plural}`;
}

function shorten(lines: readonly string[]): string[] {
  return lines.length <= SHOWN
    ? [...lines]
    : [...lines.slice(0, SHOWN), `  and ${lines.length - SHOWN} more`];
}

/** How far domains may run ahead of each other: the range over all ways, and which is the shortest. */
function lookahead(layout: Layout): string[] {
  const ways = layout.ways
    .filter(({ latency }) => latency > 0n)
    .sort((a, b) => (a.latency < b.latency ? -1 : 1));
  const [shortest, longest] = [ways[0], ways.at(-1)];
  if (!shortest || !longest) return [];
  const range =
    shortest.latency === longest.latency
      ? formatDuration(shortest.latency)
      : `${formatDuration(shortest.latency)} to ${formatDuration(longest.latency)}`;
  return [`lookahead: ${range}, least through ${shortest.name}`];
}

function notes({ links, switches }: Topology, layout: Layout, groups: readonly string[][]): string[] {
  const short = [...links, ...switches].filter(({ latency }) => latency > 0n && latency < SHORT_WINDOW);
  return [
    ...short.map(({ name, latency }) => {
      const span = formatDuration(latency);
      return `note: ${name}, ${span}, makes windows of ${span}: expect no gain from running guests at once`;
    }),
    ...groups
      .filter((names) => names.length > 1)
      .map((names) => `note: ${names.join(', ')} are joined without latency, so one of them runs at a time`),
    ...(layout.domains === 1 ? ['note: there is one domain, so nothing runs at once'] : []),
  ];
}
