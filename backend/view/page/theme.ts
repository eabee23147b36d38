// SPDX-License-Identifier: MIT

const NAMES = [
  'ground',
  'surface',
  'raised',
  'line',
  'text',
  'muted',
  'accent',
  'running',
  'running-b',
  'frozen',
  'gone',
  'frame',
  'console',
  'signal',
  'state',
  'fault',
  'match',
] as const;

export type ColourName = (typeof NAMES)[number];

/** The colours of the style sheet, which follow the system's setting, for what is drawn on canvases. */
export class Theme {
  private colours = new Map<ColourName, string>();
  private words = new Map<ColourName, number>();
  readonly sans = '12px system-ui, "Segoe UI", "Liberation Sans", "DejaVu Sans", sans-serif';
  readonly small = '11px system-ui, "Segoe UI", "Liberation Sans", "DejaVu Sans", sans-serif';
  readonly bold = '600 12px system-ui, "Segoe UI", "Liberation Sans", "DejaVu Sans", sans-serif';

  constructor(changed: () => void) {
    this.read();
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
      this.read();
      changed();
    });
  }

  /** `#rrggbb` */
  of(name: ColourName): string {
    return this.colours.get(name) ?? '#888888';
  }

  /** With an opacity from 0 to 1. */
  faint(name: ColourName, opacity: number): string {
    const alpha = Math.round(opacity * 255);
    return `${this.of(name)}${alpha.toString(16).padStart(2, '0')}`;
  }

  /** As a pixel of image data: without its opacity. */
  word(name: ColourName): number {
    return this.words.get(name) ?? 0x888888;
  }

  private read(): void {
    const style = getComputedStyle(document.documentElement);
    for (const name of NAMES) {
      const value = style.getPropertyValue(`--${name}`).trim();
      this.colours.set(name, value);
      const [red, green, blue] = [1, 3, 5].map((at) => Number.parseInt(value.slice(at, at + 2), 16));
      this.words.set(name, ((blue ?? 0) << 16) | ((green ?? 0) << 8) | (red ?? 0));
    }
  }
}
