// SPDX-License-Identifier: MIT
import { type Origin, originOf } from './times.js';

/** The closest that one can look: pixels for a nanosecond. */
const MOST_PIXELS = 160;

/** The part of virtual time that is shown, exact to a fraction of a nanosecond wherever it is. */
export class Viewport {
  /** Its left edge: whole nanoseconds, and a fraction of one. */
  start = 0n;
  fraction = 0;
  /** Nanoseconds in a pixel. */
  perPixel = 1;
  width = 1;
  /** The end of all that there is. */
  total = 1n;

  get origin(): Origin {
    return originOf(this.start);
  }

  get end(): bigint {
    return this.start + BigInt(Math.ceil(this.fraction + this.width * this.perPixel));
  }

  get span(): number {
    return this.width * this.perPixel;
  }

  /** Where an instant is, in pixels from the left edge. */
  x(at: bigint): number {
    return (Number(at - this.start) - this.fraction) / this.perPixel;
  }

  /** The instant nearest to a place. */
  at(x: number): bigint {
    const at = this.start + BigInt(Math.round(this.fraction + x * this.perPixel));
    return at < 0n ? 0n : at;
  }

  pan(pixels: number): void {
    this.move(pixels * this.perPixel);
    this.clamp();
  }

  /** Shows `factor` times as much, with the instant at `x` where it is. */
  zoom(factor: number, x: number): void {
    const before = this.perPixel;
    this.perPixel = this.bounded(before * factor);
    this.move(x * (before - this.perPixel));
    this.clamp();
  }

  /** Shows all from one instant to another, with some room beside them. */
  show(from: bigint, to: bigint, margin = 0.03): void {
    const span = Math.max(Number(to - from), 1);
    this.perPixel = this.bounded((span * (1 + 2 * margin)) / this.width);
    this.start = from;
    this.fraction = 0;
    this.move((span - this.span) / 2);
    this.clamp();
  }

  showAll(): void {
    this.show(0n, this.total, 0.01);
  }

  /** Moves so that `at` is in sight, and not at the very edge. */
  reveal(at: bigint): void {
    const x = this.x(at);
    if (x >= 0 && x <= this.width) return;
    this.start = at;
    this.fraction = 0;
    this.move(-this.span / 2);
    this.clamp(0.02);
  }

  private bounded(perPixel: number): number {
    const most = (Math.max(Number(this.total), 1) * 1.1) / this.width;
    return Math.max(Math.min(perPixel, Math.max(most, 1 / MOST_PIXELS)), 1 / MOST_PIXELS);
  }

  private move(ns: number): void {
    const sum = this.fraction + ns;
    const whole = Math.floor(sum);
    this.start += BigInt(whole);
    this.fraction = sum - whole;
  }

  /** Keeps the run in sight, but for a part of the width that may be empty. */
  private clamp(empty = 0.3): void {
    const span = Math.floor(this.span);
    const room = BigInt(Math.floor(span * empty));
    const last = this.total - BigInt(span) + room;
    if (this.start > last) this.set(last);
    if (this.start < -room) this.set(-room);
  }

  private set(start: bigint): void {
    this.start = start;
    this.fraction = 0;
  }
}
