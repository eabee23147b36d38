// SPDX-License-Identifier: MIT
import { OneclockError } from '../errors.js';
import type { Script, Stage } from '../run/stage.js';
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
    params,
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
    partition: (...groups) => partition(Object.values(links), groups),
    mark: (text) => stage.mark(text),
  };
}

/** A misspelt name is told, where JavaScript alone would go on with undefined. */
function byName<T extends object>(what: string, things: T): T {
  return new Proxy(things, {
    get: (target, name) => {
      if (typeof name === 'symbol' || name in target) return Reflect.get(target, name);
      const known = Object.keys(target).join(', ') || 'none';
      throw new OneclockError('INPUT', `there is no ${what} ${name} in the topology; known: ${known}`);
    },
  });
}

/** Takes down what leads from one group to another. Of a switch, the ports of all groups but the first go down. */
function partition(links: readonly Link[], groups: readonly (readonly string[])[]): () => void {
  const groupOf = new Map(groups.flatMap((names, group) => names.map((name) => [name, group] as const)));
  const cut: (() => void)[] = [];
  for (const link of links) {
    const ends = link.ends.map((end) => ({ end, group: groupOf.get(end.split('.')[0] as string) }));
    const found = new Set(ends.flatMap(({ group }) => group ?? []));
    if (found.size < 2) continue;
    if (!link.isSwitch) {
      link.down();
      cut.push(() => link.up());
      continue;
    }
    const first = Math.min(...found);
    for (const { end, group } of ends) {
      if (group === undefined || group === first) continue;
      link.down(end);
      cut.push(() => link.up(end));
    }
  }
  return () => {
    for (const mend of cut.splice(0)) mend();
  };
}
