// SPDX-License-Identifier: MIT
import { describe } from './found.js';
import { MAX_SERIAL } from './limits.js';
import { SERIAL, SERIAL_EXPECTED } from './names.js';
import { isPlainMap, type Plain, valueAt } from './plain.js';
import type { DocumentReporter } from './report.js';
import type { Survey } from './survey.js';

/** Serial lines are those of a User-Mode Linux guest, there are such lines, and each is named once. */
export function checkSerial(survey: Survey, plain: Plain, report: DocumentReporter): void {
  for (const { path } of survey.nodes?.values() ?? []) {
    const node = valueAt(plain.value, path);
    const place = [...path, 'serial'];
    const serial = valueAt(node, ['serial']);
    if (serial === undefined) continue;
    const kind = valueAt(node, ['kind']);
    if (kind !== undefined && kind !== 'uml')
      report.atKey(place, 'expected `kind: uml` in a node with `serial`; found another kind; remove it');
    if (isPlainMap(serial)) {
      for (const name of plain.keysOf(place))
        if (!SERIAL.test(name))
          report.atKey([...place, name], `expected ${SERIAL_EXPECTED}; found ${describe(name)}`);
    }
    const names = Array.isArray(serial) ? serial : plain.keysOf(place);
    names.forEach((name, index) => {
      if (Array.isArray(serial) && names.indexOf(name) < index)
        report.atValue(
          [...place, index],
          `expected each line once; found ${describe(name)} again; remove it`,
        );
    });
    if (names.length > MAX_SERIAL)
      report.atValue(place, `expected at most ${MAX_SERIAL} lines; found ${names.length}`);
  }
}
