// SPDX-License-Identifier: MIT

/** Names beyond this many are not compared: a suggestion is a courtesy and must not cost time. */
const MAX_CANDIDATES = 100;
const MAX_LENGTH = 40;

/**
 * The candidate that `name` was most likely meant to be: at most two letters added, left out, changed or swapped, and
 * less than half of the name. Undefined where there is none.
 */
export function suggest(name: string, candidates: readonly string[]): string | undefined {
  if (name.length > MAX_LENGTH) return undefined;
  const written = name.toLowerCase();
  const limit = Math.min(2, Math.floor((name.length - 1) / 2));
  let best: string | undefined;
  let least = limit + 1;
  for (const candidate of candidates.slice(0, MAX_CANDIDATES)) {
    if (Math.abs(candidate.length - name.length) >= least) continue;
    const found = distance(written, candidate.toLowerCase());
    if (found < least) {
      least = found;
      best = candidate;
    }
  }
  return best;
}

/** `; did you mean 'x'?` where there is a likely candidate, and else a list of them. */
export function hint(name: string, candidates: readonly string[], list: string): string {
  const meant = suggest(name, candidates);
  if (meant !== undefined) return `; did you mean '${meant}'?`;
  if (candidates.length === 0) return '';
  const shown = candidates.slice(0, 20).join(', ');
  return `; ${list} ${shown}${candidates.length > 20 ? ', …' : ''}`;
}

/** Optimal string alignment distance: insertions, deletions, substitutions and swaps of neighbours. */
function distance(a: string, b: string): number {
  let older: number[] = [];
  let old = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const now = [row];
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1];
      let cost = Math.min(
        (old[column] ?? 0) + 1,
        (now[column - 1] ?? 0) + 1,
        (old[column - 1] ?? 0) + (same ? 0 : 1),
      );
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1])
        cost = Math.min(cost, (older[column - 2] ?? 0) + 1);
      now.push(cost);
    }
    older = old;
    old = now;
  }
  return old[b.length] ?? 0;
}
