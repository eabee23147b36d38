// SPDX-License-Identifier: MIT
import {
  between,
  type Duration,
  duration,
  formatDuration,
  type Instant,
  NO_TIME,
  ZERO,
} from '../calendar/time.js';
import { OneclockError } from '../errors.js';
import { type Layout, latencyOf, layOut } from '../run/layout.js';
import { isScript } from '../scenario/is-script.js';
import { loadScenario } from '../scenario/load.js';
import { CableStates } from '../topology/cable-states.js';
import { formatProblem, inspectTopology, type Topology } from '../topology/index.js';
import { readParams, topologyOf } from './play.js';

export interface CheckCommandOptions {
  readonly json?: boolean;
}

/** `oneclock check`. @returns the exit status */
export async function check(file: string, options: CheckCommandOptions): Promise<number> {
  if (isScript(file)) {
    try {
      return await checkScript(file, options);
    } catch (error) {
      if (!options.json || !(error instanceof OneclockError) || error.code !== 'INPUT') throw error;
      // The places are in the texts: they are lines of the script, or of the JSON of its topology.
      const problems = error.message.split('\n').map((message) => ({ message }));
      process.stdout.write(`${JSON.stringify({ file, ok: false, problems }, null, 2)}\n`);
      return 2;
    }
  }
  const result = inspectTopology(file);
  const problems = result.problems ?? [];
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

/** A script is loaded, and its topology is checked, with the parameters that it has by itself. @throws OneclockError `INPUT` */
async function checkScript(file: string, options: CheckCommandOptions): Promise<number> {
  const scenario = await loadScenario(file);
  const topology = topologyOf(file, scenario, readParams(scenario, new Map()), {});
  const layout = topology && layOut(topology, true);
  if (options.json) {
    const domains = topology && layout ? nodesByDomain(topology, layout) : [];
    process.stdout.write(`${JSON.stringify({ file, ok: true, problems: [], domains }, null, 2)}\n`);
  } else {
    const comesTo = topology && layout ? describe(topology, layout) : '  a script without a topology\n';
    process.stdout.write(`${file}: ok\n${comesTo}`);
  }
  return 0;
}

/** Windows shorter than this cost more at their barriers than running guests at once can win. */
const SHORT_WINDOW = duration(20_000n);
/** Domains and notes beyond this many are only counted. */
const SHOWN = 20;

/** What the topology comes to: how many of what, which nodes can run at once, and what limits that. */
function describe(topology: Topology, layout: Layout): string {
  const { nodes, links, switches, wires } = topology;
  const parts = [
    count(nodes.length, 'node'),
    count(links.length, 'link'),
    count(switches.length, 'switch', 'es'),
  ];
  if (wires.length > 0) parts.push(count(wires.length, 'wire'));
  const groups = nodesByDomain(topology, layout);
  const lines = [
    parts.join(', '),
    `${count(groups.length, 'domain')} of nodes, which can run at once:`,
    ...shorten(groups.map((names) => `  ${names.join(', ')}`)),
    ...lookahead(topology, layout),
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

/** How far domains may run ahead of each other: at the beginning, and where a change makes it another. */
function lookahead(topology: Topology, layout: Layout): string[] {
  const { changes } = topology;
  const states = new CableStates(topology);
  const lines: string[] = [];
  let shown: string | undefined;
  const show = (at: Instant) => {
    const now = range(layout, states);
    if (now === shown || layout.ways.length === 0) return;
    shown = now;
    lines.push(at === ZERO ? `lookahead: ${now}` : `  from ${formatDuration(between(ZERO, at))} on: ${now}`);
  };
  if (changes[0]?.at !== ZERO) show(ZERO);
  for (const [place, change] of changes.entries()) {
    states.apply(change);
    if (changes[place + 1]?.at !== change.at) show(change.at);
  }
  return shorten(lines);
}

/** The range over all ways, and which is the shortest. */
function range(layout: Layout, states: CableStates): string {
  let least: Duration | undefined;
  let most = NO_TIME;
  let through = '';
  for (const way of layout.ways) {
    const latency = latencyOf(way, states.of(way.name, way.port));
    if (latency === undefined || latency === NO_TIME) continue;
    if (latency > most) most = latency;
    if (least !== undefined && latency >= least) continue;
    least = latency;
    through = way.name;
  }
  if (least === undefined) return 'without limit, since everything is down';
  const span = least === most ? formatDuration(least) : `${formatDuration(least)} to ${formatDuration(most)}`;
  return `${span}, least through ${through}`;
}

function notes(
  { nodes, links, switches, wires, changes }: Topology,
  layout: Layout,
  groups: readonly string[][],
): string[] {
  // The wire that freezes boards bounds nothing that guests do.
  const cables = [...links, ...switches, ...wires.filter(({ role }) => role !== 'freeze')];
  const boards = new Set(nodes.filter(({ board }) => board !== undefined).map(({ name }) => name));
  const isShort = (latency: Duration) => latency > NO_TIME && latency < SHORT_WINDOW;
  if (layout.script !== undefined) {
    const boarded = boards.size > 0 ? ', beside the boards, which keep real time' : '';
    return [`note: a script can touch every guest, so one of them runs at a time${boarded}`];
  }
  const joins = new Set(cables.filter(({ latency }) => latency === NO_TIME).map(({ name }) => name));
  return [
    ...cables
      .filter(({ latency }) => isShort(latency))
      .map(({ name, latency }) => tooShort(name, formatDuration(latency), '')),
    ...changes.flatMap(({ name, at, cable: { latency } }) => {
      if (latency === undefined) return [];
      const when = ` from ${formatDuration(between(ZERO, at))} on`;
      if (isShort(latency)) return [tooShort(name, formatDuration(latency), when)];
      return latency === NO_TIME && !joins.has(name)
        ? [`note: ${name} has no latency${when}, so what it joins then is one domain from the beginning`]
        : [];
    }),
    ...groups
      .filter((names) => names.length > 1 && !names.some((name) => boards.has(name)))
      .map((names) => `note: ${names.join(', ')} are joined without latency, so one of them runs at a time`),
    ...(boards.size > 0
      ? [`note: ${[...boards].join(', ')} keep real time, so virtual time goes no faster`]
      : []),
    ...(layout.domains === 1 && boards.size === 0
      ? ['note: there is one domain, so nothing runs at once']
      : []),
  ];
}

function tooShort(name: string, span: string, when: string): string {
  return `note: ${name}, ${span}${when}, makes windows of ${span}: expect no gain from running guests at once`;
}
