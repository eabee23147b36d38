// SPDX-License-Identifier: MIT

/** `value` as it is called in a message. */
export function describe(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (typeof value === 'string') return `'${shorten(value)}'`;
  if (typeof value === 'number' || typeof value === 'bigint') return `the number ${shorten(String(value))}`;
  if (typeof value === 'boolean') return String(value);
  if (!Array.isArray(value)) return 'a map';
  return value.length === 0 ? 'an empty list' : `a list of ${value.length}`;
}

/** Short enough for a message, and on one line. */
export function shorten(text: string): string {
  const line = JSON.stringify(text.slice(0, 41)).slice(1, -1).replaceAll('\\"', '"');
  return text.length > 40 ? `${line}…` : line;
}
