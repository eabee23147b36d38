// SPDX-License-Identifier: MIT
import { spawnSync } from 'node:child_process';
import { readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packageFile } from '../../host/package-root.js';
import { Workspace } from '../support/cli.js';

const TOPOLOGY = `
name: two
until: 1s
nodes:
  a: { kind: uml, interfaces: { eth0: {} } }
  b-2: { kind: uml, interfaces: { eth0: {} } }
links: [{ name: ab, between: [a.eth0, b-2.eth0], latency: 1ms }]
wires: [{ name: w, pins: [a.gpio0, b-2.gpio0] }]
`;

/** What TypeScript says of scripts beside the topology, each of which is called by its name and plays a body. */
function faults(space: Workspace, bodies: Readonly<Record<string, string>>): string[] {
  for (const [name, body] of Object.entries(bodies)) {
    space.write(
      `${name}.ts`,
      `import { scenario } from 'oneclock';
import topology from './two.yaml';
export default scenario({ topology, params: { k: 1 } }, async ({ sim, nodes, links, wires, params }) => { ${body} });`,
    );
  }
  space.write('package.json', '{ "type": "module" }');
  space.write(
    'tsconfig.json',
    JSON.stringify({
      extends: packageFile('tsconfig.json'),
      compilerOptions: {
        rootDir: '/',
        typeRoots: [packageFile('node_modules/@types')],
        paths: { oneclock: [packageFile('backend/scenario/index.ts')] },
      },
      include: [],
      files: Object.keys(bodies).map((name) => `${name}.ts`),
    }),
  );
  const tsc = packageFile('node_modules/.bin/tsc');
  const { stdout } = spawnSync(tsc, ['-p', '.'], { cwd: space.path, encoding: 'utf8' });
  return [...stdout.matchAll(/^(\w+)\.ts.*error TS\d+: ([^\n]*)/gm)].map(
    ([, name, text]) => `${name}: ${text}`,
  );
}

test('the names of a topology are known to a script, and others are not', async () => {
  const space = new Workspace();
  const file = space.write('two.yaml', TOPOLOGY);
  symlinkSync(packageFile('node_modules'), join(space.path, 'node_modules'));
  expect(await space.run(['types', file])).toMatchObject({
    status: 0,
    stdout: `${space.path}/two.d.yaml.ts\n`,
  });
  expect(readFileSync(join(space.path, 'two.d.yaml.ts'), 'utf8')).toContain(
    "'b-2': { interfaces: { eth0: unknown } };",
  );
  const good =
    "await sim.sleep('1ms'); nodes.a.kill(); nodes['b-2'].interfaces.eth0.mac; links.ab.down(); wires.w.read(); params.k.toFixed();";
  const bad = 'nodes.c; nodes.a.interfaces.eth1; links.ac; wires.ab; params.m; sim.wait();';
  const missing = (name: string) => expect.stringContaining(`bad: Property '${name}' does not exist`);
  expect(faults(space, { good, bad })).toEqual(['c', 'eth1', 'ac', 'ab', 'm', 'wait'].map(missing));
});

test('a topology with mistakes, and a file that is none, are refused', async () => {
  const space = new Workspace();
  const wrong = await space.run(['types', space.write('wrong.yaml', 'name: 3')]);
  expect(wrong.status).toBe(2);
  expect(wrong.stderr).toContain('wrong.yaml:1:');
  const other = await space.run(['types', space.write('two.txt', TOPOLOGY)]);
  expect(other).toMatchObject({ status: 2 });
  expect(other.stderr).toContain('.yaml');
});
