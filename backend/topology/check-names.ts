// SPDX-License-Identifier: MIT
import { describe, shorten } from './found.js';
import { INTERFACE, INTERFACE_EXPECTED, NAME, NAME_EXPECTED } from './names.js';
import type { Path } from './problem.js';
import type { DocumentReporter } from './report.js';
import type { Survey } from './survey.js';

/** Names of nodes and interfaces are possible, and no two nodes and no two nets have the same. */
export function checkNames(survey: Survey, report: DocumentReporter): void {
  const nodes = new Map<string, Path>();
  for (const { name, path, interfaces } of survey.nodes?.values() ?? []) {
    if (!NAME.test(name)) report.atKey(path, `expected ${NAME_EXPECTED}; found ${describe(name)}`);
    for (const each of interfaces?.values() ?? [])
      if (!INTERFACE.test(each.name))
        report.atKey(each.path, `expected ${INTERFACE_EXPECTED}; found ${describe(each.name)}`);

    const other = nodes.get(name.toLowerCase());
    if (other === undefined) nodes.set(name.toLowerCase(), path);
    else
      report.atKey(
        path,
        `differs from the node '${other.at(-1)}' (line ${report.keyLineOf(other)}) only in capitals; choose another name`,
      );
  }

  const nets = new Map<string, Path>();
  for (const { name, path } of survey.nets) {
    if (name === undefined) continue;
    const place = [...path, 'name'];
    const other = nets.get(name.toLowerCase());
    if (other === undefined) nets.set(name.toLowerCase(), place);
    else
      report.atValue(
        place,
        `the name '${shorten(name)}' is already taken on line ${report.lineOf(other)}; ` +
          'links, switches and wires need names that differ, since files are named after them',
      );
  }
}
