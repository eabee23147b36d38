// SPDX-License-Identifier: MIT
import { closeSync } from 'node:fs';
import { addon, type Channel, type Hub } from '../../host/native/index.js';
import { MESSAGE_BYTES } from '../../protocols/um-timetravel/index.js';

/**
 * Stands between a client of the time protocol and its calendar, and writes down what passes, one message a line:
 * `>` from the client or `<` to it, the bytes, and how many descriptors came along.
 */
export class Recorder {
  readonly lines: string[] = [];

  constructor(hub: Hub, path: string, calendar: string) {
    hub.listen(path, (descriptor) => {
      const ends: { client?: Channel; calendar?: Channel } = {};
      const side = (mark: string, other: 'client' | 'calendar') => ({
        onData: (bytes: Uint8Array, descriptors: readonly number[]) => {
          this.#write(mark, bytes, descriptors.length);
          ends[other]?.send(bytes, descriptors);
          for (const passed of descriptors) closeSync(passed);
        },
        onClose: () => ends[other]?.close(),
      });
      ends.client = hub.open(descriptor, side('>', 'calendar'));
      ends.calendar = hub.open(addon.connectUnix(calendar), side('<', 'client'));
    });
  }

  #write(mark: string, bytes: Uint8Array, descriptors: number): void {
    const passed = descriptors > 0 ? ` +${descriptors}` : '';
    for (let at = 0; at < bytes.length; at += MESSAGE_BYTES) {
      const hex = Buffer.from(bytes.subarray(at, at + MESSAGE_BYTES)).toString('hex');
      this.lines.push(`${mark} ${hex.slice(0, 8)} ${hex.slice(8, 16)} ${hex.slice(16)}${passed}`);
    }
  }
}
