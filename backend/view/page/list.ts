// SPDX-License-Identifier: MIT
import { el } from './dom.js';

export interface ListItem {
  readonly cells: readonly Node[];
  /** The one that the cursor is at. */
  readonly now: boolean;
  /** The first one behind the cursor, where none is at it. */
  readonly next?: boolean;
  readonly choose?: () => void;
}

/** A list of a column of the panel; the one that is `now` is kept in sight. */
export function list(label: string, items: readonly ListItem[], columns: '' | 'two' = ''): HTMLElement {
  if (items.length === 0) return el('p', { class: 'empty' }, 'Nothing here.');
  const box = el('div', { class: 'list', role: 'listbox', 'aria-label': label, tabindex: '0' });
  let current: HTMLElement | undefined;
  for (const { cells, now, next, choose } of items) {
    const item = el(
      'div',
      {
        class: `item ${columns}${now ? ' now' : next ? ' next' : ''}`,
        role: 'option',
        'aria-selected': String(now),
      },
      ...cells,
    );
    if (choose !== undefined) item.addEventListener('click', choose);
    if (now || (next && current === undefined)) current = item;
    box.append(item);
  }
  const index = items.findIndex(({ now, next }) => now || next);
  box.addEventListener('keydown', (event) => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step === 0) return;
    event.preventDefault();
    event.stopPropagation();
    items[Math.max(0, Math.min(items.length - 1, index + step))]?.choose?.();
  });
  if (current !== undefined) {
    const shown = current;
    queueMicrotask(() => {
      box.scrollTop = shown.offsetTop - box.offsetTop - box.clientHeight / 2;
    });
  }
  return box;
}

export function cell(className: string, text: string): HTMLElement {
  return el('span', { class: className, title: text.length > 24 ? text : '' }, text);
}
