// SPDX-License-Identifier: MIT

/** On one line, with nothing that a terminal would obey: scripts choose the names of metrics, and reasons quote guests. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ').trim();
}
