// SPDX-License-Identifier: MIT
import { execFileSync } from 'node:child_process';
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

/** What TypeScript says of `body` in a script beside the topology. */
function faults(space: Workspace, body: string): string[] {
  space.write(
    'script.ts',
    `import { scenario } from 'oneclock';
import topology from './two.yaml';
export default scenario({ topology, params: { k: 1 } }, async ({ sim, nodes, links, wires, params }) => { ${body} });`,
  );
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
      files: ['script.ts'],
    }),
  );
  try {
    execFileSync(packageFile('node_modules/.bin/tsc'), ['-p', '.'], { cwd: space.path, encoding: 'utf8' });
    return [];
  } catch (error) {
    return [...(error as { stdout: string }).stdout.matchAll(/error TS\d+: ([^\n]*)/g)].map(
      ([, text]) => text as string,
    );
  }
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
  expect(faults(space, good)).toEqual([]);
  expect(
    faults(space, 'nodes.c; nodes.a.interfaces.eth1; links.ac; wires.ab; params.m; sim.wait();'),
  ).toEqual([
    expect.stringContaining("Property 'c' does not exist"),
    expect.stringContaining("Property 'eth1' does not exist"),
    expect.stringContaining("Property 'ac' does not exist"),
    expect.stringContaining("Property 'ab' does not exist"),
    expect.stringContaining("Property 'm' does not exist"),
    expect.stringContaining("Property 'wait' does not exist"),
  ]);
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
