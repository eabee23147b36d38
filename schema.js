// SPDX-License-Identifier: MIT
// Writes docs/topology.schema.json from the schema that topologies are checked against.
import { writeFileSync } from 'node:fs';
import { build } from 'esbuild';

const bundle = await build({
  entryPoints: ['backend/topology/json-schema.ts'],
  bundle: true,
  platform: 'node',
  format: 'esm',
  write: false,
});
const source = Buffer.from(bundle.outputFiles[0].contents).toString('base64');
const { topologyJsonSchema } = await import(`data:text/javascript;base64,${source}`);
writeFileSync('docs/topology.schema.json', `${JSON.stringify(topologyJsonSchema(), null, 2)}\n`);
