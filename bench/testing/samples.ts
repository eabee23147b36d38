// SPDX-License-Identifier: MIT
import type { Sample } from '../sample.js';

/** A sample with some figures. */
export function sample(figures: Partial<Sample>): Sample {
  return {
    wallMs: 100,
    guestCpuMs: 50,
    ownCpuMs: 50,
    activations: 10,
    events: 20,
    virtualNs: '1000',
    traceHash: 'sha256:0',
    ...figures,
  };
}
