// SPDX-License-Identifier: MIT
import { OneclockError } from '../errors.js';
import type { Script, Stage } from '../run/stage.js';
import { byName } from './by-name.js';
import { makeExpect } from './expect.js';
import { Link } from './link.js';
import { ScriptNode } from './node.js';
import type { Params, Scenario, Scene, TopologyShape } from './scenario.js';
import type { Site } from './site.js';
import { Wire } from './wire.js';

/** A scenario as a run plays it, with guests. */
export function scriptOf({ play }: Scenario, params: Params): Script {
  return { play: async (stage) => play(makeScene(stage, params)) };
}

function makeScene(stage: Stage, params: Params): Scene<TopologyShape, Params> {
  const { topology, simulation: sim } = stage;
  const site: Site = {
    sim,
    stage,
    later: (action) => stage.later(action),
    perform: (action) => {
      const result = action();
      if (result instanceof Promise) result.catch((error: unknown) => sim.fail(error));
    },
  };
  const links = Object.fromEntries(
    [...topology.links, ...topology.switches].map((spec) => [spec.name, new Link(site, spec)]),
  );
  return {
    sim,
    params: byName('parameter', params),
    nodes: byName(
      'node',
      Object.fromEntries(topology.nodes.map((spec) => [spec.name, new ScriptNode(site, spec)])),
    ),
    links: byName('link or switch', links) as Scene<TopologyShape, Params>['links'],
    wires: byName(
      'wire',
      Object.fromEntries(topology.wires.map((spec) => [spec.name, new Wire(site, spec)])),
    ) as Scene<TopologyShape, Params>['wires'],
    expect: makeExpect(sim, stage.expectations),
    partition: (...groups) =>
      partition(
        Object.values(links),
        topology.nodes.map(({ name }) => name),
        groups,
      ),
    mark: (text) => stage.mark(text),
  };
}

/** Takes down what leads from one group to another. Of a switch, the ports of all groups but the first go down. */
function partition(
  links: readonly Link[],
  nodes: readonly string[],
  groups: readonly (readonly string[])[],
): () => void {
  const known = new Set(nodes);
  const unknown = groups.flat().find((name) => !known.has(name));
  if (unknown !== undefined)
    throw new OneclockError(
      'INPUT',
      `there is no node ${unknown} in the topology; known: ${nodes.join(', ')}`,
    );
  const groupOf = new Map(groups.flatMap((names, group) => names.map((name) => [name, group] as const)));
  const cut: (() => void)[] = [];
  for (const link of links) {
    const ends = link.ends.map((end) => ({ end, group: groupOf.get(end.split('.')[0] as string) }));
    const found = new Set(ends.flatMap(({ group }) => group ?? []));
    if (found.size < 2) continue;
    if (!link.isSwitch) {
      // One that is down stays so when the others are mended.
      if (!link.isUp()) continue;
      link.down();
      cut.push(() => link.up());
      continue;
    }
    const first = Math.min(...found);
    for (const { end, group } of ends) {
      if (group === undefined || group === first || !link.isUp(end)) continue;
      link.down(end);
      cut.push(() => link.up(end));
    }
  }
  return () => {
    for (const mend of cut.splice(0)) mend();
  };
}
