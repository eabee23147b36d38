// SPDX-License-Identifier: MIT

/** The four bytes at `offset` as `10.0.0.1`. @throws RangeError where the view is too short */
export function formatIpv4(view: DataView, offset: number): string {
  return [0, 1, 2, 3].map((index) => view.getUint8(offset + index)).join('.');
}

/**
 * The sixteen bytes at `offset` in the form of RFC 5952, section 4: lower case, no leading zeros, and `::` for the
 * first of the longest runs of two or more zero groups.
 *
 * @throws RangeError where the view is too short
 */
export function formatIpv6(view: DataView, offset: number): string {
  const groups = [0, 2, 4, 6, 8, 10, 12, 14].map((index) => view.getUint16(offset + index));
  let best = 0;
  let bestLength = 1;
  for (let from = 0; from < groups.length; from++) {
    let to = from;
    while (to < groups.length && groups[to] === 0) to++;
    if (to - from > bestLength) {
      best = from;
      bestLength = to - from;
    }
  }
  const text = (part: readonly number[]) => part.map((group) => group.toString(16)).join(':');
  if (bestLength < 2) return text(groups);
  return `${text(groups.slice(0, best))}::${text(groups.slice(best + bestLength))}`;
}
