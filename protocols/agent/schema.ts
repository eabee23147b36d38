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
              oneofs: { report: { oneof: ['ready', 'exited', 'failed'] } },
              fields: {
                ready: { type: 'Ready', id: 1 },
                exited: { type: 'Exited', id: 2 },
                failed: { type: 'Failed', id: 3 },
              },
            },
            Ready: { fields: {} },
            Exited: {
              oneofs: { how: { oneof: ['code', 'signal'] } },
              fields: { code: { type: 'uint32', id: 1 }, signal: { type: 'uint32', id: 2 } },
            },
            Failed: { fields: { text: { type: 'string', id: 1 } } },
            ToGuest: { fields: {} },
          },
        },
      },
    },
  },
} satisfies protobuf.INamespace;
