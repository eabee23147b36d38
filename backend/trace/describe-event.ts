// SPDX-License-Identifier: MIT
import type {
  LogEnd,
  LoggedChange,
  LoggedState,
  LoggedWarp,
  LoggedWire,
  LogHeader,
  TraceEvent,
} from '../../protocols/trace/index.js';
import { after, duration, formatDuration, formatInstant, type Instant } from '../calendar/index.js';

/** Bytes of console output, or characters of a text, that are shown. */
const MAX_SHOWN = 200;

/** The name of a logged event's `node`; `run` for the run itself. */
export function nodeName(header: LogHeader, node: number): string {
  const { nodes, switches } = header;
  const named = nodes[node] ?? switches[node - nodes.length] ?? wireOf(header, node);
  if (named !== undefined) return escapeText(named.name);
  return node === nodes.length + switches.length ? 'run' : `node ${node}`;
}

/** An event in words, without its time and node; one line of printable characters. */
export function describeEvent(header: LogHeader, node: number, at: Instant, event: TraceEvent): string {
  const place = (index: number) => escapeText(placeName(header, node, index));
  switch (event.kind) {
    case 'activation':
      return 'runs';
    case 'frame-sent': {
      const fate =
        event.fate === 'delivered'
          ? `arrives at ${formatInstant(after(at, duration(event.travel)))}`
          : event.fate;
      return `sends ${frame(event)} by ${place(event.interface)}, ${fate}`;
    }
    case 'frame-received': {
      const fate = event.dropped ? ', dropped for want of room' : '';
      return `receives ${frame(event)} at ${place(event.interface)}${fate}`;
    }
    case 'console-output':
      return `writes ${quote(event.data)} to its console`;
    case 'node-state':
      return describeState(event.state);
    case 'broadcast':
      return `broadcasts ${event.value}`;
    case 'mark':
    case 'fault':
      return `${event.kind}: ${escapeText(event.text)}`;
    case 'act':
      return escapeText(event.text);
    case 'serial-data':
      return `${event.input ? 'receives' : 'sends'} ${quote(event.data)} by ${escapeText(event.line)}`;
    case 'change':
      if (wireOf(header, node) !== undefined) return describeWireChange(event);
      return `${escapeText(cableName(header, node, event.cable))} ${describeChange(event)}`;
    case 'drive': {
      const line = escapeText(header.nodes[node]?.lines[event.line] ?? `line ${event.line}`);
      return event.drive === 'released' ? `lets go of ${line}` : `drives ${line} ${event.drive}`;
    }
    case 'level':
      return `is ${event.high ? 'high' : 'low'}`;
    case 'variable-changed': {
      const ticks = event.ticks === 0n ? '' : `, by ${event.ticks} ticks`;
      return `changes ${sharedName(header, event.shared)} to ${event.value}${ticks}`;
    }
    case 'variable-stored': {
      const by = `update ${event.sequence} of ${nodeName(header, event.origin)}`;
      return `gets ${sharedName(header, event.shared)} ${event.value}, ${by}`;
    }
    case 'slot-entry':
      return `enters for ${formatDuration(duration(event.span))}${event.warp ? describeWarp(event.warp) : ''}`;
    case 'line-raised':
      return `line ${event.line} is raised${event.kept ? ', kept for the next warp' : ''}`;
    case 'warp-applied':
      return `applies warp ${event.sequence}`;
    case 'deadline-missed':
      return `missed a deadline of task ${event.task} by ${formatDuration(duration(event.late))}`;
    case 'unknown':
      return 'something that this version does not know';
  }
}

/** The end of a run in words, without its time. */
export function describeEnd({ reason, events, activations }: LogEnd): string {
  return `the run ends (${escapeText(reason)}) after ${events} events and ${activations} activations`;
}

/** A text from a log on one line, not too long, and so that nothing in it can steer the terminal. */
export function escapeText(text: string): string {
  const shown = text
    .slice(0, MAX_SHOWN)
    .replace(/[\\\p{C}\p{Zl}\p{Zp}]/gu, (found) =>
      found === '\\' ? '\\\\' : `\\u{${found.codePointAt(0)?.toString(16)}}`,
    );
  return text.length > MAX_SHOWN ? `${shown}...` : shown;
}

function placeName(header: LogHeader, node: number, index: number): string {
  const { nodes, switches } = header;
  const places = nodes[node]?.interfaces ?? switches[node - nodes.length]?.ports;
  return places?.[index] ?? `interface ${index}`;
}

/** The wire whose events are those of `node`. */
function wireOf({ nodes, switches, wires }: LogHeader, node: number): LoggedWire | undefined {
  return wires[node - nodes.length - switches.length - 1];
}

function sharedName({ shared }: LogHeader, index: number): string {
  return escapeText(shared[index]?.name ?? `variable ${index}`);
}

function describeWarp({ sequence, absent, ticks, pending }: LoggedWarp): string {
  const kept = pending.map(({ line, count }) => `${count} of line ${line}`).join(', ');
  const missed = `${ticks} ticks${kept && ` and interrupts: ${kept}`}`;
  return `, away for ${formatDuration(duration(absent))}, warp ${sequence}: ${missed}`;
}

/** In an event of a switch, a port of it; else a link. */
function cableName(header: LogHeader, node: number, index: number): string {
  const { nodes, switches, links } = header;
  const lan = switches[node - nodes.length];
  if (lan !== undefined) return `port ${lan.ports[index] ?? index}`;
  return `link ${links[index]?.name ?? index}`;
}

function describeChange({ down, latency, rate, loss, jitter, queue, lost }: LoggedChange): string {
  const span = (value: bigint) => formatDuration(duration(value));
  const parts = [
    `latency ${span(latency)}`,
    rate === 0n ? 'no limit of its rate' : `rate ${rate}bit`,
    `loss ${loss / 10_000_000}%`,
    `jitter ${span(jitter)}`,
    `queue ${queue}`,
  ];
  const victims = lost === 0 ? '' : ` and loses ${lost} frames`;
  return `is ${down ? 'down' : 'up'}${victims}, with ${parts.join(', ')}`;
}

function describeWireChange({ down, latency }: LoggedChange): string {
  return `is ${down ? 'down' : 'up'}, with latency ${formatDuration(duration(latency))}`;
}

function frame({ length, crc }: { readonly length: number; readonly crc: number }): string {
  return `a frame of ${length} bytes (crc32 ${crc.toString(16).padStart(8, '0')})`;
}

function describeState(state: LoggedState): string {
  switch (state.state) {
    case 'exited':
      return `exited with ${state.code}`;
    case 'signalled':
      return `exited by signal ${state.signal}`;
    case 'failed':
      return `failed: ${escapeText(state.text)}`;
    default:
      return `is ${state.state}`;
  }
}

function quote(data: Uint8Array): string {
  const shown = `"${escapeBytes(data.subarray(0, MAX_SHOWN)).replaceAll('"', '\\"')}"`;
  return data.length > MAX_SHOWN ? `${shown} and ${data.length - MAX_SHOWN} bytes more` : shown;
}

function escapeBytes(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) {
    if (byte === 0x5c) text += '\\\\';
    else if (byte >= 0x20 && byte < 0x7f) text += String.fromCharCode(byte);
    else if (byte === 0x0a) text += '\\n';
    else if (byte === 0x0d) text += '\\r';
    else if (byte === 0x09) text += '\\t';
    else text += `\\x${byte.toString(16).padStart(2, '0')}`;
  }
  return text;
}
