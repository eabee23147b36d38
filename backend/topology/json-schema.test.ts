// SPDX-License-Identifier: MIT
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { topologyJsonSchema } from './json-schema.js';

interface Node {
  readonly description?: string;
  readonly properties?: { readonly [key: string]: Node };
  readonly [key: string]: unknown;
}

it('is published as it is; the head of json-schema.ts says how', () => {
  const published = JSON.parse(
    readFileSync(new URL('../../docs/topology.schema.json', import.meta.url), 'utf8'),
  );
  expect(published).toEqual(JSON.parse(JSON.stringify(topologyJsonSchema())));
});

it('describes every key', () => {
  const bare: string[] = [];
  const walk = (schema: unknown, path: string): void => {
    if (typeof schema !== 'object' || schema === null) return;
    for (const [key, value] of Object.entries((schema as Node).properties ?? {}))
      if (!value.description) bare.push(`${path}.${key}`);
    for (const [key, value] of Object.entries(schema)) walk(value, `${path}/${key}`);
  };
  walk(topologyJsonSchema(), '');
  expect(bare).toEqual([]);
});
