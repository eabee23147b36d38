// SPDX-License-Identifier: MIT
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  Feature,
  HYPERCALL_VERSION,
  PageLayout as L,
  LINES,
  NO_REQUEST,
  ResultError,
  WarpLayout as W,
} from './constants.js';
import { HypercallPage } from './page.js';

const NEVER = (1n << 63n) - 1n;
const uint64 = fc.bigInt({ min: 0n, max: NO_REQUEST });
const uint32 = fc.nat(0xffff_ffff);
const time = fc.bigInt({ min: 0n, max: NEVER });
const near = fc.bigInt({ min: 0n, max: 20n });

/** A page in the middle of other memory, and the guest's view of it. */
function memory(content = new Uint8Array(L.BYTES)) {
  const bytes = new Uint8Array(3 * L.BYTES);
  bytes.set(content, L.BYTES);
  const page = new HypercallPage(bytes.subarray(L.BYTES, 2 * L.BYTES));
  return { page, bytes, guest: new DataView(bytes.buffer, L.BYTES, L.BYTES) };
}

function started(now = 0n) {
  const made = memory();
  made.guest.setUint32(L.VERSION, HYPERCALL_VERSION, true);
  expect(made.page.start({ now, tod: 7n, features: 0 })).toBeDefined();
  return made;
}

describe('START', () => {
  test('gives the guest the time, and of its features those of the run', () => {
    fc.assert(
      fc.property(uint32, uint32, time, uint64, (wanted, offered, now, tod) => {
        const { page, guest } = memory();
        guest.setUint32(L.VERSION, HYPERCALL_VERSION, true);
        guest.setUint32(L.FEATURES, wanted, true);
        guest.setUint32(L.VECTOR, 0xf3, true);
        const features = Number(BigInt(wanted) & BigInt(offered));
        expect(page.start({ now, tod, features: offered })).toEqual({ features, vector: 0xf3 });
        expect(guest.getUint32(L.FEATURES, true)).toBe(features);
        expect(guest.getBigUint64(L.NOW, true)).toBe(now);
        expect(guest.getBigUint64(L.FREE_UNTIL, true)).toBe(now);
        expect(guest.getBigUint64(L.TOD, true)).toBe(tod);
        expect(guest.getBigInt64(L.RET, true)).toBe(0n);
        expect(page.now).toBe(now);
      }),
    );
  });

  test('tells a guest of another version ours, and nothing else', () => {
    const { page, guest } = memory();
    guest.setUint32(L.VERSION, HYPERCALL_VERSION + 1, true);
    expect(page.start({ now: 5n, tod: 7n, features: Feature.ORDERED })).toBeUndefined();
    expect(guest.getUint32(L.VERSION, true)).toBe(HYPERCALL_VERSION);
    expect(guest.getBigInt64(L.RET, true)).toBe(-BigInt(ResultError.VERSION));
    expect(guest.getBigUint64(L.TOD, true)).toBe(0n);
    expect(page.start({ now: 5n, tod: 7n, features: 0 })).toEqual({ features: 0, vector: 0 });
  });

  test.each([1, 31, 256, 0xffff_ffff])('refuses vector %d', (vector) => {
    const { page, guest } = memory();
    guest.setUint32(L.VERSION, HYPERCALL_VERSION, true);
    guest.setUint32(L.VECTOR, vector, true);
    const start = () => page.start({ now: 0n, tod: 0n, features: 0 });
    expect(start).toThrow(`expected a vector from 32 to 255 or 0, found ${vector}`);
  });
});

