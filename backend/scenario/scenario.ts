// SPDX-License-Identifier: MIT
import { OneclockError } from '../errors.js';
import type { Simulation, Span } from './engine/index.js';
import type { Expect } from './expect.js';
import type { Link } from './link.js';
import type { ScriptNode } from './node.js';
import type { Wire } from './wire.js';

/** Marks what {@link scenario} has made, whichever copy of this module it was. */
const SCENARIO = Symbol.for('oneclock.scenario');

/** What a command may set by `--param`, with what they are otherwise. */
export type Params = Readonly<Record<string, string | number | boolean>>;

/** The part of a topology by which a script is typed; all that a topology file may hold is allowed. */
export interface TopologyShape {
  readonly nodes: Readonly<Record<string, NodeShape>>;
  readonly links?: readonly NamedShape[];
  readonly switches?: readonly NamedShape[];
  readonly wires?: readonly NamedShape[];
}

export interface NodeShape {
  readonly interfaces?: Readonly<Record<string, unknown>>;
  readonly serial?: readonly string[] | Readonly<Record<string, unknown>>;
}

export interface NamedShape {
  readonly name: string;
}

/** A topology file, as a script imports it, or by its path; with the names in it where they are known. */
export interface TopologyFile<T extends TopologyShape = TopologyShape> {
  readonly file: string;
  readonly shape?: T;
}

/** Where the topology is: here, in a file that was imported, or in one that is named from the script's folder. */
export type TopologySource = TopologyShape | TopologyFile | string;

/** The names that a script may use: those of its topology, or any where that is a text. */
export type ShapeOf<S> = S extends (params: never) => infer R ? ShapeOfSource<R> : ShapeOfSource<S>;

type ShapeOfSource<S> = S extends TopologyFile<infer T> ? T : S extends TopologyShape ? S : TopologyShape;

type Names<T> = T extends readonly []
  ? never
  : T extends readonly { readonly name: infer N extends string }[]
    ? N
    : never;

/** What a scenario has to act with. */
export interface Scene<T extends TopologyShape, P extends Params> {
  /** Virtual time. */
  readonly sim: Simulation;
  readonly params: { readonly [K in keyof P]: Widened<P[K]> };
  /** By their names in the topology. */
  readonly nodes: { readonly [K in keyof T['nodes'] & string]: ScriptNode<T['nodes'][K]> };
  /** Links and switches by their names. */
  readonly links: { readonly [K in Names<T['links']> | Names<T['switches']>]: Link };
  readonly wires: { readonly [K in Names<T['wires']>]: Wire };
  readonly expect: Expect;
  /** Takes down every link and switch port between the groups of nodes; what it gives back puts them up again. */
  partition(...groups: readonly (readonly (keyof T['nodes'] & string)[])[]): () => void;
  /** Writes a remark into the run log. */
  mark(text: string): void;
}

/** The type of a parameter whose default is a literal. */
type Widened<V> = V extends number ? number : V extends string ? string : boolean;

export interface ScenarioOptions<S, P extends Params> {
  /** Without it, there is nothing but the script. A function is called with the parameters of the run. */
  readonly topology?: S | ((params: { readonly [K in keyof P]: Widened<P[K]> }) => S);
  readonly params?: P;
  /** The run ends here at the latest, and a script that has not come to its end by then has failed. */
  readonly until?: Span;
}

/** What a script exports as its default. */
export interface Scenario {
  readonly [SCENARIO]: true;
  readonly options: ScenarioOptions<TopologySource, Params>;
  readonly play: (scene: Scene<TopologyShape, Params>) => unknown;
}

/**
 * A scripted run: what `oneclock run` plays where its file is a script.
 *
 * @param options the topology, parameters, and when it ends
 * @param play is called at virtual time 0; the run ends when it has, and every node with `run`; what it returns is the
 *   `output` of the result
 */
export function scenario(play: (scene: Scene<{ nodes: Record<never, never> }, Params>) => unknown): Scenario;
export function scenario<const S extends TopologySource, const P extends Params = Record<never, never>>(
  options: ScenarioOptions<S, P>,
  play: (scene: Scene<ShapeOf<S>, P>) => unknown,
): Scenario;
export function scenario(first: unknown, second?: unknown): Scenario {
  const [options, play] = second === undefined ? [{}, first] : [first, second];
  if (typeof play !== 'function')
    throw new OneclockError(
      'INPUT',
      'scenario(...) expects a function, behind its options where there are any; found none',
    );
  return { [SCENARIO]: true, options, play } as Scenario;
}

/** Whether `value` is a scenario. */
export function isScenario(value: unknown): value is Scenario {
  return typeof value === 'object' && value !== null && SCENARIO in value;
}
