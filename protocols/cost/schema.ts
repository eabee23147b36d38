// SPDX-License-Identifier: MIT

/**
 * cost.proto in protobufjs's own form, so that nothing is parsed at start-up. A unit test proves that it says what
 * cost.proto says.
 */
export const costSchema = {
  nested: {
    oneclock: {
      nested: {
        cost: {
          nested: {
            Record: {
              oneofs: { what: { oneof: ['header', 'sample'] } },
              fields: {
                header: { type: 'Header', id: 1 },
                sample: { type: 'Sample', id: 2 },
              },
            },
            Header: {
              fields: {
                version: { type: 'uint32', id: 1 },
                nodes: { rule: 'repeated', type: 'string', id: 2 },
              },
            },
            Sample: {
              fields: {
                virtualNs: { type: 'uint64', id: 1, protoName: 'virtual_ns' },
                wallUs: { type: 'uint64', id: 2, protoName: 'wall_us' },
                ownCpuUs: { type: 'uint64', id: 3, protoName: 'own_cpu_us' },
                nodes: { rule: 'repeated', type: 'NodeCost', id: 4 },
              },
            },
            NodeCost: {
              fields: {
                node: { type: 'uint32', id: 1 },
                ranUs: { type: 'uint64', id: 2, protoName: 'ran_us' },
                activations: { type: 'uint32', id: 3 },
              },
            },
          },
        },
      },
    },
  },
};
