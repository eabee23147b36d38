// SPDX-License-Identifier: MIT

/** Node.js's .cpuprofile: samples of the thread's stack, as the node of the call tree that was being executed. */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: {
      readonly functionName: string;
      readonly url: string;
      readonly lineNumber: number;
      readonly columnNumber: number;
    };
  }[];
  readonly samples: readonly number[];
  /** Microseconds from the sample before, one for each sample. */
  readonly timeDeltas: readonly number[];
}

type CallFrame = CpuProfile['nodes'][number]['callFrame'];

/** The source file of a function; undefined where it is not of the program. */
export type SourceOf = (frame: CallFrame) => string | undefined;

export const ADDON = 'addon, system calls and helper threads';
export const COLLECTION = 'garbage collection';
export const NODE = 'Node.js and its built-in functions';
export const LIBRARIES = 'libraries';
export const OTHER = 'other folders';
/** What time is spent on, as folders of the program have it, and the rest. */
export const PARTS = [
  'calendar',
  'network',
  'devices',
  'participants',
  'protocols',
  'trace',
  'run',
  OTHER,
  LIBRARIES,
  COLLECTION,
  NODE,
  ADDON,
] as const;
export type Part = (typeof PARTS)[number];

/** Microseconds of each part. */
export type Parts = Readonly<Record<Part, number>>;

/** Wall time of the thread by what it was spent on; that of the addon includes its waiting. */
export function selfTimes({ nodes, samples, timeDeltas }: CpuProfile, sourceOf: SourceOf): Parts {
  const parts = new Map(nodes.map(({ id, callFrame }) => [id, partOf(callFrame, sourceOf)]));
  const sums = Object.fromEntries(PARTS.map((part) => [part, 0])) as Record<Part, number>;
  samples.forEach((id, place) => {
    const part = parts.get(id);
    // A sample holds until the next one.
    if (part !== undefined) sums[part] += timeDeltas[place + 1] ?? 0;
  });
  return sums;
}

/** Undefined where the thread had nothing to do. */
function partOf(frame: CallFrame, sourceOf: SourceOf): Part | undefined {
  if (frame.functionName === '(idle)') return undefined;
  if (frame.functionName === '(garbage collector)') return COLLECTION;
  const source = sourceOf(frame);
  return source === undefined ? NODE : folderPart(source);
}

function folderPart(source: string): Part {
  if (source.includes('node_modules/')) return LIBRARIES;
  if (source.includes('host/native/')) return ADDON;
  const [, folder] = /^(?:\.\.\/)*(?:backend\/)?(\w+)\//.exec(source) ?? [];
  return PARTS.find((part) => part === folder) ?? OTHER;
}
