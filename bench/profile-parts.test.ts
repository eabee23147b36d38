// SPDX-License-Identifier: MIT
import { expect, it } from 'vitest';
import { ADDON, COLLECTION, LIBRARIES, NODE, OTHER, selfTimes } from './profile-parts.js';

const frame = (functionName: string, url = '') => ({ functionName, url, lineNumber: 0, columnNumber: 0 });
const sourceOf = ({ url }: { readonly url: string }) => url || undefined;

/** The time of one sample of 10 us, by its part. */
function partOf(functionName: string, url?: string): string | undefined {
  const parts = selfTimes(
    { nodes: [{ id: 1, callFrame: frame(functionName, url) }], samples: [1, 1], timeDeltas: [500, 10] },
    sourceOf,
  );
  return Object.entries(parts).find(([, us]) => us === 10)?.[0];
}

it('tells parts by the folders of their sources', () => {
  expect(partOf('step', '../backend/calendar/domain.ts')).toBe('calendar');
  expect(partOf('send', '../backend/run/network.ts')).toBe('run');
  expect(partOf('encode', '../protocols/trace/encoder.ts')).toBe('protocols');
  expect(partOf('build', '../guest/initramfs.ts')).toBe(OTHER);
  expect(partOf('fail', '../backend/errors.ts')).toBe(OTHER);
  expect(partOf('poll', '../host/native/native-hub.ts')).toBe(ADDON);
  expect(partOf('parse', '../node_modules/yaml/dist/network/parse.js')).toBe(LIBRARIES);
});

it('tells what is not of the program', () => {
  expect(partOf('(garbage collector)')).toBe(COLLECTION);
  expect(partOf('readFileSync')).toBe(NODE);
  expect(partOf('(idle)')).toBeUndefined();
});

it('gives a sample the time until the next one', () => {
  const nodes = [
    { id: 1, callFrame: frame('step', 'backend/calendar/domain.ts') },
    { id: 2, callFrame: frame('write', 'backend/trace/run-log.ts') },
  ];
  const parts = selfTimes({ nodes, samples: [1, 2, 1], timeDeltas: [100, 7, 30] }, sourceOf);
  expect(parts.calendar).toBe(7);
  expect(parts.trace).toBe(30);
});
