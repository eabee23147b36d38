// SPDX-License-Identifier: MIT
import fc from 'fast-check';
import { MAX_PID, MAX_PROCESSES, MAX_SIGNAL, REFUSALS, SESSION_BYTES } from '../constants.js';
import type { BoardEvent, BoardTime, FromBoard, FromBoardBody, ToBoard, ToBoardBody } from '../messages.js';

const uint32 = fc.nat(0xffff_ffff);
const positive = fc.integer({ min: 1, max: 0xffff_ffff });
const uint64 = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
const pid = fc.integer({ min: 1, max: MAX_PID });
const run = positive;
const plain = fc.string().map((text) => text.replace(/\p{C}/gu, ' '));
const time: fc.Arbitrary<BoardTime> = fc.record({ monotonicNs: uint64, frozenNs: uint64, errorNs: uint64 });
const latency = fc.record({ lastNs: uint64, worstNs: uint64 });
const lineName = fc.constantFrom('', 'PH7', '1c20800.pinctrl:231');

function type<T extends string>(name: T): fc.Arbitrary<T> {
  return fc.constant(name);
}

const unnumberedRequest: fc.Arbitrary<ToBoardBody> = fc.oneof(
  fc.record({
    type: type('hello'),
    version: uint32,
    session: fc.uint8Array({ minLength: SESSION_BYTES, maxLength: SESSION_BYTES }),
    resume: fc.boolean(),
  }),
  fc.record({ type: type('acknowledge') }),
  fc.record({ type: type('clock'), number: uint32 }),
);

const request: fc.Arbitrary<ToBoardBody> = fc.oneof(
  fc.record({
    type: type('loadModule'),
    pause: lineName,
    resume: lineName,
    signal: lineName,
    periodMs: uint32,
  }),
  fc.record({ type: fc.constantFrom('unloadModule' as const, 'getStatus' as const, 'release' as const) }),
  fc.record(
    { type: type('configure'), tdf: uint32, watchdogMs: uint32, method: fc.constantFrom('park', 'stop') },
    { requiredKeys: ['type'] },
  ),
  fc.record({
    type: type('register'),
    processes: fc.array(fc.record({ pid, tree: fc.boolean() }), { minLength: 1, maxLength: MAX_PROCESSES }),
  }),
  fc.record({
    type: type('unregister'),
    pids: fc.array(pid, { minLength: 1, maxLength: MAX_PROCESSES }),
  }),
  fc.record({ type: type('start'), run, command: fc.constantFrom('true', "echo 'ä\n'; exit 3") }),
  fc.record({ type: type('signal'), run, signal: fc.integer({ min: 1, max: MAX_SIGNAL }) }),
  fc.record({ type: type('setMode'), freeze: fc.boolean() }),
);

/** Any message that a controller may send. */
export const anyToBoard: fc.Arbitrary<ToBoard> = fc.oneof(
  fc.record({ request: fc.constant(0), received: uint32, body: unnumberedRequest }),
  fc.record({ request: positive, received: uint32, body: request }),
);

const unnumberedAnswer: fc.Arbitrary<FromBoardBody> = fc.oneof(
  fc.record({
    type: type('welcome'),
    version: uint32,
    agent: plain,
    lastRequest: uint32,
    releaseAfterNs: uint64,
  }),
  fc.record({ type: type('refused'), reason: fc.constantFrom(...REFUSALS), text: plain }),
  fc.record({ type: type('clock'), number: uint32, receivedNs: uint64, sentNs: uint64, time }),
);

const anyEvent: fc.Arbitrary<BoardEvent> = fc.oneof(
  fc.record({
    type: type('paused'),
    number: uint64,
    pausedAtNs: uint64,
    latencyNs: uint64,
    spreadNs: uint64,
  }),
  fc.record({
    type: type('resumed'),
    number: uint64,
    pausedAtNs: uint64,
    resumedAtNs: uint64,
    latencyNs: uint64,
    frozenNs: uint64,
    watchdogReleases: uint64,
  }),
  fc.record({ type: type('console'), run, time, data: fc.uint8Array({ maxLength: 100 }), dropped: uint64 }),
  fc.record({ type: type('exited'), run, time, code: fc.nat(255) }),
  fc.record({ type: type('exited'), run, time, signal: fc.integer({ min: 1, max: MAX_SIGNAL }) }),
  fc.record({ type: type('problem'), errno: plain, text: plain }),
);

const answer: fc.Arbitrary<FromBoardBody> = fc.oneof(
  fc.record({ type: type('done') }),
  fc.record({ type: type('failure'), errno: plain, text: plain }),
  fc.record({ type: type('loaded'), already: fc.boolean() }),
  fc.record({ type: type('started'), pid: positive, time }),
  fc.record({
    type: type('status'),
    time,
    loaded: fc.boolean(),
    frozen: fc.boolean(),
    pauses: uint64,
    resumes: uint64,
    edges: uint64,
    watchdogReleases: uint64,
    barrierMisses: uint64,
    frozenNs: uint64,
    pauseLatency: latency,
    resumeLatency: latency,
    pauseSpread: latency,
    processes: uint32,
    threads: uint32,
    tdf: uint32,
    watchdogMs: uint32,
    method: plain,
    clock: plain,
    tracking: plain,
    runs: fc.array(uint32, { maxLength: 20 }),
  }),
);

/** Any message that an agent may send. */
export const anyFromBoard: fc.Arbitrary<FromBoard> = fc.oneof(
  fc.record({ sequence: fc.constant(0), request: fc.constant(0), body: unnumberedAnswer }),
  fc.record({ sequence: positive, request: uint32, body: fc.oneof(answer, anyEvent) }),
);
