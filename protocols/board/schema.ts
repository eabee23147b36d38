// SPDX-License-Identifier: MIT

/**
 * board.proto in protobufjs's own form, so that nothing is parsed at start-up. A unit test proves that it says
 * what board.proto says.
 */
export const boardSchema = {
  nested: {
    oneclock: {
      nested: {
        board: {
          nested: {
            ToBoard: {
              oneofs: {
                what: {
                  oneof: [
                    'hello',
                    'acknowledge',
                    'clock',
                    'loadModule',
                    'unloadModule',
                    'configure',
                    'register',
                    'unregister',
                    'start',
                    'signal',
                    'setMode',
                    'getStatus',
                    'release',
                  ],
                },
              },
              fields: {
                request: { type: 'uint32', id: 1 },
                received: { type: 'uint32', id: 2 },
                hello: { type: 'Hello', id: 3 },
                acknowledge: { type: 'Acknowledge', id: 4 },
                clock: { type: 'ClockRequest', id: 5 },
                loadModule: { type: 'LoadModule', id: 6, protoName: 'load_module' },
                unloadModule: { type: 'UnloadModule', id: 7, protoName: 'unload_module' },
                configure: { type: 'Configure', id: 8 },
                register: { type: 'Register', id: 9 },
                unregister: { type: 'Unregister', id: 10 },
                start: { type: 'Start', id: 11 },
                signal: { type: 'Signal', id: 12 },
                setMode: { type: 'SetMode', id: 13, protoName: 'set_mode' },
                getStatus: { type: 'GetStatus', id: 14, protoName: 'get_status' },
                release: { type: 'Release', id: 15 },
              },
            },
            FromBoard: {
              oneofs: {
                what: {
                  oneof: [
                    'welcome',
                    'refused',
                    'clock',
                    'done',
                    'failure',
                    'loaded',
                    'started',
                    'status',
                    'paused',
                    'resumed',
                    'console',
                    'exited',
                    'problem',
                  ],
                },
              },
              fields: {
                sequence: { type: 'uint32', id: 1 },
                request: { type: 'uint32', id: 2 },
                welcome: { type: 'Welcome', id: 3 },
                refused: { type: 'Refused', id: 4 },
                clock: { type: 'ClockSample', id: 5 },
                done: { type: 'Done', id: 6 },
                failure: { type: 'Failure', id: 7 },
                loaded: { type: 'Loaded', id: 8 },
                started: { type: 'Started', id: 9 },
                status: { type: 'Status', id: 10 },
                paused: { type: 'Paused', id: 11 },
                resumed: { type: 'Resumed', id: 12 },
                console: { type: 'Console', id: 13 },
                exited: { type: 'Exited', id: 14 },
                problem: { type: 'Problem', id: 15 },
              },
            },
            Hello: {
              fields: {
                version: { type: 'uint32', id: 1 },
                session: { type: 'bytes', id: 2 },
                resume: { type: 'bool', id: 3 },
              },
            },
            Welcome: {
              fields: {
                version: { type: 'uint32', id: 1 },
                agent: { type: 'string', id: 2 },
                lastRequest: { type: 'uint32', id: 3, protoName: 'last_request' },
                releaseAfterNs: { type: 'uint64', id: 4, protoName: 'release_after_ns' },
              },
            },
            Refused: {
              fields: { reason: { type: 'Reason', id: 1 }, text: { type: 'string', id: 2 } },
              nested: { Reason: { values: { UNKNOWN: 0, BUSY: 1, VERSION: 2, GONE: 3 } } },
            },
            Acknowledge: { fields: {} },
            BoardTime: {
              fields: {
                monotonicNs: { type: 'uint64', id: 1, protoName: 'monotonic_ns' },
                frozenNs: { type: 'uint64', id: 2, protoName: 'frozen_ns' },
                errorNs: { type: 'uint64', id: 3, protoName: 'error_ns' },
              },
            },
            ClockRequest: { fields: { number: { type: 'uint32', id: 1 } } },
            ClockSample: {
              fields: {
                number: { type: 'uint32', id: 1 },
                receivedNs: { type: 'uint64', id: 2, protoName: 'received_ns' },
                sentNs: { type: 'uint64', id: 3, protoName: 'sent_ns' },
                time: { type: 'BoardTime', id: 4 },
              },
            },
            Done: { fields: {} },
            Failure: { fields: { errno: { type: 'string', id: 1 }, text: { type: 'string', id: 2 } } },
            LoadModule: {
              fields: {
                pause: { type: 'string', id: 1 },
                resume: { type: 'string', id: 2 },
                signal: { type: 'string', id: 3 },
                periodMs: { type: 'uint32', id: 4, protoName: 'period_ms' },
              },
            },
            Loaded: { fields: { already: { type: 'bool', id: 1 } } },
            UnloadModule: { fields: {} },
            Configure: {
              oneofs: {
                _tdf: { oneof: ['tdf'] },
                _watchdogMs: { oneof: ['watchdogMs'] },
                _method: { oneof: ['method'] },
              },
              fields: {
                tdf: { type: 'uint32', id: 1, options: { proto3_optional: true } },
                watchdogMs: {
                  type: 'uint32',
                  id: 2,
                  protoName: 'watchdog_ms',
                  options: { proto3_optional: true },
                },
                method: { type: 'string', id: 3, options: { proto3_optional: true } },
              },
            },
            Process: { fields: { pid: { type: 'uint32', id: 1 }, tree: { type: 'bool', id: 2 } } },
            Register: { fields: { processes: { rule: 'repeated', type: 'Process', id: 1 } } },
            Unregister: { fields: { pids: { rule: 'repeated', type: 'uint32', id: 1 } } },
            Start: { fields: { run: { type: 'uint32', id: 1 }, command: { type: 'string', id: 2 } } },
            Started: { fields: { pid: { type: 'uint32', id: 1 }, time: { type: 'BoardTime', id: 2 } } },
            Signal: { fields: { run: { type: 'uint32', id: 1 }, signal: { type: 'uint32', id: 2 } } },
            SetMode: { fields: { freeze: { type: 'bool', id: 1 } } },
            GetStatus: { fields: {} },
            Latency: {
              fields: {
                lastNs: { type: 'uint64', id: 1, protoName: 'last_ns' },
                worstNs: { type: 'uint64', id: 2, protoName: 'worst_ns' },
              },
            },
            Status: {
              fields: {
                time: { type: 'BoardTime', id: 1 },
                loaded: { type: 'bool', id: 2 },
                frozen: { type: 'bool', id: 3 },
                pauses: { type: 'uint64', id: 4 },
                resumes: { type: 'uint64', id: 5 },
                edges: { type: 'uint64', id: 6 },
                watchdogReleases: { type: 'uint64', id: 7, protoName: 'watchdog_releases' },
                barrierMisses: { type: 'uint64', id: 8, protoName: 'barrier_misses' },
                frozenNs: { type: 'uint64', id: 9, protoName: 'frozen_ns' },
                pauseLatency: { type: 'Latency', id: 10, protoName: 'pause_latency' },
                resumeLatency: { type: 'Latency', id: 11, protoName: 'resume_latency' },
                pauseSpread: { type: 'Latency', id: 12, protoName: 'pause_spread' },
                processes: { type: 'uint32', id: 13 },
                threads: { type: 'uint32', id: 14 },
                tdf: { type: 'uint32', id: 15 },
                watchdogMs: { type: 'uint32', id: 16, protoName: 'watchdog_ms' },
                method: { type: 'string', id: 17 },
                clock: { type: 'string', id: 18 },
                tracking: { type: 'string', id: 19 },
                runs: { rule: 'repeated', type: 'uint32', id: 20 },
              },
            },
            Release: { fields: {} },
            Paused: {
              fields: {
                number: { type: 'uint64', id: 1 },
                pausedAtNs: { type: 'uint64', id: 2, protoName: 'paused_at_ns' },
                latencyNs: { type: 'uint64', id: 3, protoName: 'latency_ns' },
                spreadNs: { type: 'uint64', id: 4, protoName: 'spread_ns' },
              },
            },
            Resumed: {
              fields: {
                number: { type: 'uint64', id: 1 },
                pausedAtNs: { type: 'uint64', id: 2, protoName: 'paused_at_ns' },
                resumedAtNs: { type: 'uint64', id: 3, protoName: 'resumed_at_ns' },
                latencyNs: { type: 'uint64', id: 4, protoName: 'latency_ns' },
                frozenNs: { type: 'uint64', id: 5, protoName: 'frozen_ns' },
                watchdogReleases: { type: 'uint64', id: 6, protoName: 'watchdog_releases' },
              },
            },
            Console: {
              fields: {
                run: { type: 'uint32', id: 1 },
                time: { type: 'BoardTime', id: 2 },
                data: { type: 'bytes', id: 3 },
                dropped: { type: 'uint64', id: 4 },
              },
            },
            Exited: {
              oneofs: { how: { oneof: ['code', 'signal'] } },
              fields: {
                run: { type: 'uint32', id: 1 },
                time: { type: 'BoardTime', id: 2 },
                code: { type: 'uint32', id: 3 },
                signal: { type: 'uint32', id: 4 },
              },
            },
            Problem: { fields: { errno: { type: 'string', id: 1 }, text: { type: 'string', id: 2 } } },
          },
        },
      },
    },
  },
};
