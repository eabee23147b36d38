// SPDX-License-Identifier: MIT
import { Op } from '../../../protocols/hypercall/index.js';
import {
  Calendar,
  type Domain,
  type Instant,
  instant,
  Lookahead,
  NEVER,
  NO_TIME,
  type Participant,
  type ParticipantHost,
  ZERO,
} from '../../calendar/index.js';
import type { OneclockError } from '../../errors.js';
import type { SharedSpec } from '../../topology/model.js';
import { RunLog } from '../../trace/run-log.js';
import { SharedVariables } from '../variables.js';

export const MEMORY = 8192;
export const PAGE = 4096;

/** Something that a guest does at an instant. */
export interface Act {
  readonly at: bigint;
  readonly act: (guest: SharingNode) => void;
}

/** A store that was seen. */
export interface Seen {
  readonly at: bigint;
  readonly node: number;
  readonly shared: number;
  readonly value: bigint;
  readonly origin: number;
  readonly sequence: number;
}

/** A guest with a memory, which does what its script says. */
export class SharingNode implements Participant {
  readonly memory = new Uint8Array(MEMORY);
  readonly page = PAGE;
  readonly results: bigint[] = [];
  readonly errors: OneclockError[] = [];
  readonly name: string;
  now: Instant = ZERO;
  host: ParticipantHost | undefined;
  #running = false;
  #until: Instant = ZERO;
  #done = 0;

  constructor(
    readonly id: number,
    private readonly world: SharingWorld,
    private readonly script: readonly Act[],
  ) {
    this.name = String.fromCharCode(97 + id);
  }

  get wake(): Instant {
    const next = this.script[this.#done];
    return this.#running || !next || this.errors.length > 0 ? NEVER : instant(next.at);
  }

  run(at: Instant, until: Instant): void {
    this.#running = true;
    this.now = at;
    this.#until = until;
    this.world.pending.push(() => this.#go());
  }

  curtail(until: Instant): void {
    if (until < this.#until) this.#until = until;
  }

  reach(): void {}

  /** Rings, as a guest does; what it may not do ends it. */
  ring(op: number, ...args: (bigint | number)[]): void {
    try {
      this.results.push(this.world.variables.bell(this.id, op, args.map(BigInt)));
    } catch (error) {
      this.fail(error as OneclockError);
    }
  }

  register(address: number, size: number, variable: number): void {
    this.ring(Op.REGISTER, address, size, variable);
  }

  changed(variable: number, value: bigint, ticks = 1n): void {
    this.ring(Op.CHANGED, variable, value, ticks);
  }

  fail(error: OneclockError): void {
    this.errors.push(error);
    this.world.variables.detach(this.id);
    if (!this.#running) this.host?.rescheduled();
  }

  value(address: number, size: number): bigint {
    let value = 0n;
    for (let place = size - 1; place >= 0; place--) {
      value = (value << 8n) | BigInt(this.memory[address + place] as number);
    }
    return value;
  }

  #go(): void {
    for (;;) {
      const next = this.script[this.#done];
      // What is due is done, also where the grant has been cut short since.
      if (!next || this.errors.length > 0 || next.at >= this.#until || next.at < this.now) break;
      this.now = instant(next.at);
      this.#done += 1;
      next.act(this);
    }
    this.#running = false;
    this.host?.quiet();
  }
}

export interface Scene {
  readonly shared: readonly SharedSpec[];
  /** By node: what it does, by time. */
  readonly scripts: readonly (readonly Act[])[];
}

/**
 * Guests that share variables, on a calendar. Those that share one without latency are one domain, which here is all of
 * them.
 */
export class SharingWorld {
  readonly pending: (() => void)[] = [];
  readonly nodes: readonly SharingNode[];
  readonly variables: SharedVariables;
  readonly seen: Seen[] = [];
  readonly changes: {
    readonly at: bigint;
    readonly node: number;
    readonly shared: number;
    readonly value: bigint;
  }[] = [];
  readonly #log: RunLog;
  readonly #calendar: Calendar;
  readonly #lookahead: Lookahead;
  #end: Instant | undefined;

  constructor({ shared, scripts }: Scene, jobs: number) {
    this.nodes = scripts.map((script, id) => new SharingNode(id, this, script));
    const nodes = this.nodes.map(({ name, id }) => ({ name, index: id }));
    this.#calendar = new Calendar({
      jobs,
      until: NEVER,
      activated: (participant, at) => this.#log.activation(at, participant.id),
      barrier: (safe) => this.#log.flush(safe),
      ended: (_, at) => {
        this.#end = at;
      },
    });
    const together = shared.some(({ latency }) => latency === NO_TIME);
    const nodeDomain = nodes.map(({ index }) => (together ? 0 : index));
    const sharedDomain = shared.map((_, place) => (together ? 0 : nodes.length + place));
    const count = together ? 1 : nodes.length + shared.length;
    this.#lookahead = new Lookahead(count);
    const domains = Array.from({ length: count }, () => this.#calendar.addDomain());
    if (!together) {
      for (const [place, { between, latency }] of shared.entries()) {
        for (const { name, index } of nodes) {
          if (!between.includes(name)) continue;
          this.#lookahead.connect(index, nodes.length + place, latency);
          this.#lookahead.connect(nodes.length + place, index, NO_TIME);
        }
      }
    }
    this.#log = new RunLog(undefined, {
      topology: 'shared',
      seed: 1n,
      start: 0n,
      nodes: nodes.map(({ name }) => ({ name, kind: 'kvm', interfaces: [], lines: [] })),
      links: [],
      switches: [],
      wires: [],
      shared,
    });
    this.variables = new SharedVariables({ nodes, shared }, { nodeDomain, sharedDomain }, domains, {
      changed: (at, node, place, value, ticks) => {
        this.changes.push({ at, node, shared: place, value });
        this.#log.variableChanged(at, node, place, value, ticks);
      },
      stored: (at, node, place, value, origin, sequence) => {
        this.seen.push({ at, node, shared: place, value, origin, sequence });
        this.#log.variableStored(at, node, place, value, origin, sequence);
      },
    });
    for (const node of this.nodes) {
      node.host = (domains[nodeDomain[node.id] as number] as Domain).add(node);
      this.variables.attach(node.id, node);
    }
  }

  /** Runs to the end; guests that run at once go on in any order. @returns the hash of the trace */
  run(random: (below: number) => number = () => 0): string {
    this.#calendar.start(this.#lookahead);
    while (this.#end === undefined) {
      const [go] = this.pending.splice(random(this.pending.length), 1);
      if (!go) throw new Error('nobody runs, and the run has not ended');
      go();
    }
    return this.#log.close({
      reason: 'nothing-left',
      virtualNs: this.seen.reduce((latest, { at }) => (at > latest ? at : latest), 0n),
      events: this.#calendar.events,
      activations: this.#calendar.activations,
    });
  }
}
