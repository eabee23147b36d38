// SPDX-License-Identifier: MIT

import { bytes, type Fields, flag, inRange, list, number, printable, sub, wide, within } from '../wire.js';
import { MAX_CONSOLE_BYTES, MAX_SIGNAL, REFUSALS } from './constants.js';
import { fromBoardType } from './encode.js';
import type { BoardEnd, BoardLatency, BoardTime, FromBoard, FromBoardBody } from './messages.js';

const UINT32 = 0xffff_ffff;
/** What goes with no sequence number, because it is not repeated. */
const UNNUMBERED: readonly string[] = ['welcome', 'refused', 'clock'];

/**
 * Reads the bytes of a message from an agent, without the size before it. Everything in it has been checked against
 * board.proto.
 *
 * @throws Error that says what was expected and what was found
 */
export function decodeFromBoard(message: Uint8Array): FromBoard {
  const fields = fromBoardType.decode(message) as unknown as Fields;
  const what = fields.what as string | undefined;
  if (what === undefined) throw new Error('expected an answer or event, found a message of no known type');
  const sequence = number(fields, 'sequence');
  if (UNNUMBERED.includes(what) !== (sequence === 0)) {
    throw new Error(`expected ${sequence === 0 ? 'a number' : 'no number'} with ${what}, found ${sequence}`);
  }
  return { sequence, request: number(fields, 'request'), body: body(what, sub(fields, what)) };
}

function body(what: string, fields: Fields): FromBoardBody {
  switch (what) {
    case 'welcome':
      return {
        type: 'welcome',
        version: number(fields, 'version'),
        agent: printable(fields, 'agent'),
        lastRequest: number(fields, 'lastRequest'),
        releaseAfterNs: wide(fields, 'releaseAfterNs'),
      };
    case 'refused':
      return {
        type: 'refused',
        // A reason of a later version is as good as none: the text says it.
        reason: REFUSALS[number(fields, 'reason')] ?? 'unknown',
        text: printable(fields, 'text'),
      };
    case 'clock':
      return {
        type: 'clock',
        number: number(fields, 'number'),
        receivedNs: wide(fields, 'receivedNs'),
        sentNs: wide(fields, 'sentNs'),
        time: time(fields),
      };
    case 'done':
      return { type: 'done' };
    case 'failure':
    case 'problem':
      return { type: what, errno: printable(fields, 'errno'), text: printable(fields, 'text') };
    case 'loaded':
      return { type: 'loaded', already: flag(fields, 'already') };
    case 'started':
      return { type: 'started', pid: within(fields, 'pid', 1, UINT32), time: time(fields) };
    case 'status':
      return status(fields);
    case 'paused':
      return {
        type: 'paused',
        number: wide(fields, 'number'),
        pausedAtNs: wide(fields, 'pausedAtNs'),
        latencyNs: wide(fields, 'latencyNs'),
        spreadNs: wide(fields, 'spreadNs'),
      };
    case 'resumed':
      return {
        type: 'resumed',
        number: wide(fields, 'number'),
        pausedAtNs: wide(fields, 'pausedAtNs'),
        resumedAtNs: wide(fields, 'resumedAtNs'),
        latencyNs: wide(fields, 'latencyNs'),
        frozenNs: wide(fields, 'frozenNs'),
        watchdogReleases: wide(fields, 'watchdogReleases'),
      };
    case 'console': {
      const data = bytes(fields, 'data');
      inRange('size of console output', data.length, 0, MAX_CONSOLE_BYTES);
      const run = within(fields, 'run', 1, UINT32);
      return { type: 'console', run, time: time(fields), data, dropped: wide(fields, 'dropped') };
    }
    case 'exited':
      return { type: 'exited', run: within(fields, 'run', 1, UINT32), time: time(fields), ...end(fields) };
    default:
      throw new Error(`expected a known answer or event, found ${what}`);
  }
}

function time(fields: Fields): BoardTime {
  const value = sub(fields, 'time');
  return {
    monotonicNs: wide(value, 'monotonicNs'),
    frozenNs: wide(value, 'frozenNs'),
    errorNs: wide(value, 'errorNs'),
  };
}

function end(fields: Fields): BoardEnd {
  if (fields.how === 'code') return { code: within(fields, 'code', 0, 255) };
  if (fields.how === 'signal') return { signal: within(fields, 'signal', 1, MAX_SIGNAL) };
  throw new Error('expected an exit code or a signal, found neither');
}

function latency(fields: Fields, name: string): BoardLatency {
  const value = fields[name] as Fields | null;
  if (value === null) return { lastNs: 0n, worstNs: 0n };
  return { lastNs: wide(value, 'lastNs'), worstNs: wide(value, 'worstNs') };
}

function status(fields: Fields): FromBoardBody {
  return {
    type: 'status',
    time: time(fields),
    loaded: flag(fields, 'loaded'),
    frozen: flag(fields, 'frozen'),
    pauses: wide(fields, 'pauses'),
    resumes: wide(fields, 'resumes'),
    edges: wide(fields, 'edges'),
    watchdogReleases: wide(fields, 'watchdogReleases'),
    barrierMisses: wide(fields, 'barrierMisses'),
    frozenNs: wide(fields, 'frozenNs'),
    pauseLatency: latency(fields, 'pauseLatency'),
    resumeLatency: latency(fields, 'resumeLatency'),
    pauseSpread: latency(fields, 'pauseSpread'),
    processes: number(fields, 'processes'),
    threads: number(fields, 'threads'),
    tdf: number(fields, 'tdf'),
    watchdogMs: number(fields, 'watchdogMs'),
    method: printable(fields, 'method'),
    clock: printable(fields, 'clock'),
    tracking: printable(fields, 'tracking'),
    runs: list<number>(fields, 'runs').slice(),
  };
}
