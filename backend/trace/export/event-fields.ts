// SPDX-License-Identifier: MIT
import { isUtf8 } from 'node:buffer';
import type { LoggedState, LogHeader } from '../../../protocols/trace/index.js';
import type { LoggedEvent } from '../log-reader.js';

/** What an event says, for a program: names in the place of indices; what may not fit a number is a decimal string. */
export type EventFields = Readonly<Record<string, string | number | boolean | object>>;

/** The names of whatever has events, by a logged event's `node`. */
export function ownerNames({ nodes, switches, wires }: LogHeader): string[] {
  return [...nodes, ...switches]
    .map(({ name }) => name)
    .concat(
      'run',
      wires.map(({ name }) => name),
    );
}

/** The fields of an event, without its time and node. */
export function eventFields(header: LogHeader, { node, at, event }: LoggedEvent): EventFields {
  switch (event.kind) {
    case 'activation':
    case 'unknown':
      return {};
    case 'frame-sent': {
      const { length, crc, fate, travel } = event;
      const frame = { interface: placeName(header, node, event.interface), length, crc32: hex(crc), fate };
      return fate === 'delivered' ? { ...frame, arrives: String(at + travel) } : frame;
    }
    case 'frame-received': {
      const { length, crc, dropped } = event;
      return { interface: placeName(header, node, event.interface), length, crc32: hex(crc), dropped };
    }
    case 'console-output':
      return dataFields(event.data);
    case 'serial-data':
      return { line: event.line, input: event.input, ...dataFields(event.data) };
    case 'node-state':
      return stateFields(event.state);
    case 'broadcast':
      return { value: String(event.value) };
    case 'mark':
    case 'fault':
    case 'act':
      return { text: event.text };
    case 'change': {
      const { cable, down, latency, rate, loss, jitter, queue, lost } = event;
      const name = cableName(header, node, cable);
      if (name === undefined) return { down, latency: String(latency) };
      const times = { latency: String(latency), jitter: String(jitter) };
      return { cable: name, down, ...times, rate: String(rate), loss: loss / 1e9, queue, lost };
    }
    case 'drive':
      return { line: header.nodes[node]?.lines[event.line] ?? event.line, drive: event.drive };
    case 'level':
      return { level: event.high ? 'high' : 'low' };
    case 'variable-changed':
      return {
        variable: sharedName(header, event.shared),
        value: String(event.value),
        ticks: String(event.ticks),
      };
    case 'variable-stored': {
      const { shared, value, origin, sequence } = event;
      const by = header.nodes[origin]?.name ?? origin;
      return { variable: sharedName(header, shared), value: String(value), origin: by, sequence };
    }
    case 'slot-entry': {
      const span = String(event.span);
      if (event.warp === undefined) return { span };
      const { sequence, absent, ticks, pending } = event.warp;
      const counts = { sequence: String(sequence), absent: String(absent), ticks: String(ticks) };
      return { span, warp: { ...counts, pending } };
    }
    case 'line-raised':
      return { line: event.line, kept: event.kept };
    case 'warp-applied':
      return { sequence: String(event.sequence) };
    case 'deadline-missed':
      return { task: String(event.task), late: String(event.late) };
  }
}

function dataFields(data: Uint8Array): EventFields {
  const bytes = Buffer.from(data);
  return isUtf8(bytes) ? { text: bytes.toString('utf8') } : { base64: bytes.toString('base64') };
}

function stateFields(state: LoggedState): EventFields {
  return { ...state };
}

function hex(crc: number): string {
  return crc.toString(16).padStart(8, '0');
}

function placeName({ nodes, switches }: LogHeader, node: number, index: number): string {
  const places = nodes[node]?.interfaces ?? switches[node - nodes.length]?.ports;
  return places?.[index] ?? String(index);
}

/** Of a wire, which is its own: undefined. */
function cableName({ nodes, switches, links }: LogHeader, node: number, index: number): string | undefined {
  const run = nodes.length + switches.length;
  if (node > run) return undefined;
  return node === run ? links[index]?.name : switches[node - nodes.length]?.ports[index];
}

function sharedName({ shared }: LogHeader, index: number): string {
  return shared[index]?.name ?? String(index);
}
