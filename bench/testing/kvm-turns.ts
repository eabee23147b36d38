// SPDX-License-Identifier: MIT
import type { ExitSample, ExitTurn } from '../kvm-exits.js';
import type { LinuxRun, LinuxTurn } from '../kvm-linux.js';

/** A turn with one sample, with the same costs of wall time and of CPU time. */
export function exitTurn(bareUs: number, oursUs: number, own: Partial<ExitSample> = {}): ExitTurn {
  const cost = (us: number) => ({ wallUs: us, cpuUs: us });
  const sample = { name: 'UPDATE by PIO', handled: 'C++', ours: cost(oursUs), bare: cost(bareUs) } as const;
  return { bare: cost(bareUs), samples: [{ ...sample, ...own }] };
}

/** A turn of 100 pings, each of which takes User-Mode Linux 2 ms, and KVM guests `factor` times that, with a ninth of exits seen. */
export function linuxTurn(factor: number, traceHash = 'sha256:0'): LinuxTurn {
  const run = (wallMs: number, exits: number, spanMs: number, spanExits: number): LinuxRun => ({
    wallMs,
    exits,
    span: { wallMs: spanMs, exits: spanExits, seen: spanExits / 9 },
    activations: 200,
    traceHash,
  });
  return {
    sleep: run(500, 1000, 100, 300),
    pings: 100,
    kvm: run(3000, 2000, factor * 200, 900),
    uml: run(1000, 0, 200, 0),
  };
}
