// SPDX-License-Identifier: MIT
import { byId, el } from './dom.js';

interface Tab {
  readonly name: string;
  readonly button: HTMLButtonElement;
  readonly panel: HTMLElement;
  readonly content: () => HTMLElement;
}

/** The tabs of the panel; only the chosen one has content. */
export class Tabs {
  selected = '';
  private readonly tabs: Tab[] = [];

  constructor(private readonly changed: () => void) {
    byId('tabs').addEventListener('keydown', (event) => {
      const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
      if (step === 0) return;
      event.stopPropagation();
      const at = this.tabs.findIndex(({ name }) => name === this.selected);
      const next = this.tabs[(at + step + this.tabs.length) % this.tabs.length];
      if (next === undefined) return;
      this.select(next.name);
      next.button.focus();
    });
  }

  add(name: string, title: string, content: () => HTMLElement): void {
    const button = el(
      'button',
      { type: 'button', role: 'tab', id: `tab-${name}`, 'aria-controls': `view-${name}` },
      title,
    );
    const panel = el('div', { role: 'tabpanel', id: `view-${name}`, 'aria-labelledby': `tab-${name}` });
    button.addEventListener('click', () => this.select(name));
    byId('tabs').append(button);
    byId('views').append(panel);
    this.tabs.push({ name, button, panel, content });
    if (this.tabs.length === 1) this.selected = name;
    this.mark();
  }

  select(name: string): void {
    this.selected = name;
    this.mark();
    this.changed();
  }

  /** Makes the content of the chosen tab anew. */
  render(): void {
    const tab = this.tabs.find(({ name }) => name === this.selected);
    if (tab === undefined) return;
    const focused = document.activeElement?.getAttribute('role') === 'listbox';
    const label = focused ? document.activeElement?.getAttribute('aria-label') : undefined;
    const { scrollTop } = tab.panel;
    tab.panel.replaceChildren(tab.content());
    tab.panel.scrollTop = scrollTop;
    // The list that had the focus was replaced by another one of its name.
    for (const box of focused ? tab.panel.querySelectorAll<HTMLElement>('[role="listbox"]') : [])
      if (box.getAttribute('aria-label') === label) box.focus({ preventScroll: true });
  }

  private mark(): void {
    for (const { name, button, panel } of this.tabs) {
      const chosen = name === this.selected;
      button.setAttribute('aria-selected', String(chosen));
      button.tabIndex = chosen ? 0 : -1;
      panel.hidden = !chosen;
      if (!chosen) panel.replaceChildren();
    }
  }
}
