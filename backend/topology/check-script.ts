// SPDX-License-Identifier: MIT
import { isPlainMap, type Plain, valueAt } from './plain.js';
import type { DocumentReporter } from './report.js';
import type { Survey } from './survey.js';

/** What a node where the script is can have. */
const ITS_KEYS = ['kind', 'interfaces'];

/** A node where the script is has interfaces, which have no addresses, and nothing else: it is no machine. */
export function checkScript(survey: Survey, plain: Plain, report: DocumentReporter): void {
  for (const { path } of survey.nodes?.values() ?? []) {
    const node = valueAt(plain.value, path);
    if (!isPlainMap(node) || valueAt(node, ['kind']) !== 'script') continue;
    for (const key of plain.keysOf(path)) {
      if (ITS_KEYS.includes(key)) continue;
      report.atKey(
        [...path, key],
        `expected no \`${key}\` in a node of \`kind: script\`, which is no machine; found one; remove it`,
      );
    }
    for (const name of plain.keysOf([...path, 'interfaces'])) {
      const address = [...path, 'interfaces', name, 'address'];
      if (valueAt(plain.value, address) === undefined) continue;
      report.atKey(
        address,
        'expected no `address` of an interface where the script is: it makes its frames itself; found one; remove it',
      );
    }
  }
}
