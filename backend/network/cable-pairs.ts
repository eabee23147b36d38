// SPDX-License-Identifier: MIT
import { NO_TIME } from '../calendar/time.js';
import { invariant } from '../errors.js';
import type { CableSpec, Endpoint, LinkSpec, SwitchSpec } from '../topology/model.js';
import { Cable } from './cable.js';
import { Random } from './random.js';

function endName(end: Endpoint): string {
  return `${end.node}.${end.interface}`;
}

/**
 * The two directions of a link: from `between[0]` to `between[1]`, and back. Each has its own queue, and its own
 * random stream, which depends on the seed and on the names of the link and of the sending end.
 */
export function linkCables(spec: LinkSpec, seed: bigint): readonly [Cable, Cable] {
  const from = (end: Endpoint) => new Cable(spec, Random.for(seed, 'link', spec.name, endName(end)));
  return [from(spec.between[0]), from(spec.between[1])];
}

/** The two directions between a node and a port of a switch. */
export interface SwitchCables {
  /** From the node into the switch. */
  readonly ingress: Cable;
  /** Out of the switch to the node. */
  readonly egress: Cable;
}

/**
 * The cables of port `port` of a switch that stores and forwards. On its way into the switch a frame meets all
 * that the spec says: queue, rate, loss, jitter, latency. On its way out it meets queue and rate only, so that
 * between two nodes latency, loss and jitter count once, and the serialisation twice.
 *
 * @param port index into `spec.ports`
 */
export function switchCables(spec: SwitchSpec, port: number, seed: bigint): SwitchCables {
  const end = spec.ports[port];
  invariant(
    end !== undefined,
    () => `switch ${spec.name} has ports 0 … ${spec.ports.length - 1}; found ${port}`,
  );
  const stream = (direction: string) => Random.for(seed, 'switch', spec.name, endName(end), direction);
  return {
    ingress: new Cable(spec, stream('ingress')),
    egress: new Cable(egressSpec(spec), stream('egress')),
  };
}

/** What holds on the way out of a switch whose ports are `spec`. */
export function egressSpec<Spec extends CableSpec>(spec: Spec): Spec {
  return { ...spec, latency: NO_TIME, loss: 0, jitter: NO_TIME };
}
