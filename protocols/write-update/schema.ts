// SPDX-License-Identifier: MIT

/**
 * write-update.proto in protobufjs's own form, so that nothing is parsed at start-up. A unit test proves that it says
 * what write-update.proto says.
 */
export const writeUpdateSchema = {
  nested: {
    oneclock: {
      nested: {
        writeupdate: {
          nested: {
            Message: {
              oneofs: {
                what: {
                  oneof: [
                    'hello',
                    'acknowledge',
                    'join',
                    'snapshot',
                    'register',
                    'update',
                    'leave',
                    'credit',
                  ],
                },
              },
              fields: {
                member: {
                  type: 'uint32',
                  id: 1,
                },
                number: {
                  type: 'uint64',
                  id: 2,
                },
                received: {
                  type: 'uint64',
                  id: 3,
                },
                hello: {
                  type: 'Hello',
                  id: 4,
                },
                acknowledge: {
                  type: 'Acknowledge',
                  id: 5,
                },
                join: {
                  type: 'Join',
                  id: 6,
                },
                snapshot: {
                  type: 'Snapshot',
                  id: 7,
                },
                register: {
                  type: 'Register',
                  id: 8,
                },
                update: {
                  type: 'Update',
                  id: 9,
                },
                leave: {
                  type: 'Leave',
                  id: 10,
                },
                credit: {
                  type: 'Credit',
                  id: 11,
                },
              },
            },
            Hello: {
              fields: {
                version: {
                  type: 'uint32',
                  id: 1,
                },
                method: {
                  type: 'Method',
                  id: 2,
                },
              },
              nested: {
                Method: {
                  values: {
                    UNKNOWN: 0,
                    ORDERED: 1,
                    LOCAL_FIRST: 2,
                  },
                },
              },
            },
            Credit: {
              fields: {
                messages: {
                  type: 'uint64',
                  id: 1,
                },
              },
            },
            Acknowledge: {
              fields: {},
            },
            Join: {
              fields: {},
            },
            Snapshot: {
              fields: {
                sequence: {
                  type: 'uint64',
                  id: 1,
                },
                updates: {
                  rule: 'repeated',
                  type: 'Update',
                  id: 2,
                },
              },
            },
            Register: {
              fields: {
                variable: {
                  type: 'uint32',
                  id: 1,
                },
                size: {
                  type: 'uint32',
                  id: 2,
                },
              },
            },
            Update: {
              fields: {
                sequence: {
                  type: 'uint64',
                  id: 1,
                },
                origin: {
                  type: 'uint32',
                  id: 2,
                },
                change: {
                  type: 'uint64',
                  id: 3,
                },
                variable: {
                  type: 'uint32',
                  id: 4,
                },
                value: {
                  type: 'uint64',
                  id: 5,
                },
                ticks: {
                  type: 'uint64',
                  id: 6,
                },
                atNs: {
                  type: 'uint64',
                  id: 7,
                  protoName: 'at_ns',
                },
                rank: {
                  type: 'uint32',
                  id: 8,
                },
              },
            },
            Leave: {
              fields: {},
            },
          },
        },
      },
    },
  },
};
