// SPDX-License-Identifier: MIT
import type { Spans } from '../model/spans.js';
import type { Times } from '../model/times.js';
import type { Viewport } from '../model/viewport.js';
import { sized } from './dom.js';

/** Strips that fit into one sheet; a screen has fewer rows. */
const MAX_STRIPS = 512;
/** The least opacity of something that is shorter than a pixel. */
const LEAST = 0.55;

/**
 * Draws any number of spans or events in a time that depends on the screen only. A strip is one row of pixels, in which each
 * pixel is found by a search from the one before it, and gets as much colour as its span of time has; it is then drawn as
 * high as it should be. So a million events cost what the pixels cost, at every zoom.
 */
export class Strips {
  private readonly sheet = document.createElement('canvas');
  private context: CanvasRenderingContext2D;
  private image: ImageData;
  private words: Uint32Array;
  private used = 0;
  private width = 0;
  /** Where each strip goes: x, y, width and height in pixels of the page. */
  private places: (readonly [y: number, height: number])[] = [];
  private nsPerPixel = 1;
  private shift = 0;
  private origin = { hi: 0, lo: 0 };

  constructor() {
    this.context = sized(this.sheet, 1, 1);
    this.image = this.context.createImageData(1, 1);
    this.words = new Uint32Array(this.image.data.buffer);
  }

  /** Begins a picture of `view`, which is `view.width` pixels of the page wide. */
  begin(view: Viewport): void {
    const width = Math.max(1, Math.round(view.width * devicePixelRatio));
    if (width !== this.width) {
      this.width = width;
      this.sheet.width = width;
      this.sheet.height = MAX_STRIPS;
      this.context = this.sheet.getContext('2d') as CanvasRenderingContext2D;
      this.image = this.context.createImageData(width, MAX_STRIPS);
      this.words = new Uint32Array(this.image.data.buffer);
    } else this.words.fill(0, 0, this.used * width);
    this.used = 0;
    this.places = [];
    this.nsPerPixel = view.perPixel / devicePixelRatio;
    this.shift = view.fraction;
    this.origin = view.origin;
  }

  /** Begins a strip that goes to `y`. @returns false where there is no room for it */
  strip(y: number, height: number): boolean {
    if (this.used === MAX_STRIPS) return false;
    this.places.push([y, height]);
    this.used++;
    return true;
  }

  /** Draws all strips with their left edge at `x`. */
  draw(target: CanvasRenderingContext2D, x: number, width: number): void {
    if (this.used === 0) return;
    this.context.putImageData(this.image, 0, 0, 0, 0, this.width, this.used);
    target.imageSmoothingEnabled = false;
    this.places.forEach(([y, height], row) => {
      target.drawImage(this.sheet, 0, row, this.width, 1, x, y, width, height);
    });
  }

  /** Spans in the strip that was begun last. `now`: where an open one is, in nanoseconds from the left edge. */
  spans(spans: Spans, colour: number, opacity: number, now: number): void {
    const { width, nsPerPixel, shift, origin } = this;
    const { starts, ends, length } = spans;
    const row = (this.used - 1) * width;
    const x = (times: Times, index: number) => (times.since(origin, index) - shift) / nsPerPixel;
    const last = length - 1;
    let index = Math.max(0, spans.firstEndingFrom(origin, shift));
    // An open span ends later than its end says.
    if (index > last && spans.open) index = last;
    while (index < length) {
      const from = x(starts, index);
      if (from >= width) return;
      const open = index === last && spans.open;
      const to = open ? Math.max(from, (now - shift) / nsPerPixel) : x(ends, index);
      const pixel = Math.max(0, Math.floor(from));
      if (to - from >= 1) {
        const word = this.shade(colour, opacity);
        this.words.fill(word, row + pixel, row + Math.min(width, Math.max(pixel + 1, Math.round(to))));
        index++;
        continue;
      }
      if (to < 0) {
        index++;
        continue;
      }
      let next = Math.max(index + 1, starts.gallop(origin, (pixel + 1) * nsPerPixel + shift, index));
      if (next - 1 > index && x(ends, next - 1) - x(starts, next - 1) >= 1) next--;
      const before = next < length ? spans.before.at(next) : spans.total;
      const covered = (before - spans.before.at(index)) / nsPerPixel;
      this.put(row + pixel, colour, opacity * (LEAST + (1 - LEAST) * Math.min(1, covered)));
      index = next;
    }
  }

  /** Instants in the strip that was begun last. */
  ticks(times: Times, colour: number): void {
    const { width, nsPerPixel, shift, origin } = this;
    const row = (this.used - 1) * width;
    let index = times.gallop(origin, shift, 0);
    while (index < times.length) {
      const pixel = Math.floor((times.since(origin, index) - shift) / nsPerPixel);
      if (pixel >= width) return;
      const next = Math.max(index + 1, times.gallop(origin, (pixel + 1) * nsPerPixel + shift, index));
      this.put(row + Math.max(0, pixel), colour, Math.min(1, 0.45 + 0.11 * Math.log2(next - index + 1)));
      index = next;
    }
  }

  private put(at: number, colour: number, opacity: number): void {
    this.words[at] = this.shade(colour, opacity);
  }

  private shade(colour: number, opacity: number): number {
    return ((Math.round(opacity * 255) << 24) | colour) >>> 0;
  }
}
