// SPDX-License-Identifier: MIT

/** Two nodes on a cable. */
export const TWO_NODES = `name: two-nodes
seed: 1                            # every random choice of the run comes from it
start: 2026-01-01T00:00:00Z        # the time of day guests see at virtual time 0
until: 60s
nodes:
  a:
    kind: uml
    memory: 64M
    root: initramfs
    interfaces: { eth0: { address: 10.0.0.1/24 } }
    run: ping -c 100 -i 0.01 10.0.0.2
    expect: { exit: 0 }
    on-failure: fail
  b: { kind: uml, interfaces: { eth0: { address: 10.0.0.2/24 } } }
links:
  - { name: ab, between: [a.eth0, b.eth0], latency: 1ms, rate: 100mbit, loss: 0%, jitter: 0ms, queue: 100 }
`;

/** Every key, and names that a careless reader would put in another order. */
export const FULL = `name: full
seed: 18446744073709551615
start: 2026-01-01T00:00:00.123456789+01:00
nodes:
  z:
    kind: uml
    memory: 1G
    root: host
    kernel: build/linux
    interfaces:
      eth0: { address: [10.0.0.1/24, fd00::1/64], mac: 02:00:00:00:00:01, mtu: 9000 }
      eth1: {}
    expect: running
    on-failure: evict
  10: { kind: uml, interfaces: { eth0: { address: 10.0.0.2/24 }, eth1: { address: 10.1.0.1/31 } } }
  a: { kind: uml, interfaces: { eth0: {}, eth1: { address: 10.1.0.0/31 } }, run: 'true', expect: { exit: 255 } }
  2: { kind: kvm, clock: emulated, kernel: /boot/vmlinuz }
  bp1: { kind: board }
links:
  - { name: l, between: [10.eth1, a.eth1], latency: 1ms }
switches:
  - { name: s, ports: [z.eth0, 10.eth0, a.eth0], latency: 0s, rate: 1.5mbit, loss: 0.1%, jitter: 1.5us, queue: 0 }
wires:
  - { name: freeze, pins: [a.gpio0, bp1.line7], role: freeze }
changes:
  - { at: 2s, switch: s, port: a.eth0, state: down }
  - { at: 1s, link: l, latency: 2ms, rate: 1mbit, loss: 1%, jitter: 1ms, queue: 7, state: up }
  - { at: 0s, switch: s, latency: 0s }
  - { at: 2s, link: l, state: down }
`;
