// SPDX-License-Identifier: MIT
import { byId, el } from './dom.js';
import type { ColourName, Theme } from './theme.js';

const KEYS: readonly (readonly [keys: string, what: string])[] = [
  ['w  s', 'zoom in and out, where the pointer or the cursor is (also + and -, Ctrl and the wheel)'],
  ['a  d', 'move earlier and later (also Shift and the wheel, or drag)'],
  ['← →', 'the event before and after, in the chosen row'],
  ['↑ ↓', 'the row above and below'],
  ['Enter', 'follow a frame to its other end; fold or unfold a group'],
  ['/', 'search: text, a name, a kind of event, or t=1.5s'],
  ['n  N', 'next and previous result'],
  ['f', 'show what is measured, or what is around the chosen event'],
  ['0', 'show the whole run'],
  ['g', 'of two runs: go to their first difference'],
  ['e', 'while the run goes on: keep its end in sight'],
  ['1 … 5', 'the tabs of the panel'],
  ['Shift and drag', 'measure a span of time'],
  ['Esc', 'take cursor and measure away'],
];

const LEGEND: readonly (readonly [colour: ColourName, what: string])[] = [
  ['running', 'a node runs'],
  ['frozen', 'frozen, or another partition has the processor'],
  ['gone', 'ended'],
  ['frame', 'frames: ▲ sent, ▼ received'],
  ['console', 'console output'],
  ['signal', 'GPIO, levels, variables, interrupts'],
  ['state', 'states, changes, marks'],
  ['fault', 'faults, lost frames, missed deadlines'],
];

/** Explains keys and colours. */
export function showHelp(theme: Theme): void {
  const dialog = byId<HTMLDialogElement>('help');
  const keys = el('dl');
  for (const [key, what] of KEYS) keys.append(el('dt', {}, el('kbd', {}, key)), el('dd', {}, what));
  const legend = el('div', { class: 'legend' });
  for (const [colour, what] of LEGEND) {
    const patch = el('i');
    patch.style.background = theme.of(colour);
    legend.append(el('span', {}, patch, what));
  }
  const close = el('button', { class: 'action', type: 'button' }, 'Close');
  close.addEventListener('click', () => dialog.close());
  dialog.replaceChildren(
    el('h2', { id: 'help-title' }, 'Keys'),
    keys,
    el('h2', {}, 'Colours'),
    legend,
    close,
  );
  dialog.showModal();
}
