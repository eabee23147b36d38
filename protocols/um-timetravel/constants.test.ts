// SPDX-License-Identifier: MIT
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { packageFile } from '../../host/package-root.js';
import {
  CAP_TIME_SHARE,
  FLAG_REQ_RUN,
  MESSAGE_BYTES,
  NotifyLayout,
  Op,
  opName,
  SharedLayout,
  START_ACK_ID_MASK,
} from './constants.js';

/** Lines of include/uapi/linux/um_timetravel.h of Linux 6.12, without its comments. */
const DEFINITIONS = `
  UM_TIMETRAVEL_START_ACK_ID = 0xffff,
  UM_TIMETRAVEL_ACK = 0,
  UM_TIMETRAVEL_START = 1,
  UM_TIMETRAVEL_REQUEST = 2,
  UM_TIMETRAVEL_WAIT = 3,
  UM_TIMETRAVEL_GET = 4,
  UM_TIMETRAVEL_UPDATE = 5,
  UM_TIMETRAVEL_RUN = 6,
  UM_TIMETRAVEL_FREE_UNTIL = 7,
  UM_TIMETRAVEL_GET_TOD = 8,
  UM_TIMETRAVEL_BROADCAST = 9,
  UM_TIMETRAVEL_SCHEDSHM_VERSION 2
  UM_TIMETRAVEL_SCHEDSHM_CAP_TIME_SHARE = 0x1,
  UM_TIMETRAVEL_SCHEDSHM_FLAGS_REQ_RUN = 0x1,
`;
const MESSAGE = '__u32 op; __u32 seq; __u64 time;';
const CLIENT = '__u32 capa; __u32 flags; __u64 req_time; __u64 name;';
const CLIENT_RESERVE = 'char reserve[128];';
const HEADER =
  '__u32 version; __u32 len; __u64 free_until; __u64 current_time; __u16 running_id; __u16 max_clients;';
const HEADER_RESERVE = 'char hdr[4096];';

/** The value that the header gives to a name. */
function defined(name: string): number {
  const value = new RegExp(`UM_TIMETRAVEL_${name}(?!\\w)\\s*=?\\s*(\\w+)`).exec(DEFINITIONS)?.[1];
  if (value === undefined) throw new Error(`${name} is not in the header`);
  return Number(value);
}

/** Offsets of the members of a structure whose members are all aligned to their size, and its own size. */
function layout(members: string): { offsets: Map<string, number>; size: number } {
  const offsets = new Map<string, number>();
  let size = 0;
  for (const [, bits, name = ''] of members.matchAll(/__u(\d+) (\w+);/g)) {
    const bytes = Number(bits) / 8;
    expect(size % bytes).toBe(0);
    offsets.set(name, size);
    size += bytes;
  }
  return { offsets, size };
}

const reserved = (text: string) => Number(/\[(\d+)\]/.exec(text)?.[1]);

describe('the constants are those of the kernel', () => {
  test.each(Object.entries(Op))('%s', (name, op) => {
    expect(op).toBe(defined(name));
    expect(opName(op)).toBe(name);
  });

  test('an unknown operation has a name too', () => {
    expect(opName(10)).toBe('operation 10');
    expect(opName(0xffff_ffff)).toBe('operation 4294967295');
  });

  test('flags and masks', () => {
    expect(START_ACK_ID_MASK).toBe(BigInt(defined('START_ACK_ID')));
    expect(CAP_TIME_SHARE).toBe(defined('SCHEDSHM_CAP_TIME_SHARE'));
    expect(FLAG_REQ_RUN).toBe(defined('SCHEDSHM_FLAGS_REQ_RUN'));
    expect(SharedLayout.VERSION).toBe(defined('SCHEDSHM_VERSION'));
  });

  test('layouts', () => {
    expect(MESSAGE_BYTES).toBe(layout(MESSAGE).size);
    const header = layout(HEADER).offsets;
    expect(SharedLayout).toMatchObject({
      HEADER_BYTES: reserved(HEADER_RESERVE),
      OFFSET_VERSION: header.get('version'),
      OFFSET_LENGTH: header.get('len'),
      OFFSET_FREE_UNTIL: header.get('free_until'),
      OFFSET_CURRENT_TIME: header.get('current_time'),
      OFFSET_RUNNING_ID: header.get('running_id'),
      OFFSET_MAX_CLIENTS: header.get('max_clients'),
    });
    const client = layout(CLIENT).offsets;
    expect(SharedLayout).toMatchObject({
      CLIENT_BYTES: reserved(CLIENT_RESERVE),
      OFFSET_CAPABILITIES: client.get('capa'),
      OFFSET_FLAGS: client.get('flags'),
      OFFSET_REQUEST_TIME: client.get('req_time'),
      OFFSET_NAME: client.get('name'),
    });
  });

  test('notifications are where our patch has them', () => {
    const patch = readFileSync(packageFile('kernel-patches/um/0010-shm-notifications.patch'), 'utf8');
    const value = (name: string) =>
      Number(new RegExp(`^\\+#define UM_TIMETRAVEL_NOTIFY_${name}\\s+(\\w+)$`, 'm').exec(patch)?.[1]);
    const members = (name: string) =>
      new RegExp(`^\\+struct um_timetravel_${name} \\{\n([^}]*)`, 'm')
        .exec(patch)?.[1]
        ?.replaceAll('+', '') ?? '';
    const kick = layout(members('kick'));
    // Arrays are laid out by hand.
    const [before = '', after = ''] = members('notify').split(/(?=__u64 patience)/);
    const head = layout(before);
    expect(after.replaceAll(/\s+/g, ' ').trim()).toBe(
      '__u64 patience[UM_TIMETRAVEL_NOTIFY_DEVICES]; __u64 call[UM_TIMETRAVEL_NOTIFY_DEVICES]; ' +
        'struct um_timetravel_kick kick[UM_TIMETRAVEL_NOTIFY_KICKS];',
    );
    const call = head.size + 8 * value('DEVICES');
    const kicks = call + 8 * value('DEVICES');
    expect(NotifyLayout).toEqual({
      OFFSET: value('OFFSET'),
      BYTES: kicks + value('KICKS') * kick.size,
      MAGIC: value('MAGIC'),
      DEVICES: value('DEVICES'),
      KICKS: value('KICKS'),
      OFFSET_MAGIC: head.offsets.get('magic'),
      OFFSET_KICKS: head.offsets.get('kicks'),
      OFFSET_LISTENING: head.offsets.get('listening'),
      OFFSET_PATIENCE: head.size,
      OFFSET_CALL: call,
      OFFSET_KICK: kicks,
      KICK_BYTES: kick.size,
      OFFSET_KICK_DEVICE: kick.offsets.get('device'),
      OFFSET_KICK_QUEUE: kick.offsets.get('queue'),
      OFFSET_KICK_AVAILABLE: kick.offsets.get('avail'),
    });
    expect(NotifyLayout.OFFSET + NotifyLayout.BYTES).toBeLessThanOrEqual(SharedLayout.HEADER_BYTES);
  });
});
