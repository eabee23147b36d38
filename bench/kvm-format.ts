// SPDX-License-Identifier: MIT
import type { KvmPlace, KvmResult } from './kvm.js';
import { EXIT_TARGET, formatExits } from './kvm-exit-results.js';
import { formatLinux } from './kvm-linux-results.js';
import { formatPart } from './kvm-part.js';
import { formatUpdates } from './kvm-update-results.js';
import type { TableFormat } from './table.js';

export function formatKvm({ places, missing }: KvmResult, table: TableFormat): string {
  return [
    ...places.map((place) => formatPlace(place, table)),
    formatPart(places, EXIT_TARGET),
    ...missing.map((what) => `Not measured: ${what}\n`),
  ].join('\n');
}

function formatPlace({ place, exits, updates, linux }: KvmPlace, table: TableFormat): string {
  const part = (title: string, text: string | null) =>
    text === null ? [] : [`${title}, ${place}:\n\n${text}`];
  return [
    ...part('One exit', exits && formatExits(exits, table)),
    ...part('Linux guests', linux && formatLinux(linux, table)),
    ...part('Updates of a shared variable of 8 bytes', updates && formatUpdates(updates, table)),
  ].join('\n');
}
