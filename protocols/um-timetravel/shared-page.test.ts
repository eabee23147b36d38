// SPDX-License-Identifier: MIT
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CAP_TIME_SHARE, CONTROLLER_ID, FLAG_REQ_RUN, SharedLayout as L } from './constants.js';
import { SharedPage, sharedPageBytes } from './shared-page.js';

const CLIENTS = 5;
const time = fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn });
const place = fc.integer({ min: 1, max: CLIENTS });

function page(): { page: SharedPage; view: DataView; bytes: Uint8Array } {
  const bytes = new Uint8Array(sharedPageBytes(CLIENTS));
  return { page: new SharedPage(bytes, CLIENTS), view: new DataView(bytes.buffer), bytes };
}

const clientAt = (id: number) => L.HEADER_BYTES + id * L.CLIENT_BYTES;

describe('the shared page', () => {
  test('has room for the header, the controller and every client', () => {
    expect(sharedPageBytes(0)).toBe(4096 + 128);
    expect(sharedPageBytes(CLIENTS)).toBe(4096 + 6 * 128);
    expect(sharedPageBytes(0xffff)).toBe(4096 + 0x10000 * 128);
  });

  test('begins with what a kernel looks for', () => {
    const { view, bytes } = page();
    expect(view.getUint32(L.OFFSET_VERSION, true)).toBe(2);
    expect(view.getUint32(L.OFFSET_LENGTH, true)).toBe(bytes.length);
    expect(view.getUint16(L.OFFSET_MAX_CLIENTS, true)).toBe(CLIENTS + 1);
    expect(view.getUint32(clientAt(CONTROLLER_ID), true)).toBe(CAP_TIME_SHARE);
    // A kernel takes no other version.
    const refused = page();
    refused.page.refuse();
    expect(refused.view.getUint32(L.OFFSET_VERSION, true)).toBe(0);
    expect(refused.view.getUint32(L.OFFSET_LENGTH, true)).toBe(bytes.length);
  });

  test('keeps times in all their 64 bits', () => {
    fc.assert(
      fc.property(time, time, place, (now, until, running) => {
        const { page: shared, view } = page();
        shared.currentTime = now;
        shared.freeUntil = until;
        shared.runningId = running;
        expect(view.getBigUint64(L.OFFSET_CURRENT_TIME, true)).toBe(now);
        expect(view.getBigUint64(L.OFFSET_FREE_UNTIL, true)).toBe(until);
        expect(view.getUint16(L.OFFSET_RUNNING_ID, true)).toBe(running);
        expect(view.getUint16(L.OFFSET_MAX_CLIENTS, true)).toBe(CLIENTS + 1);
        expect([shared.currentTime, shared.freeUntil]).toEqual([now, until]);
      }),
    );
  });

  test('shows what one client has written, and what no other has', () => {
    fc.assert(
      fc.property(place, time, fc.nat(0xffff_ffff), fc.nat(0xffff_ffff), (id, at, capabilities, flags) => {
        const { page: shared, view } = page();
        view.setUint32(clientAt(id) + L.OFFSET_CAPABILITIES, capabilities, true);
        view.setUint32(clientAt(id) + L.OFFSET_FLAGS, flags, true);
        view.setBigUint64(clientAt(id) + L.OFFSET_REQUEST_TIME, at, true);
        view.setBigUint64(clientAt(id) + L.OFFSET_NAME, 0xffff_ffff_ffff_ffffn, true);
        for (let other = 1; other <= CLIENTS; other++) {
          expect(shared.sharesTime(other)).toBe(other === id && (capabilities & CAP_TIME_SHARE) !== 0);
          expect(shared.request(other)).toBe(other === id && (flags & FLAG_REQ_RUN) !== 0 ? at : undefined);
        }
      }),
    );
  });

  test('may lie anywhere in a buffer that is aligned', () => {
    const bytes = new Uint8Array(sharedPageBytes(1) + 8).subarray(8);
    const shared = new SharedPage(bytes, 1);
    shared.currentTime = 7n;
    expect(new DataView(bytes.buffer, 8).getBigUint64(L.OFFSET_CURRENT_TIME, true)).toBe(7n);
  });
});
