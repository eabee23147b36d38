// SPDX-License-Identifier: MIT
/**
 * The JSON Schema of topology files, for editors: docs/topology.schema.json. After a change of schema.ts:
 *
 *     npm run build && node dist/backend/topology/json-schema.js > docs/topology.schema.json
 *     npx biome format --write docs/topology.schema.json
 */
import { pathToFileURL } from 'node:url';
import * as z from 'zod/mini';
import { documentation } from './leaf.js';
import { topologySchema } from './schema.js';

/** The JSON Schema, draft 2020-12: the shape of a file, without the checks across values. */
export function topologyJsonSchema(): object {
  const schema = z.toJSONSchema(topologySchema, { io: 'input', metadata: documentation });
  return { title: 'oneclock topology', ...schema };
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href)
  process.stdout.write(`${JSON.stringify(topologyJsonSchema(), null, 2)}\n`);
