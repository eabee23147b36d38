// SPDX-License-Identifier: MIT
import type protobuf from 'protobufjs/light.js';

/**
 * control.proto in protobufjs's own form, so that nothing is parsed at start-up. A unit test proves that it says what
 * control.proto says.
 */
export const controlSchema = {
  nested: {
    oneclock: {
      nested: {
        control: {
          nested: {
            ToRun: {
              oneofs: { what: { oneof: ['open', 'input', 'resize', 'signal'] } },
              fields: {
                open: { type: 'Open', id: 1 },
                input: { type: 'Input', id: 2 },
                resize: { type: 'Resize', id: 3 },
                signal: { type: 'Signal', id: 4 },
              },
            },
            Open: {
              fields: {
                version: { type: 'uint32', id: 1 },
                node: { type: 'string', id: 2 },
                command: { type: 'string', id: 3 },
                terminal: { type: 'Terminal', id: 4 },
              },
            },
            Terminal: { fields: { rows: { type: 'uint32', id: 1 }, columns: { type: 'uint32', id: 2 } } },
            Input: { fields: { bytes: { type: 'bytes', id: 1 }, end: { type: 'bool', id: 2 } } },
            Resize: { fields: { terminal: { type: 'Terminal', id: 1 } } },
            Signal: { fields: { number: { type: 'uint32', id: 1 } } },
            FromRun: {
              oneofs: { what: { oneof: ['begun', 'output', 'ended', 'refused'] } },
              fields: {
                begun: { type: 'Begun', id: 1 },
                output: { type: 'Output', id: 2 },
                ended: { type: 'Ended', id: 3 },
                refused: { type: 'Refused', id: 4 },
              },
            },
            Begun: { fields: {} },
            Output: { fields: { stream: { type: 'uint32', id: 1 }, bytes: { type: 'bytes', id: 2 } } },
            Ended: {
              oneofs: { how: { oneof: ['code', 'signal'] } },
              fields: { code: { type: 'uint32', id: 1 }, signal: { type: 'uint32', id: 2 } },
            },
            Refused: { fields: { text: { type: 'string', id: 1 }, input: { type: 'bool', id: 2 } } },
          },
        },
      },
    },
  },
} satisfies protobuf.INamespace;
