// SPDX-License-Identifier: MIT
import { formatAt } from '../model/time-text.js';
import { el } from './dom.js';
import type { ShownRun, State } from './state.js';
import { part } from './statistics-tab.js';

/** An event of a difference, as `oneclock diff --json` tells it. */
interface Told {
  readonly index: string;
  readonly at: bigint | undefined;
  readonly node: string;
  readonly text: string;
}

/** Where two runs first differ. */
export class CompareTab {
  private diff: unknown;
  private failure: string | undefined;

  constructor(
    private readonly state: State,
    /** Goes to the first difference. */
    private readonly jump: () => void,
  ) {}

  /** What `oneclock diff` found. */
  take(diff: unknown): void {
    this.diff = diff;
    const a = told(part(diff, 'divergence', 'a'));
    const b = told(part(diff, 'divergence', 'b'));
    const times = [a?.at, b?.at].filter((at) => at !== undefined);
    this.state.divergence = times.reduce<bigint | undefined>(
      (least, at) => (least === undefined || at < least ? at : least),
      undefined,
    );
  }

  fail(why: string): void {
    this.failure = why;
  }

  /** The difference in one line; undefined: it is not known yet. */
  get summary(): string | undefined {
    if (this.diff === undefined) return this.failure;
    const verdict = part(this.diff, 'verdict');
    if (verdict === 'identical') return 'The two runs are identical.';
    const index = part(this.diff, 'divergence', 'index');
    if (verdict === 'damaged') return `No difference in the ${index} events that could be read of both logs.`;
    if (this.state.divergence === undefined) return 'The headers differ; no event does.';
    const node = told(part(this.diff, 'divergence', 'a'))?.node ?? '';
    return `The runs first differ in event ${index}, at ${formatAt(this.state.divergence)}${node && `, ${node}`}.`;
  }

  /** The events that differ: those with the index of the difference. */
  get event(): number | undefined {
    const index = part(this.diff, 'divergence', 'index');
    return typeof index === 'number' ? index : undefined;
  }

  render(): HTMLElement {
    const { diff, state } = this;
    const box = el('div', { class: 'block' });
    state.runs.forEach(({ label }: ShownRun, run) => {
      box.append(
        el('p', {}, el('b', { class: run === 0 ? 'side-a' : 'side-b' }, 'AB'[run] ?? ''), ` is ${label}`),
      );
    });
    const { summary } = this;
    box.append(el('p', { id: 'verdict' }, el('b', {}, summary ?? 'Looking for the first difference…')));
    if (diff === undefined) return box;
    const header = part(diff, 'header');
    if (Array.isArray(header)) {
      for (const each of header)
        box.append(el('p', {}, `${part(each, 'field')}: ${part(each, 'a')} in A, ${part(each, 'b')} in B`));
    }
    if (state.divergence !== undefined) {
      const go = el('button', { class: 'action', type: 'button', id: 'jump' }, 'Go there (g)');
      go.addEventListener('click', this.jump);
      box.append(el('p', {}, go));
    }
    const sides = el('div', { class: 'sides' });
    const line = (side: string, event: Told | undefined) => {
      if (event === undefined) return;
      sides.append(
        el('span', { class: side === 'A' ? 'side-a' : side === 'B' ? 'side-b' : 'muted' }, side),
        el('span', { class: 'mono' }, event.at === undefined ? '' : formatAt(event.at)),
        el('span', {}, event.node),
        el('span', { class: 'text' }, event.text),
      );
    };
    for (const event of tolds(part(diff, 'divergence', 'before'))) line('=', event);
    line('A', told(part(diff, 'divergence', 'a')));
    line('B', told(part(diff, 'divergence', 'b')));
    box.append(el('h2', {}, 'The first difference, and what is before it in both'), sides);
    const onNode = part(diff, 'divergence', 'beforeOnNode');
    if (typeof onNode === 'object' && onNode !== null) {
      for (const [node, events] of Object.entries(onNode)) {
        const before = el('div', { class: 'sides' });
        for (const event of tolds(events))
          before.append(
            el('span', { class: 'muted' }, '='),
            el('span', { class: 'mono' }, event.at === undefined ? '' : formatAt(event.at)),
            el('span', {}, event.node),
            el('span', { class: 'text' }, event.text),
          );
        if (before.childElementCount > 0) box.append(el('h2', {}, `Before it, in both, at ${node}`), before);
      }
    }
    return box;
  }
}

function tolds(value: unknown): Told[] {
  return Array.isArray(value) ? value.map(told).filter((each) => each !== undefined) : [];
}

function told(value: unknown): Told | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const text = (name: string) => String(part(value, name) ?? '');
  const at = text('at');
  return {
    index: text('index'),
    at: /^\d{1,20}$/.test(at) ? BigInt(at) : undefined,
    node: text('node'),
    text: text('text'),
  };
}
