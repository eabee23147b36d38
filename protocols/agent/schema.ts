// SPDX-License-Identifier: MIT
import type protobuf from 'protobufjs/light.js';

/**
 * agent.proto in protobufjs's own form, so that nothing is parsed at start-up. A unit test proves that it says
 * what agent.proto says.
 */
export const agentSchema = {
  nested: {
    oneclock: {
      nested: {
        agent: {
          nested: {
            FromGuest: {
              oneofs: {
                report: {
                  oneof: [
                    'ready',
                    'exited',
                    'failed',
                    'started',
                    'output',
                    'ended',
                    'file_data',
                    'done',
                    'refused',
                    'credit',
                    'taken',
                  ],
                },
              },
              fields: {
                ready: { type: 'Ready', id: 1 },
                exited: { type: 'Exited', id: 2 },
                failed: { type: 'Failed', id: 3 },
                started: { type: 'Started', id: 4 },
                output: { type: 'Output', id: 5 },
                ended: { type: 'Ended', id: 6 },
                file_data: { type: 'FileData', id: 7 },
                done: { type: 'Done', id: 8 },
                refused: { type: 'Refused', id: 9 },
                credit: { type: 'Credit', id: 10 },
                taken: { type: 'Taken', id: 11 },
              },
            },
            Ready: { fields: {} },
            Exited: {
              oneofs: { how: { oneof: ['code', 'signal'] } },
              fields: { code: { type: 'uint32', id: 1 }, signal: { type: 'uint32', id: 2 } },
            },
            Failed: { fields: { text: { type: 'string', id: 1 } } },
            Started: { fields: { id: { type: 'uint32', id: 1 }, pid: { type: 'uint32', id: 2 } } },
            Output: {
              fields: {
                id: { type: 'uint32', id: 1 },
                stream: { type: 'uint32', id: 2 },
                bytes: { type: 'bytes', id: 3 },
              },
            },
            Ended: {
              oneofs: { how: { oneof: ['code', 'signal'] } },
              fields: {
                id: { type: 'uint32', id: 1 },
                code: { type: 'uint32', id: 2 },
                signal: { type: 'uint32', id: 3 },
              },
            },
            Done: { fields: { id: { type: 'uint32', id: 1 }, mode: { type: 'uint32', id: 2 } } },
            Refused: {
              fields: {
                id: { type: 'uint32', id: 1 },
                text: { type: 'string', id: 2 },
                error: { type: 'uint32', id: 3 },
              },
            },
            ToGuest: {
              oneofs: {
                request: {
                  oneof: ['exec', 'stdin', 'signal', 'resize', 'credit', 'put', 'file_data', 'get', 'cancel'],
                },
              },
              fields: {
                exec: { type: 'Exec', id: 1 },
                stdin: { type: 'Stdin', id: 2 },
                signal: { type: 'Signal', id: 3 },
                resize: { type: 'Resize', id: 4 },
                credit: { type: 'Credit', id: 5 },
                put: { type: 'Put', id: 6 },
                file_data: { type: 'FileData', id: 7 },
                get: { type: 'Get', id: 8 },
                cancel: { type: 'Cancel', id: 9 },
              },
            },
            Exec: {
              fields: {
                id: { type: 'uint32', id: 1 },
                argv: { rule: 'repeated', type: 'string', id: 2 },
                command: { type: 'string', id: 3 },
                cwd: { type: 'string', id: 4 },
                environment: { rule: 'repeated', type: 'string', id: 5 },
                terminal: { type: 'Terminal', id: 6 },
                user: { type: 'string', id: 7 },
                credit: { type: 'uint32', id: 8 },
              },
            },
            Terminal: { fields: { rows: { type: 'uint32', id: 1 }, columns: { type: 'uint32', id: 2 } } },
            Stdin: {
              fields: {
                id: { type: 'uint32', id: 1 },
                bytes: { type: 'bytes', id: 2 },
                end: { type: 'bool', id: 3 },
              },
            },
            Signal: { fields: { id: { type: 'uint32', id: 1 }, number: { type: 'uint32', id: 2 } } },
            Resize: { fields: { id: { type: 'uint32', id: 1 }, terminal: { type: 'Terminal', id: 2 } } },
            Credit: { fields: { id: { type: 'uint32', id: 1 }, bytes: { type: 'uint32', id: 2 } } },
            Put: {
              fields: {
                id: { type: 'uint32', id: 1 },
                path: { type: 'string', id: 2 },
                mode: { type: 'uint32', id: 3 },
              },
            },
            FileData: {
              fields: {
                id: { type: 'uint32', id: 1 },
                bytes: { type: 'bytes', id: 2 },
                end: { type: 'bool', id: 3 },
              },
            },
            Get: {
              fields: {
                id: { type: 'uint32', id: 1 },
                path: { type: 'string', id: 2 },
                credit: { type: 'uint32', id: 3 },
              },
            },
            Cancel: { fields: { id: { type: 'uint32', id: 1 } } },
            Taken: { fields: { bytes: { type: 'uint32', id: 1 } } },
          },
        },
      },
    },
  },
} satisfies protobuf.INamespace;
