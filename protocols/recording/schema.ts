// SPDX-License-Identifier: MIT
import type protobuf from 'protobufjs/light.js';

/**
 * recording.proto in protobufjs's own form, so that nothing is parsed at start-up. A unit test proves that it says what
 * recording.proto says.
 */
export const recordingSchema = {
  nested: {
    oneclock: {
      nested: {
        recording: {
          nested: {
            Header: {
              oneofs: { _until: { oneof: ['until'] } },
              fields: {
                magic: { type: 'string', id: 1 },
                version: { type: 'uint32', id: 2 },
                topology: { type: 'bytes', id: 3 },
                file: { type: 'string', id: 4 },
                seed: { type: 'uint64', id: 5 },
                until: { type: 'uint64', id: 6, options: { proto3_optional: true } },
                interactive: { type: 'bool', id: 7 },
                messages_only: { type: 'bool', id: 8 },
              },
            },
            Entry: {
              oneofs: {
                what: {
                  oneof: [
                    'barrier',
                    'deliver',
                    'frame',
                    'drive',
                    'released',
                    'console',
                    'reported',
                    'ended',
                    'failed',
                    'level',
                    'sense',
                    'copper',
                    'refused',
                    'shell',
                    'end',
                  ],
                },
              },
              fields: {
                passed: { type: 'uint64', id: 1 },
                barrier: { type: 'Barrier', id: 2 },
                deliver: { type: 'Deliver', id: 3 },
                frame: { type: 'Frame', id: 4 },
                drive: { type: 'Drive', id: 5 },
                released: { type: 'Released', id: 6 },
                console: { type: 'Console', id: 7 },
                reported: { type: 'Reported', id: 8 },
                ended: { type: 'Ended', id: 9 },
                failed: { type: 'Failed', id: 10 },
                level: { type: 'Level', id: 11 },
                sense: { type: 'Sense', id: 12 },
                copper: { type: 'Copper', id: 13 },
                refused: { type: 'Refused', id: 14 },
                shell: { type: 'Shell', id: 15 },
                end: { type: 'End', id: 16 },
              },
            },
            Barrier: { fields: {} },
            Deliver: { fields: {} },
            Frame: {
              fields: {
                node: { type: 'uint32', id: 1 },
                interface: { type: 'uint32', id: 2 },
                bytes: { type: 'bytes', id: 3 },
              },
            },
            Drive: {
              oneofs: { _level: { oneof: ['level'] } },
              fields: {
                node: { type: 'uint32', id: 1 },
                line: { type: 'uint32', id: 2 },
                level: { type: 'uint32', id: 3, options: { proto3_optional: true } },
              },
            },
            Released: { fields: { node: { type: 'uint32', id: 1 } } },
            Console: {
              oneofs: { _at: { oneof: ['at'] } },
              fields: {
                node: { type: 'uint32', id: 1 },
                bytes: { type: 'bytes', id: 2 },
                at: { type: 'uint64', id: 3, options: { proto3_optional: true } },
              },
            },
            Reported: {
              oneofs: { how: { oneof: ['code', 'signal'] } },
              fields: {
                node: { type: 'uint32', id: 1 },
                code: { type: 'uint32', id: 2 },
                signal: { type: 'uint32', id: 3 },
              },
            },
            Ended: {
              oneofs: { how: { oneof: ['code', 'signal'] } },
              fields: {
                node: { type: 'uint32', id: 1 },
                at: { type: 'uint64', id: 2 },
                code: { type: 'uint32', id: 3 },
                signal: { type: 'uint32', id: 4 },
              },
            },
            Failed: { fields: { node: { type: 'uint32', id: 1 }, text: { type: 'string', id: 2 } } },
            Level: { fields: { high: { type: 'bool', id: 1 }, at: { type: 'uint64', id: 2 } } },
            Sense: {
              fields: {
                node: { type: 'uint32', id: 1 },
                line: { type: 'uint32', id: 2 },
                high: { type: 'bool', id: 3 },
                at: { type: 'uint64', id: 4 },
              },
            },
            Copper: { fields: { wire: { type: 'uint32', id: 1 }, held: { type: 'bool', id: 2 } } },
            Refused: { fields: { frame: { type: 'uint64', id: 1 } } },
            Shell: {
              oneofs: { act: { oneof: ['request', 'more', 'gone'] } },
              fields: {
                shell: { type: 'uint32', id: 1 },
                node: { type: 'uint32', id: 2 },
                at: { type: 'uint64', id: 3 },
                request: { type: 'bytes', id: 4 },
                more: { type: 'bool', id: 5 },
                gone: { type: 'bool', id: 6 },
              },
            },
            End: { fields: {} },
          },
        },
      },
    },
  },
} satisfies protobuf.INamespace;
