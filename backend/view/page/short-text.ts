// SPDX-License-Identifier: MIT
import type { LogHeader, TraceEvent } from '../../../protocols/trace/record.js';
import { formatSpan } from '../model/time-text.js';

const utf8 = new TextDecoder();

/** An event in the few characters that there is room for beside it. */
export function shortText(header: LogHeader, node: number, event: TraceEvent): string {
  switch (event.kind) {
    case 'frame-sent':
      return event.fate === 'delivered' ? `${event.length} B` : `${event.length} B ${event.fate}`;
    case 'frame-received':
      return event.dropped ? `${event.length} B dropped` : `${event.length} B`;
    case 'console-output':
      return plain(event.data);
    case 'node-state':
      return event.state.state === 'exited' ? `exited ${event.state.code}` : event.state.state;
    case 'serial-data':
      return `${event.line} ${event.input ? '←' : '→'} ${plain(event.data)}`;
    case 'mark':
    case 'act':
    case 'fault':
      return event.text.slice(0, 120);
    case 'change':
      return event.down ? 'down' : 'change';
    case 'drive':
      return `${header.nodes[node]?.lines[event.line] ?? event.line} ${event.drive}`;
    case 'level':
      return event.high ? 'high' : 'low';
    case 'variable-changed':
    case 'variable-stored':
      return `${header.shared[event.shared]?.name ?? ''} = ${event.value}`;
    case 'slot-entry':
      return `slot of ${formatSpan(Number(event.span))}`;
    case 'line-raised':
      return `line ${event.line}${event.kept ? ' kept' : ''}`;
    case 'warp-applied':
      return `warp ${event.sequence}`;
    case 'deadline-missed':
      return `task ${event.task} late by ${formatSpan(Number(event.late))}`;
    case 'broadcast':
      return `broadcast ${event.value}`;
    default:
      return '';
  }
}

function plain(data: Uint8Array): string {
  return utf8
    .decode(data.subarray(0, 120))
    .replaceAll(/[\p{Cc}\s]+/gu, ' ')
    .trim();
}
