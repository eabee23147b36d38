// SPDX-License-Identifier: MIT
import type { Rate } from './kvm-updates.js';
import { formatSpread, type Spread, spread } from './spread.js';
import type { TableFormat } from './table.js';

/** Updates of a shared variable in a group of guests. */
export interface UpdateResult {
  readonly method: Rate['method'];
  readonly guests: number;
  readonly perSecond: Spread;
  readonly meanDelayUs: Spread;
  readonly p99DelayUs: Spread;
}

/** @param turns one or more, all of the same groups */
export function summarizeUpdates(turns: readonly (readonly Rate[])[]): UpdateResult[] {
  const [first] = turns as readonly [readonly Rate[]];
  return first.map(({ method, guests }, place) => {
    const over = (figure: (rate: Rate) => number) =>
      spread(turns.map((rates) => figure(rates[place] as Rate)));
    return {
      method,
      guests,
      perSecond: over(({ perSecond }) => perSecond),
      meanDelayUs: over(({ delayUs }) => delayUs.mean),
      p99DelayUs: over(({ delayUs }) => delayUs.p99),
    };
  });
}

export function formatUpdates(results: readonly UpdateResult[], table: TableFormat): string {
  return table([
    ['', 'updates a second', 'mean delay, us', '99 % within, us'],
    ...results.map(({ method, guests, perSecond, meanDelayUs, p99DelayUs }) => [
      `${method}, ${guests} guests`,
      formatSpread(perSecond, 0),
      formatSpread(meanDelayUs, 1),
      formatSpread(p99DelayUs, 1),
    ]),
  ]);
}
