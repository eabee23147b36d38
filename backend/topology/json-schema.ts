// SPDX-License-Identifier: MIT
/**
 * The JSON Schema of topology files, for editors: docs/topology.schema.json. After a change of schema.ts:
 *
 *     npm run schema
 */
import * as z from 'zod/mini';
import { documentation } from './leaf.js';
import { topologySchema } from './schema.js';

/** The JSON Schema, draft 2020-12: the shape of a file, without the checks across values. */
export function topologyJsonSchema(): object {
  const schema = z.toJSONSchema(topologySchema, { io: 'input', metadata: documentation });
  return { title: 'oneclock topology', ...schema };
}
