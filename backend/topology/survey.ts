// SPDX-License-Identifier: MIT
import { ENDPOINT, PIN, splitDot } from './names.js';
import { isPlainMap, type Plain, valueAt } from './plain.js';
import type { Path } from './problem.js';

/**
 * What the cross-checks look at. It is read from the plain document and not from the schema's result, so that one
 * wrong value does not hide what is wrong elsewhere: what does not have the right form is left out here, and
 * reported by the schema.
 */
export interface Survey {
  /** Undefined where `nodes` is no map: nothing can be said about references. */
  readonly nodes: ReadonlyMap<string, SurveyedNode> | undefined;
  /** Links, switches and wires, in this order. */
  readonly nets: readonly SurveyedNet[];
}

export interface SurveyedNode {
  readonly name: string;
  readonly path: Path;
  /** Undefined where the file leaves open what they are. */
  readonly interfaces: ReadonlyMap<string, SurveyedInterface> | undefined;
}

export interface SurveyedInterface {
  readonly node: string;
  readonly name: string;
  readonly path: Path;
  readonly addresses: readonly { readonly text: string; readonly path: Path }[];
}

export type NetKind = 'link' | 'switch' | 'wire';

export interface SurveyedNet {
  readonly kind: NetKind;
  readonly name: string | undefined;
  readonly path: Path;
  /** Endpoints of links and switches, pins of wires; those of the right form. */
  readonly members: readonly SurveyedMember[];
}

export interface SurveyedMember {
  /** `a.eth0` */
  readonly text: string;
  readonly node: string;
  /** The interface, or the line. */
  readonly rest: string;
  readonly path: Path;
}

const NETS = [
  { kind: 'link', list: 'links', members: 'between', form: ENDPOINT },
  { kind: 'switch', list: 'switches', members: 'ports', form: ENDPOINT },
  { kind: 'wire', list: 'wires', members: 'pins', form: PIN },
] as const;

/** @param knownNodeKeys what may stand in a node; another key may be a misspelt `interfaces` */
export function surveyOf(plain: Plain, knownNodeKeys: readonly string[]): Survey {
  return {
    nodes: isPlainMap(valueAt(plain.value, ['nodes'])) ? nodesOf(plain, knownNodeKeys) : undefined,
    nets: NETS.flatMap(({ kind, list, members, form }) =>
      listAt(plain, [list]).flatMap((net, index) => {
        if (!isPlainMap(net)) return [];
        const path = [list, index];
        const written = valueAt(net, ['name']);
        const name = typeof written === 'string' ? written : undefined;
        return [{ kind, name, path, members: membersOf(plain, [...path, members], form) }];
      }),
    ),
  };
}

function nodesOf(plain: Plain, knownKeys: readonly string[]): Map<string, SurveyedNode> {
  const nodes = new Map<string, SurveyedNode>();
  for (const name of plain.keysOf(['nodes'])) {
    const path = ['nodes', name];
    nodes.set(name, { name, path, interfaces: interfacesOf(plain, name, path, knownKeys) });
  }
  return nodes;
}

function interfacesOf(plain: Plain, node: string, nodePath: Path, knownKeys: readonly string[]) {
  const path = [...nodePath, 'interfaces'];
  const map = valueAt(plain.value, path);
  const interfaces = new Map<string, SurveyedInterface>();
  if (isPlainMap(map)) {
    for (const name of plain.keysOf(path)) {
      const place = [...path, name];
      interfaces.set(name, { node, name, path: place, addresses: addressesOf(plain, [...place, 'address']) });
    }
    return interfaces;
  }
  const strange = plain.keysOf(nodePath).some((key) => !knownKeys.includes(key));
  const known = map === undefined && !strange && isPlainMap(valueAt(plain.value, nodePath));
  return known ? interfaces : undefined;
}

function addressesOf(plain: Plain, path: Path): { text: string; path: Path }[] {
  const value = valueAt(plain.value, path);
  if (typeof value === 'string') return [{ text: value, path }];
  return listAt(plain, path).flatMap((text, index) =>
    typeof text === 'string' ? [{ text, path: [...path, index] }] : [],
  );
}

function membersOf(plain: Plain, path: Path, form: RegExp): SurveyedMember[] {
  return listAt(plain, path).flatMap((text, index) => {
    if (typeof text !== 'string' || !form.test(text)) return [];
    const [node, rest] = splitDot(text);
    return [{ text, node, rest, path: [...path, index] }];
  });
}

function listAt(plain: Plain, path: Path): readonly unknown[] {
  const value = valueAt(plain.value, path);
  return Array.isArray(value) ? value : [];
}