describe('time', () => {
  test('is the guest`s below free_until, and never goes back', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(near, near, near, fc.boolean()), { maxLength: 20 }), (steps) => {
        const { page, guest } = started();
        let now = 0n;
        for (const [set, until, found, spoil] of steps) {
          const to = set < now ? now : set;
          page.run(to, until);
          expect(guest.getBigUint64(L.NOW, true)).toBe(to);
          expect(guest.getBigUint64(L.FREE_UNTIL, true)).toBe(until);
          now = to;
          guest.setBigUint64(L.NOW, found, true);
          // What the guest makes of the limit does not move it.
          if (spoil) guest.setBigUint64(L.FREE_UNTIL, NO_REQUEST, true);
          if (found === now || (found > now && found < until)) {
            expect(page.takeNow()).toBe(found);
            now = found;
          } else {
            expect(() => page.takeNow()).toThrow(
              `expected a time from ${now} to before ${until}, found ${found}`,
            );
          }
          expect(page.now).toBe(now);
        }
      }),
    );
  });

  test('is not set back, nor out of range, by ourselves', () => {
    const { page } = started(5n);
    for (const [now, until] of [
      [4n, 9n],
      [NEVER + 1n, 0n],
      [6n, NEVER + 1n],
      [6n, -1n],
    ] as const) {
      expect(() => page.run(now, until)).toThrow('expected times from 5');
    }
    page.run(NEVER, NEVER);
    expect(page.now).toBe(NEVER);
  });

  test('a request in the past is due now, one without end is none', () => {
    fc.assert(
      fc.property(time, fc.oneof(uint64, near), (now, at) => {
        const { page, guest } = started(now);
        guest.setBigUint64(L.REQ, at, true);
        expect(page.request()).toBe(at >= NEVER ? undefined : at < now ? now : at);
        page.clearRequest();
        expect(guest.getBigUint64(L.REQ, true)).toBe(NO_REQUEST);
        expect(page.request()).toBeUndefined();
      }),
    );
  });
});

test('arguments and results have all their 64 bits', () => {
  fc.assert(
    fc.property(fc.tuple(uint64, uint64, uint64), fc.bigInt({ min: -1000n, max: NEVER }), (args, result) => {
      const { page, guest } = started();
      for (const [place, value] of args.entries()) guest.setBigUint64(L.ARG + 8 * place, value, true);
      expect(page.args()).toEqual(args);
      page.answer(result);
      expect(guest.getBigInt64(L.RET, true)).toBe(result);
    }),
  );
});

test('a warp has a count for each line, as great as there is room for', () => {
  const counts = fc.array(fc.oneof(uint32, fc.constant(2 ** 33)), { maxLength: LINES + 2 });
  fc.assert(
    fc.property(
      uint64,
      time,
      time,
      time,
      uint64,
      counts,
      (sequence, left, entered, slotEnd, ticks, pending) => {
        const { page, guest } = started();
        for (let line = 0; line < LINES; line++) guest.setUint32(L.WARP + W.PENDING + 4 * line, 99, true);
        page.warp({ sequence, left, entered, slotEnd, ticks, pending });
        const at = (offset: number) => guest.getBigUint64(L.WARP + offset, true);
        expect([at(W.SEQUENCE), at(W.LEFT), at(W.ENTERED), at(W.SLOT_END), at(W.TICKS)]).toEqual([
          sequence,
          left,
          entered,
          slotEnd,
          ticks,
        ]);
        for (let line = 0; line < LINES; line++) {
          const kept = Math.min(pending[line] ?? 0, 0xffff_ffff);
          expect(guest.getUint32(L.WARP + W.PENDING + 4 * line, true)).toBe(kept);
        }
      },
    ),
  );
});

test('whatever a guest has written, nothing beside the page is touched and time stays in range', () => {
  const content = fc.uint8Array({ minLength: L.BYTES, maxLength: L.BYTES });
  fc.assert(
    fc.property(content, time, time, (written, now, until) => {
      const { page, bytes, guest } = memory(written);
      guest.setUint32(L.VERSION, HYPERCALL_VERSION, true);
      guest.setUint32(L.VECTOR, 0, true);
      page.start({ now, tod: 0n, features: 0xffff_ffff });
      page.run(now, until);
      bytes.set(written, L.BYTES);
      const found = guest.getBigUint64(L.NOW, true);
      const allowed = found === now || (found > now && found < until);
      if (allowed) expect(page.takeNow()).toBe(found);
      else expect(() => page.takeNow()).toThrow('expected a time');
      expect(page.now).toBe(allowed ? found : now);
      const request = page.request();
      if (request !== undefined) expect(request >= page.now && request <= NEVER).toBe(true);
      page.warp({ sequence: 1n, left: 0n, entered: 0n, slotEnd: 0n, ticks: 0n, pending: Array(99).fill(1) });
      page.answer(-1n);
      expect(bytes.subarray(0, L.BYTES).every((byte) => byte === 0)).toBe(true);
      expect(bytes.subarray(2 * L.BYTES).every((byte) => byte === 0)).toBe(true);
    }),
  );
});

test('a page of another size is refused', () => {
  expect(() => new HypercallPage(new Uint8Array(L.BYTES - 8))).toThrow('expected 4096 bytes, found 4088');
});
