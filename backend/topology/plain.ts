// SPDX-License-Identifier: MIT
import { type Document, isAlias, isMap, isScalar, isSeq, type Node, type YAMLMap, type YAMLSeq } from 'yaml';
import { invariant } from '../errors.js';
import { shorten } from './found.js';
import type { Path } from './problem.js';
import type { Reporter } from './report.js';

/**
 * Values that aliases may add. Each alias is a copy, and copies of copies grow exponentially, so the sum is bounded
 * and not the number of aliases.
 */
const MAX_COPIED = 10_000;

/** A map of the document: no prototype, so that a key is never an inherited one. */
export type PlainMap = { readonly [key: string]: unknown };

/** Where the parts of a map or list begin, as offsets in the text. */
interface Places {
  readonly offset: number;
  /** In the order of the file; a plain object would put keys such as `10` first. */
  readonly keys: Map<string, number>;
  readonly values: Map<string | number, number>;
}

/** The document as plain values: maps, arrays, strings, booleans, null, numbers, and bigints beyond 2^53. */
export interface Plain {
  readonly value: unknown;
  /** False where an alias does not resolve: the value is then incomplete. */
  readonly complete: boolean;
  /** The offset of the value at `path`, or of the nearest map or list around it that exists. */
  offsetOf(path: Path): number;
  /** The offset of the key that `path` ends in; where there is none, as {@link offsetOf}. */
  keyOffsetOf(path: Path): number;
  /** The keys of the map at `path`, in the order of the file. */
  keysOf(path: Path): string[];
}

export function isPlainMap(value: unknown): value is PlainMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value at `path`, or undefined. */
export function valueAt(value: unknown, path: Path): unknown {
  let current = value;
  for (const step of path) {
    if (Array.isArray(current) && typeof step === 'number') current = current[step];
    else if (isPlainMap(current) && typeof step === 'string') current = current[step];
    else return undefined;
  }
  return current;
}

/** Turns `document` into plain values, and reports duplicate and unusable keys and aliases. */
export function toPlain(document: Document.Parsed, report: Reporter): Plain {
  const walk = new Walk(report);
  const value = walk.visit(document.contents);
  const root = document.contents?.range?.[0] ?? 0;

  const find = (path: Path, wantKey: boolean): number => {
    let offset = root;
    let current = value;
    for (const [index, step] of path.entries()) {
      const places = typeof current === 'object' && current !== null ? walk.places.get(current) : undefined;
      const isKey = wantKey && index === path.length - 1 && typeof step === 'string';
      const next = isKey ? places?.keys.get(step) : places?.values.get(step);
      if (next === undefined) return offset;
      offset = next;
      current = valueAt(current, [step]);
    }
    return offset;
  };
  return {
    value,
    complete: walk.complete,
    offsetOf: (path) => find(path, false),
    keyOffsetOf: (path) => find(path, true),
    keysOf: (path) => {
      const map = valueAt(value, path);
      return isPlainMap(map) ? [...(walk.places.get(map)?.keys.keys() ?? [])] : [];
    },
  };
}

class Walk {
  readonly places = new WeakMap<object, Places>();
  complete = true;
  private readonly anchors = new Map<string, Node>();
  /** The maps and lists around the present node: an alias to one of them would have no end. */
  private readonly open = new Set<Node>();
  /** How many aliases the present node is inside of. */
  private aliases = 0;
  private copied = 0;

  constructor(private readonly report: Reporter) {}

  visit(node: Node | null): unknown {
    if (node === null) return null;
    if (this.aliases > 0 && ++this.copied > MAX_COPIED) return null;
    if (isAlias(node)) return this.alias(node.source, node.range?.[0] ?? 0);
    if (node.anchor !== undefined && this.aliases === 0) this.anchors.set(node.anchor, node);
    if (isScalar(node)) return scalar(node.value);
    this.open.add(node);
    try {
      if (isMap(node)) return this.map(node);
      invariant(isSeq(node), () => `expected a map or a list in the document; found ${String(node)}`);
      return this.list(node);
    } finally {
      this.open.delete(node);
    }
  }

  private alias(name: string, offset: number): unknown {
    const target = this.anchors.get(name);
    const fault =
      target === undefined
        ? `expected the anchor &${shorten(name)} above this alias; found none; check the name`
        : this.open.has(target)
          ? `expected an alias of something that is complete; found *${shorten(name)} inside of its own anchor`
          : undefined;
    if (target === undefined || fault !== undefined) {
      this.complete = false;
      this.report.atOffset(offset, fault ?? '');
      return null;
    }
    this.aliases++;
    const before = this.copied;
    const value = this.visit(target);
    this.aliases--;
    if (this.copied > MAX_COPIED && before <= MAX_COPIED && this.aliases === 0) {
      this.complete = false;
      this.report.atOffset(
        offset,
        `expected aliases that stand for at most ${MAX_COPIED} values in all; found more; write them out`,
      );
    }
    return value;
  }

  private map(node: YAMLMap): PlainMap {
    const result: { [key: string]: unknown } = Object.create(null);
    const places = placesOf(node);
    this.places.set(result, places);
    for (const { key, value } of node.items) {
      const valueNode = (value ?? null) as Node | null;
      const offset = offsetOf(key) ?? offsetOf(valueNode) ?? places.offset;
      const name = keyName(key);
      if (name === undefined) {
        this.report.atOffset(offset, 'expected a plain word as the key; found a map, a list or an alias');
      } else if (name === '__proto__') {
        this.report.atOffset(offset, 'the key __proto__ cannot be used; choose another name');
      } else if (places.keys.has(name)) {
        const first = this.report.lineOf(places.keys.get(name) ?? 0);
        this.report.atOffset(
          offset,
          `the key '${shorten(name)}' is already in this map (line ${first}); remove one of the two`,
        );
      } else {
        places.keys.set(name, offset);
        places.values.set(name, offsetOf(valueNode) ?? offset);
        result[name] = this.visit(valueNode);
        continue;
      }
      // What is not kept is still read, for the anchors in it.
      this.visit(valueNode);
    }
    return result;
  }

  private list(node: YAMLSeq): unknown[] {
    const result: unknown[] = [];
    const places = placesOf(node);
    this.places.set(result, places);
    for (const [index, item] of node.items.entries()) {
      const itemNode = (item ?? null) as Node | null;
      places.values.set(index, offsetOf(itemNode) ?? places.offset);
      result.push(this.visit(itemNode));
    }
    return result;
  }
}

function placesOf(node: Node): Places {
  return { offset: node.range?.[0] ?? 0, keys: new Map(), values: new Map() };
}

function offsetOf(node: unknown): number | undefined {
  return (node as Node | null)?.range?.[0];
}

/** A key as it is written, so that `01` and `1` are two names; undefined for what is not a scalar. */
function keyName(key: unknown): string | undefined {
  if (key === null) return '';
  return isScalar(key) ? (key.source ?? String(key.value)) : undefined;
}

function scalar(value: unknown): unknown {
  if (typeof value !== 'bigint') return value;
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}
