// SPDX-License-Identifier: MIT

/**
 * trace.proto in protobufjs's own form, so that nothing is parsed at start-up. A unit test proves that it says
 * what trace.proto says.
 */
export const traceSchema = {
  nested: {
    oneclock: {
      nested: {
        trace: {
          nested: {
            Record: {
              oneofs: {
                what: {
                  oneof: [
                    'header',
                    'end',
                    'activation',
                    'frameSent',
                    'frameReceived',
                    'consoleOutput',
                    'nodeState',
                    'broadcast',
                    'mark',
                    'fault',
                    'change',
                    'drive',
                    'level',
                    'variableChanged',
                    'variableStored',
                    'slotEntry',
                    'lineRaised',
                    'warpApplied',
                    'deadlineMissed',
                    'act',
                    'serialData',
                  ],
                },
              },
              fields: {
                delta: { type: 'uint64', id: 1 },
                node: { type: 'uint32', id: 2 },
                header: { type: 'Header', id: 3 },
                end: { type: 'End', id: 4 },
                activation: { type: 'Activation', id: 5 },
                frameSent: { type: 'FrameSent', id: 6, protoName: 'frame_sent' },
                frameReceived: { type: 'FrameReceived', id: 7, protoName: 'frame_received' },
                consoleOutput: { type: 'ConsoleOutput', id: 8, protoName: 'console_output' },
                nodeState: { type: 'NodeState', id: 9, protoName: 'node_state' },
                broadcast: { type: 'Broadcast', id: 10 },
                mark: { type: 'Mark', id: 11 },
                fault: { type: 'Fault', id: 12 },
                change: { type: 'Change', id: 13 },
                drive: { type: 'Drive', id: 14 },
                level: { type: 'Level', id: 15 },
                variableChanged: { type: 'VariableChanged', id: 16, protoName: 'variable_changed' },
                variableStored: { type: 'VariableStored', id: 17, protoName: 'variable_stored' },
                slotEntry: { type: 'SlotEntry', id: 18, protoName: 'slot_entry' },
                lineRaised: { type: 'LineRaised', id: 19, protoName: 'line_raised' },
                warpApplied: { type: 'WarpApplied', id: 20, protoName: 'warp_applied' },
                deadlineMissed: { type: 'DeadlineMissed', id: 21, protoName: 'deadline_missed' },
                act: { type: 'Act', id: 22 },
                serialData: { type: 'SerialData', id: 23, protoName: 'serial_data' },
              },
            },
            Header: {
              fields: {
                version: { type: 'uint32', id: 1 },
                topology: { type: 'string', id: 2 },
                seed: { type: 'uint64', id: 3 },
                start: { type: 'uint64', id: 4 },
                nodes: { rule: 'repeated', type: 'Node', id: 5 },
                links: { rule: 'repeated', type: 'Link', id: 6 },
                switches: { rule: 'repeated', type: 'Switch', id: 7 },
                wires: { rule: 'repeated', type: 'Wire', id: 8 },
                shared: { rule: 'repeated', type: 'Shared', id: 9 },
              },
            },
            Node: {
              fields: {
                name: { type: 'string', id: 1 },
                kind: { type: 'string', id: 2 },
                interfaces: { rule: 'repeated', type: 'string', id: 3 },
                lines: { rule: 'repeated', type: 'string', id: 4 },
              },
            },
            Link: {
              fields: {
                name: { type: 'string', id: 1 },
                ends: { rule: 'repeated', type: 'string', id: 2 },
              },
            },
            Switch: {
              fields: {
                name: { type: 'string', id: 1 },
                ports: { rule: 'repeated', type: 'string', id: 2 },
              },
            },
            Wire: {
              fields: {
                name: { type: 'string', id: 1 },
                pins: { rule: 'repeated', type: 'string', id: 2 },
              },
            },
            Shared: {
              fields: {
                name: { type: 'string', id: 1 },
                variable: { type: 'uint32', id: 2 },
                between: { rule: 'repeated', type: 'string', id: 3 },
                method: { type: 'string', id: 4 },
              },
            },
            Activation: { fields: {} },
            FrameSent: {
              fields: {
                interface: { type: 'uint32', id: 1 },
                length: { type: 'uint32', id: 2 },
                crc: { type: 'fixed32', id: 3 },
                fate: { type: 'Fate', id: 4 },
                travel: { type: 'uint64', id: 5 },
              },
            },
            Fate: {
              values: { DELIVERED: 0, QUEUE_FULL: 1, LOST: 2, UNCONNECTED: 3, LINK_DOWN: 4 },
            },
            FrameReceived: {
              fields: {
                interface: { type: 'uint32', id: 1 },
                length: { type: 'uint32', id: 2 },
                crc: { type: 'fixed32', id: 3 },
                dropped: { type: 'bool', id: 4 },
              },
            },
            ConsoleOutput: { fields: { data: { type: 'bytes', id: 1 } } },
            NodeState: {
              fields: {
                state: { type: 'State', id: 1 },
                value: { type: 'uint32', id: 2 },
                text: { type: 'string', id: 3 },
              },
            },
            State: {
              values: {
                STATE_UNSPECIFIED: 0,
                RUNNING: 1,
                READY: 2,
                EXITED: 3,
                SIGNALLED: 4,
                FAILED: 5,
                KILLED: 6,
                EVICTED: 7,
                CRASHED: 8,
                HUNG: 9,
              },
            },
            Broadcast: { fields: { value: { type: 'uint64', id: 1 } } },
            Mark: { fields: { text: { type: 'string', id: 1 } } },
            Fault: { fields: { text: { type: 'string', id: 1 } } },
            Change: {
              fields: {
                cable: { type: 'uint32', id: 1 },
                down: { type: 'bool', id: 2 },
                latency: { type: 'uint64', id: 3 },
                rate: { type: 'uint64', id: 4 },
                loss: { type: 'uint32', id: 5 },
                jitter: { type: 'uint64', id: 6 },
                queue: { type: 'uint32', id: 7 },
                lost: { type: 'uint64', id: 8 },
              },
            },
            Drive: {
              fields: {
                line: { type: 'uint32', id: 1 },
                drive: { type: 'Driven', id: 2 },
              },
            },
            Driven: { values: { RELEASED: 0, DRIVEN_LOW: 1, DRIVEN_HIGH: 2 } },
            Level: { fields: { high: { type: 'bool', id: 1 } } },
            VariableChanged: {
              fields: {
                shared: { type: 'uint32', id: 1 },
                value: { type: 'uint64', id: 2 },
                ticks: { type: 'uint64', id: 3 },
              },
            },
            VariableStored: {
              fields: {
                shared: { type: 'uint32', id: 1 },
                value: { type: 'uint64', id: 2 },
                origin: { type: 'uint32', id: 3 },
                sequence: { type: 'uint64', id: 4 },
              },
            },
            SlotEntry: {
              fields: {
                span: { type: 'uint64', id: 1 },
                warp: { type: 'Warp', id: 2 },
              },
            },
            Warp: {
              fields: {
                sequence: { type: 'uint64', id: 1 },
                absent: { type: 'uint64', id: 2 },
                ticks: { type: 'uint64', id: 3 },
                pending: { rule: 'repeated', type: 'Pending', id: 4 },
              },
            },
            Pending: {
              fields: {
                line: { type: 'uint32', id: 1 },
                count: { type: 'uint32', id: 2 },
              },
            },
            LineRaised: {
              fields: {
                line: { type: 'uint32', id: 1 },
                kept: { type: 'bool', id: 2 },
              },
            },
            WarpApplied: { fields: { sequence: { type: 'uint64', id: 1 } } },
            DeadlineMissed: {
              fields: {
                task: { type: 'uint64', id: 1 },
                late: { type: 'uint64', id: 2 },
              },
            },
            Act: { fields: { text: { type: 'string', id: 1 } } },
            SerialData: {
              fields: {
                line: { type: 'string', id: 1 },
                input: { type: 'bool', id: 2 },
                data: { type: 'bytes', id: 3 },
              },
            },
            End: {
              fields: {
                reason: { type: 'string', id: 1 },
                virtualNs: { type: 'uint64', id: 2, protoName: 'virtual_ns' },
                events: { type: 'uint64', id: 3 },
                activations: { type: 'uint64', id: 4 },
              },
            },
          },
        },
      },
    },
  },
};
