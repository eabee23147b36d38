// SPDX-License-Identifier: MIT
import { isPlainMap, type Plain, valueAt } from './plain.js';
import type { DocumentReporter } from './report.js';
import type { Survey } from './survey.js';

/** Keys that only a KVM guest can have. */
const KVM_KEYS = ['clock', 'modules'] as const;

/** What is said of KVM guests is said of KVM guests only, and is what they can have. */
export function checkKvm(survey: Survey, plain: Plain, report: DocumentReporter): void {
  for (const { path } of survey.nodes?.values() ?? []) {
    const node = valueAt(plain.value, path);
    if (!isPlainMap(node)) continue;
    const has = (key: string) => valueAt(node, [key]) !== undefined;
    if (valueAt(node, ['kind']) !== 'kvm') {
      for (const key of KVM_KEYS)
        if (has(key))
          report.atKey(
            [...path, key],
            `expected \`kind: kvm\` in a node with \`${key}\`; found another kind; remove it`,
          );
      continue;
    }
    if (valueAt(node, ['root']) === 'host')
      report.atValue(
        [...path, 'root'],
        'expected `root: initramfs` of a KVM guest, which cannot see the files of this machine; found host; remove it',
      );
    if (valueAt(node, ['clock']) === 'emulated' && !has('kernel'))
      report.atValue(
        [...path, 'clock'],
        'expected `kernel` beside `clock: emulated`, which is for a kernel of your own; found none; add it, or remove both',
      );
  }
}
