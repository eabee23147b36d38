// SPDX-License-Identifier: MIT
import { writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { OneclockError } from '../errors.js';
import { readTopology, type Topology } from '../topology/index.js';

/** `oneclock types`. @returns the exit status */
export async function types(file: string): Promise<number> {
  const [, stem, extension] = /^(.*)\.(ya?ml)$/.exec(file) ?? [];
  if (stem === undefined)
    throw new OneclockError('INPUT', `${file}: expected a file whose name ends with .yaml`);
  const written = `${stem}.d.${extension}.ts`;
  try {
    writeFileSync(written, declaration(basename(file), readTopology(file)));
  } catch (error) {
    if (error instanceof OneclockError) throw error;
    throw new OneclockError('INPUT', `${written} cannot be written (${(error as Error).message})`, {
      cause: error,
    });
  }
  process.stdout.write(`${written}\n`);
  return 0;
}

/** What TypeScript is told of a topology file that a script imports. */
export function declaration(name: string, { nodes, links, switches, wires }: Topology): string {
  const names = (list: readonly { readonly name: string }[]) =>
    `[${list.map((each) => `{ name: ${quote(each.name)} }`).join(', ')}]`;
  const shapes = nodes.map((node) => {
    const interfaces = node.interfaces.map((each) => `${key(each.name)}: unknown`).join('; ');
    const serial = (node.serial ?? []).map((each) => quote(each.name)).join(', ');
    const lines = serial && `; serial: [${serial}]`;
    return `    ${key(node.name)}: { interfaces: {${interfaces && ` ${interfaces} `}}${lines} };`;
  });
  return `// Made by 'oneclock types ${name}'.
import type { TopologyFile } from 'oneclock';

declare const topology: TopologyFile<{
  nodes: {
${shapes.join('\n')}
  };
  links: ${names(links)};
  switches: ${names(switches)};
  wires: ${names(wires)};
}>;
export default topology;
`;
}

function key(name: string): string {
  return /^[A-Za-z_]\w*$/.test(name) ? name : quote(name);
}

function quote(name: string): string {
  return `'${name}'`;
}
